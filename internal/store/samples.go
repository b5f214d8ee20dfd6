package store

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
)

// samplesAtOnce is how many rows one statement writes: their values stay far below
// the 32,766 that SQLite takes.
const samplesAtOnce = 500

// seconds is a span's length as it is stored.
func seconds(s hosting.Span) int64 { return int64(s.Long / time.Second) }

// Samples implements hosting.SampleReader.
func (q *queries) Samples(ctx context.Context, site string, s hosting.Span, since time.Time) ([]hosting.Sample, error) {
	all, err := list(ctx, q, func(row scanner) (hosting.Sample, error) {
		var one hosting.Sample
		var at, used, stored int64
		err := row.Scan(&at, &used, &stored, &one.CPU, &one.Memory, &one.Storage)
		one.At = time.Unix(at, 0).UTC()
		one.CPU, one.Memory, one.Storage = one.CPU/max(used, 1), one.Memory/max(used, 1), one.Storage/max(stored, 1)
		return one, err
	}, `SELECT at, n - blind, n - unstored, cpu, memory, storage FROM samples WHERE site = ? AND span = ? AND at >= ? ORDER BY at`, site, seconds(s), since.Unix())
	return all, answer("read what a site used", err)
}

// LastUses implements hosting.SampleReader.
func (q *queries) LastUses(ctx context.Context, sites []string, s hosting.Span, since time.Time) (map[string]hosting.Use, error) {
	args := []any{seconds(s), since.Unix()}
	for _, site := range sites {
		args = append(args, site)
	}
	type row struct {
		site string
		use  hosting.Use
	}
	// By site first: ordered by time alone, SQLite reads the newest of all sites there are.
	rows, err := list(ctx, q, func(from scanner) (row, error) {
		var one row
		var n int64
		err := from.Scan(&one.site, &n, &one.use.CPU, &one.use.Memory)
		one.use.CPU, one.use.Memory = one.use.CPU/max(n, 1), one.use.Memory/max(n, 1)
		return one, err
	}, `SELECT site, n - blind, cpu, memory FROM samples WHERE n > blind AND span = ? AND at >= ? AND site IN (`+marks(len(sites))+`) ORDER BY site, at`, args...)
	by := make(map[string]hosting.Use, len(sites))
	for _, one := range rows {
		by[one.site] = one.use // the newest is the last
	}
	return by, answer("read what sites used", err)
}

// LastSampled implements hosting.SampleReader.
func (q *queries) LastSampled(ctx context.Context) (time.Time, error) {
	last, err := q.number(ctx, `SELECT COALESCE(MAX(at), 0) FROM samples WHERE span = ?`, seconds(hosting.SpanDay))
	if last == 0 {
		return time.Time{}, answer("read when samples were taken", err)
	}
	return time.Unix(last, 0).UTC(), answer("read when samples were taken", err)
}

// TakeTurn implements hosting.SampleWriter.
func (q *queries) TakeTurn(ctx context.Context, holder string, now, until time.Time) (bool, error) {
	done, err := q.on.ExecContext(ctx, q.text(`UPDATE sample_turn SET holder = ?, until = ? WHERE id = 1 AND (holder = ? OR until < ?)`),
		holder, until.Unix(), holder, now.Unix())
	if err != nil {
		return false, answer("take the turn of samples", err)
	}
	n, err := done.RowsAffected()
	return n == 1, answer("take the turn of samples", err)
}

// AddSamples implements hosting.SampleWriter.
func (q *queries) AddSamples(ctx context.Context, s hosting.Span, by map[string]hosting.Sample) error {
	for sites := range slices.Chunk(slices.Sorted(maps.Keys(by)), samplesAtOnce) {
		rows, args := make([]string, len(sites)), make([]any, 0, 8*len(sites))
		for i, site := range sites {
			one := by[site]
			rows[i] = "(" + marks(8) + ", 1)"
			args = append(args, site, seconds(s), one.At.Truncate(s.Long).Unix(), one.CPU, one.Memory, one.Storage, count(!one.Measured()), count(one.Storage == 0))
		}
		err := q.exec(ctx, `INSERT INTO samples (site, span, at, cpu, memory, storage, blind, unstored, n) VALUES `+strings.Join(rows, ", ")+
			` ON CONFLICT (site, span, at) DO UPDATE SET n = samples.n + 1, cpu = samples.cpu + excluded.cpu,
			memory = samples.memory + excluded.memory, storage = samples.storage + excluded.storage,
			blind = samples.blind + excluded.blind, unstored = samples.unstored + excluded.unstored`, args...)
		if err != nil {
			return answer("add samples", err)
		}
	}
	return nil
}

func count(yes bool) int64 {
	if yes {
		return 1
	}
	return 0
}

// DropSamples implements hosting.SampleWriter.
func (q *queries) DropSamples(ctx context.Context, s hosting.Span, now time.Time) error {
	return answer("drop old samples", q.exec(ctx, `DELETE FROM samples WHERE span = ? AND at < ?`, seconds(s), now.Add(-s.Kept).Unix()))
}
