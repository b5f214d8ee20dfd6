package store

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/store/postgrestest"
)

// wants tells whether an entry is asked for: what the statements of narrowed say, once more
// and without SQL.
func wants(q *hosting.AuditQuery, e *hosting.Entry) bool {
	is := func(wanted, has string) bool { return wanted == "" || wanted == has }
	mine := q.Owner == "" && q.Reseller == "" || q.Owner != "" && (e.Owner == q.Owner || e.Actor == q.Owner) ||
		q.Reseller != "" && (e.Reseller == q.Reseller || e.Owner == q.Reseller || e.Actor == q.Reseller)
	return mine && is(q.Did, e.Did) && is(q.Object, e.Object) && is(string(q.Actor), string(e.Actor)) &&
		!e.At.Before(q.From) && (q.To.IsZero() || e.At.Before(q.To))
}

// Whatever narrows the trail, its pages have every entry that is meant once and in order, on
// clocks that go wrong too.
func TestPartsOfTheTrailAreWhole(t *testing.T) {
	server, err := postgrestest.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	address, err := server.Database(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name, address := range map[string]string{"SQLite": "sqlite:" + filepath.Join(t.TempDir(), "panel.db"), "PostgreSQL": address} {
		t.Run(name, func(t *testing.T) { partsAreWhole(t, address) })
	}
}

func partsAreWhole(t *testing.T, address string) {
	ctx := t.Context()
	db, err := Open(ctx, address, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	began := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	var all []hosting.Entry
	if err := db.Write(ctx, func(tx hosting.Tx) error {
		for i := range 90 {
			// Some stand at the same moment, and every seventh comes from a clock that is behind.
			e := hosting.Entry{At: began.Add(time.Duration(i/2)*time.Minute - time.Duration(i%7/6)*time.Hour), ActorName: "Jo", Did: []string{"a.b", "a.c"}[i%2], Object: fmt.Sprint("o", i%5),
				Actor: hosting.ID(fmt.Sprint("u", i%4)), Owner: hosting.ID(fmt.Sprint("u", i%3)), Reseller: hosting.ID([]string{"", "u9", "u1"}[i%3])}
			if err := tx.Append(ctx, &e); err != nil {
				return err
			}
			all = append(all, e)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for i := range 1 << 6 {
		some := func(bit int) bool { return i>>bit&1 == 1 }
		for _, who := range []hosting.AuditQuery{{}, {Owner: "u1"}, {Reseller: "u1"}} {
			q := who
			if some(0) {
				q.Did = "a.c"
			}
			if some(1) {
				q.Object = "o3"
			}
			if some(2) {
				q.Actor = "u1"
			}
			if some(3) {
				q.From = began.Add(10 * time.Minute)
			}
			if some(4) {
				q.To = began.Add(30 * time.Minute)
			}
			q.Limit = 50
			if some(5) {
				q.Limit = 3
			}
			isWhole(t, db, all, q)
		}
	}
}

func isWhole(t *testing.T, db *DB, all []hosting.Entry, q hosting.AuditQuery) {
	t.Helper()
	var want, got []int64
	sorted := slices.Clone(all)
	slices.SortStableFunc(sorted, func(a, b hosting.Entry) int {
		if by := b.At.Compare(a.At); by != 0 && q.Narrowed() {
			return by
		}
		return int(b.Seq - a.Seq)
	})
	for i := range sorted {
		if wants(&q, &sorted[i]) {
			want = append(want, sorted[i].Seq)
		}
	}
	asked := q
	for {
		entries, err := db.Trail(t.Context(), q)
		if err != nil {
			t.Fatalf("Trail(%+v) = %v", q, err)
		}
		for i := range entries[:min(len(entries), q.Limit)] {
			got = append(got, entries[i].Seq)
		}
		if len(entries) <= q.Limit || len(got) > len(all) {
			break
		}
		q.Before = got[len(got)-1]
	}
	if !slices.Equal(got, want) {
		t.Errorf("the pages of %+v have the entries %v, want %v", asked, got, want)
	}
}

// A page of a part is read from an index in its order: nothing is sorted that grows with the
// trail, and no table is read through.
func TestPartsOfTheTrailAreReadInOrder(t *testing.T) {
	db, err := Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "panel.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	from, to := time.UnixMicro(1), time.UnixMicro(9)
	for name, tt := range map[string]struct {
		q    hosting.AuditQuery
		want string
	}{
		"time":                   {hosting.AuditQuery{From: from, To: to}, "trail_by_time (at>? AND (at,seq)<(?,?))"},
		"action":                 {hosting.AuditQuery{Did: "a"}, "trail_by_deed (did=?)"},
		"action and time":        {hosting.AuditQuery{Did: "a", From: from, To: to}, "trail_by_deed (did=? AND at>? AND (at,seq)<(?,?))"},
		"a thing and an account": {hosting.AuditQuery{Object: "o", Actor: "u", Did: "a", To: to}, "trail_by_object (object=? AND (at,seq)<(?,?))"},
		"an account's":           {hosting.AuditQuery{Actor: "u", Did: "a", From: from}, "trail_by_actor (actor=? AND at>?)"},
		"a customer's":           {hosting.AuditQuery{Owner: "u", Did: "a", From: from, To: to}, "trail_by_owner (owner=? AND at>? AND (at,seq)<(?,?))"},
		"a reseller's":           {hosting.AuditQuery{Reseller: "u", From: from, To: to}, "trail_by_reseller (reseller=? AND at>? AND (at,seq)<(?,?))"},
	} {
		tt.q.Limit = 50
		span, err := db.span(t.Context(), tt.q)
		if err != nil {
			t.Fatal(err)
		}
		statement, args := db.narrowed(tt.q, span)
		steps, err := list(t.Context(), &db.queries, func(row scanner) (step string, err error) {
			var id, parent, unused int
			return step, row.Scan(&id, &parent, &unused, &step)
		}, `EXPLAIN QUERY PLAN `+statement, args...)
		if err != nil {
			t.Fatal(err)
		}
		plan := strings.Join(steps, "\n")
		parted := strings.Contains(statement, "UNION") // the few that the parts have are sorted
		if !strings.Contains(plan, tt.want) || strings.Contains(plan, "SCAN trail") || strings.Contains(plan, "TEMP B-TREE FOR ORDER") && !parted ||
			parted && !strings.Contains(plan, "trail USING INDEX sqlite_autoindex_trail_1 (seq=?)") {
			t.Errorf("%s: %s\nis read as\n%s\nwant %s and nothing sorted", name, statement, plan, tt.want)
		}
	}
}
