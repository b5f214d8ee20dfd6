package store

import (
	"context"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
)

// SiteSweep implements hosting.SweepReader.
func (q *queries) SiteSweep(ctx context.Context, site string) (*hosting.SiteSweep, error) {
	s, err := one(ctx, q, func(row scanner) (hosting.SiteSweep, error) {
		s := hosting.SiteSweep{Site: site}
		var leased, next, whole, ended int64
		err := row.Scan(&s.Holder, &leased, &next, &s.Since, &s.Began, &s.After, &s.Tries, &s.Whole, &s.Asked, &whole, &s.Signatures, &ended,
			&s.Looked, &s.Found, &s.Skipped, &s.Fault)
		s.Leased, s.NextAt, s.WholeAt, s.EndedAt = moment(leased), moment(next), moment(whole), moment(ended)
		return s, err
	}, `SELECT holder, leased, next_at, since, began, after, tries, whole, asked, whole_at, signatures, ended_at, looked, found, skipped, fault
		FROM sweeps WHERE site = ?`, site)
	err = answer("read how far a site was looked through", err)
	if hosting.CodeOf(err) == hosting.NotFound {
		return &hosting.SiteSweep{Site: site}, nil
	}
	return &s, err
}

// DueSweeps implements hosting.SweepReader. A site that was never looked at comes first.
func (q *queries) DueSweeps(ctx context.Context, at time.Time, limit int) ([]string, error) {
	names, err := list(ctx, q, func(row scanner) (name string, err error) { return name, row.Scan(&name) },
		`SELECT s.name FROM sites s LEFT JOIN sweeps w ON w.site = s.name
		WHERE s.state = ? AND (w.site IS NULL OR w.next_at <= ? AND w.leased < ?) ORDER BY COALESCE(w.next_at, 0), s.name LIMIT ?`,
		hosting.SiteOwned, micros(at), micros(at), limit)
	return names, answer("list sites to look through", err)
}

// Sweeping implements hosting.SweepReader.
func (q *queries) Sweeping(ctx context.Context, at time.Time) (int64, error) {
	n, err := q.number(ctx, `SELECT COUNT(*) FROM sweeps WHERE leased >= ?`, micros(at))
	return n, answer("count sites that are looked through", err)
}

// SweepsBehind implements hosting.SweepReader.
func (q *queries) SweepsBehind(ctx context.Context, since time.Time) (int64, error) {
	n, err := q.number(ctx, `SELECT COUNT(*) FROM sites s LEFT JOIN sweeps w ON w.site = s.name
		WHERE s.state = ? AND COALESCE(w.next_at, s.created_at) < ?`, hosting.SiteOwned, micros(since))
	return n, answer("count sites that were not looked through", err)
}

// PutSweep implements hosting.SweepWriter.
func (q *queries) PutSweep(ctx context.Context, s *hosting.SiteSweep) error {
	after := s.After
	if after == nil {
		after = []byte{}
	}
	return answer("write how far a site was looked through", q.exec(ctx, `INSERT INTO sweeps
		(site, holder, leased, next_at, since, began, after, tries, whole, asked, whole_at, signatures, ended_at, looked, found, skipped, fault)
		VALUES (`+marks(17)+`) ON CONFLICT (site) DO UPDATE SET holder = excluded.holder, leased = excluded.leased, next_at = excluded.next_at,
		since = excluded.since, began = excluded.began, after = excluded.after, tries = excluded.tries, whole = excluded.whole, asked = excluded.asked,
		whole_at = excluded.whole_at, signatures = excluded.signatures, ended_at = excluded.ended_at, looked = excluded.looked, found = excluded.found,
		skipped = excluded.skipped, fault = excluded.fault`,
		s.Site, s.Holder, micros(s.Leased), micros(s.NextAt), s.Since, s.Began, after, s.Tries, truth(s.Whole), truth(s.Asked), micros(s.WholeAt),
		s.Signatures, micros(s.EndedAt), s.Looked, s.Found, s.Skipped, s.Fault))
}

const selectFinding = `SELECT id, site, path, found, sum, size, mode, inode, changed, state, fault, found_at, until_at FROM findings `

func scanFinding(row scanner) (hosting.Finding, error) {
	var f hosting.Finding
	var inode, found, until int64
	err := row.Scan(&f.ID, &f.Site, &f.Path, &f.Found, &f.Sum, &f.Mark.Size, &f.Mode, &inode, &f.Mark.Changed, &f.State, &f.Fault, &found, &until)
	f.Mark.Inode, f.FoundAt, f.Until = uint64(inode), moment(found), moment(until)
	return f, err
}

// Finding implements hosting.SweepReader.
func (q *queries) Finding(ctx context.Context, site string, id hosting.ID) (*hosting.Finding, error) {
	f, err := one(ctx, q, scanFinding, selectFinding+`WHERE site = ? AND id = ?`, site, id)
	return &f, answer("read what was found", err)
}

// Findings implements hosting.SweepReader.
func (q *queries) Findings(ctx context.Context, by hosting.FindingQuery) ([]hosting.Finding, error) {
	w := where{}
	w.and(`site = ?`, by.Site)
	if by.State != "" {
		w.and(`state = ?`, by.State)
	}
	if by.After != "" {
		w.and(`id < ?`, by.After)
	}
	// Their ids begin with when they were made (RFC 9562 section 5.7).
	all, err := list(ctx, q, scanFinding, selectFinding+w.String()+` ORDER BY id DESC LIMIT ?`, append(w.args, by.Limit)...)
	return all, answer("list what was found", err)
}

// Exempt implements hosting.SweepReader.
func (q *queries) Exempt(ctx context.Context, site, sum string) (bool, error) {
	n, err := q.number(ctx, `SELECT COUNT(*) FROM findings WHERE site = ? AND state = ? AND sum = ?`, site, hosting.FindingRestored, sum)
	return n > 0, answer("read what was restored", err)
}

// CountFindings implements hosting.SweepReader.
func (q *queries) CountFindings(ctx context.Context, sites []string) (map[string]int64, error) {
	by := map[string]int64{}
	if len(sites) == 0 {
		return by, nil
	}
	args := []any{hosting.FindingRestored}
	for _, site := range sites {
		args = append(args, site)
	}
	_, err := list(ctx, q, func(row scanner) (none struct{}, err error) {
		var site string
		var n int64
		err = row.Scan(&site, &n)
		by[site] = n
		return none, err
	}, `SELECT site, COUNT(*) FROM findings WHERE state <> ? AND site IN (`+marks(len(sites))+`) GROUP BY site`, args...)
	return by, answer("count what was found", err)
}

// InsertFinding implements hosting.SweepWriter.
func (q *queries) InsertFinding(ctx context.Context, f *hosting.Finding) error {
	return answer("keep what was found", q.exec(ctx,
		`INSERT INTO findings (id, site, path, found, sum, size, mode, inode, changed, state, fault, found_at, until_at) VALUES (`+marks(13)+`)`,
		f.ID, f.Site, f.Path, f.Found, f.Sum, f.Mark.Size, int64(f.Mode), int64(f.Mark.Inode), f.Mark.Changed, f.State, f.Fault, micros(f.FoundAt), micros(f.Until)))
}

// UpdateFinding implements hosting.SweepWriter.
func (q *queries) UpdateFinding(ctx context.Context, f *hosting.Finding) error {
	return answer("change what was found", q.change(ctx, `UPDATE findings SET state = ?, fault = ?, until_at = ? WHERE id = ?`, f.State, f.Fault, micros(f.Until), f.ID))
}

// DeleteFinding implements hosting.SweepWriter.
func (q *queries) DeleteFinding(ctx context.Context, id hosting.ID) error {
	return answer("forget what was found", q.exec(ctx, `DELETE FROM findings WHERE id = ?`, id))
}

// ExpireFindings implements hosting.SweepWriter.
func (q *queries) ExpireFindings(ctx context.Context, site string, now time.Time) error {
	return answer("forget what was removed", q.exec(ctx, `DELETE FROM findings WHERE site = ? AND state = ? AND until_at > 0 AND until_at < ?`,
		site, hosting.FindingQuarantined, micros(now)))
}
