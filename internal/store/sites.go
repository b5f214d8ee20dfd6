package store

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
)

// siteRows reads rows of sites, with what counts against their owner's package or
// without. All are read into the same places, since a list is long.
type siteRows struct {
	site             hosting.OwnedSite
	reseller         sql.NullString
	created, changed int64
	written          int64
	amounts          amountsRow
	into             []any
}

func newSiteRows(counted bool) *siteRows {
	r := &siteRows{}
	s := &r.site
	r.into = []any{&s.Name, &s.Object, (*string)(&s.Owner), (*string)(&s.State), &s.Held, &s.Suspended, &r.created, &r.changed,
		&s.Written.Version, &r.written, &s.OwnerName, &r.reseller, &s.OwnerSuspended}
	if counted {
		r.amounts = make(amountsRow, len(hosting.Resources()))
		r.into = r.amounts.appendTo(append(r.into, &s.NamesSum))
	}
	return r
}

// query is the statement that it reads, without its end.
func (r *siteRows) query() string {
	counted := ""
	if r.amounts != nil {
		counted = ", s.names_sum, " + columns("s.")
	}
	return `SELECT s.name, s.object, s.owner_id, s.state, s.held, s.suspended, s.created_at, s.changed_at, s.written, s.written_at,
	u.name, u.reseller_id, CASE WHEN u.suspended = 1 OR COALESCE(r.suspended, 0) = 1 THEN 1 ELSE 0 END` + counted + `
	FROM sites s JOIN users u ON u.id = s.owner_id LEFT JOIN users r ON r.id = u.reseller_id `
}

func (r *siteRows) scan(row scanner) (hosting.OwnedSite, error) {
	err := row.Scan(r.into...)
	s := r.site
	s.Reseller, s.CreatedAt, s.ChangedAt = hosting.ID(r.reseller.String), moment(r.created), moment(r.changed)
	if s.Written.Version != "" {
		s.Written.At = moment(r.written)
	}
	if r.amounts != nil {
		s.Amounts = r.amounts.value()
	}
	return s, err
}

// amountsRow is where the columns of all resources are read into.
type amountsRow []int64

func (r amountsRow) appendTo(into []any) []any {
	for i := range r {
		into = append(into, &r[i])
	}
	return into
}

func (r amountsRow) value() hosting.Amounts {
	a := hosting.Amounts{}
	for i, resource := range hosting.Resources() {
		if r[i] != 0 {
			a[resource] = r[i]
		}
	}
	return a
}

func amountsOf(a hosting.Amounts) []any {
	args := make([]any, 0, len(hosting.Resources()))
	for _, r := range hosting.Resources() {
		args = append(args, a[r])
	}
	return args
}

// OwnedSite implements hosting.SiteReader.
func (q *queries) OwnedSite(ctx context.Context, name string) (*hosting.OwnedSite, error) {
	rows := newSiteRows(true)
	s, err := one(ctx, q, rows.scan, rows.query()+`WHERE s.name = ?`, name)
	return &s, answer("read whose a site is", err)
}

// OwnedSites implements hosting.SiteReader.
func (q *queries) OwnedSites(ctx context.Context, query hosting.SiteQuery) ([]hosting.OwnedSite, int64, error) {
	w := where{}
	if query.Search != "" {
		w.and(`s.name LIKE ? ESCAPE '!'`, contains(query.Search))
	}
	if query.Owner != "" {
		w.and(`s.owner_id = ?`, query.Owner)
	}
	if query.Reseller != "" {
		w.and(`(s.owner_id = ? OR s.owner_id IN (SELECT id FROM users WHERE reseller_id = ?))`, query.Reseller, query.Reseller)
	}
	if query.Narrowed {
		granted(&w, query.Granted)
	}
	total, err := q.number(ctx, `SELECT COUNT(*) FROM sites s `+w.String(), w.args...)
	if err != nil {
		return nil, 0, answer("count sites", err)
	}
	if query.After != "" {
		w.and(`s.name > ?`, query.After)
	}
	rows := newSiteRows(!query.Brief)
	sites := make([]hosting.OwnedSite, 0, min(int64(query.Limit)+1, total))
	_, err = list(ctx, q, func(row scanner) (none struct{}, err error) {
		s, err := rows.scan(row)
		sites = append(sites, s)
		return none, err
	}, rows.query()+w.String()+` ORDER BY s.name LIMIT ?`, append(w.args, query.Limit+1)...)
	return sites, total, answer("list sites", err)
}

// granted narrows to sites that grants name.
func granted(w *where, grants []hosting.Grant) {
	any := where{}
	for _, g := range grants {
		if g.Site == "" {
			any.and(`s.owner_id = ?`, g.Customer)
		} else {
			any.and(`(s.owner_id = ? AND s.name = ?)`, g.Customer, g.Site)
		}
	}
	if len(any.parts) == 0 {
		any.and(`1 = 0`)
	}
	w.and(`(`+strings.Join(any.parts, " OR ")+`)`, any.args...)
}

// SiteNames implements hosting.SiteReader.
func (q *queries) SiteNames(ctx context.Context, site string) ([]string, error) {
	names, err := list(ctx, q, func(row scanner) (name string, err error) { return name, row.Scan(&name) },
		`SELECT name FROM site_names WHERE site = ? ORDER BY name`, site)
	return names, answer("read a site's names", err)
}

// NameOwners implements hosting.SiteReader.
func (q *queries) NameOwners(ctx context.Context, names []string) (map[string]hosting.OwnedSite, error) {
	owners := map[string]hosting.OwnedSite{}
	if len(names) == 0 {
		return owners, nil
	}
	args := make([]any, 0, len(names))
	for _, n := range names {
		args = append(args, n)
	}
	_, err := list(ctx, q, func(row scanner) (none struct{}, err error) {
		var name string
		var s hosting.OwnedSite
		err = row.Scan(&name, &s.Name, &s.Owner)
		owners[name] = s
		return none, err
	}, `SELECT n.name, s.name, s.owner_id FROM site_names n JOIN sites s ON s.name = n.site WHERE n.name IN (`+marks(len(names))+`)`, args...)
	return owners, answer("read whose names are", err)
}

// UsedBy implements hosting.SiteReader.
func (q *queries) UsedBy(ctx context.Context, owner hosting.ID, customers bool) (hosting.Amounts, error) {
	sums := make([]string, 0, len(hosting.Resources()))
	for _, r := range hosting.Resources() {
		// PostgreSQL's sum of BIGINT is NUMERIC.
		sums = append(sums, `CAST(COALESCE(SUM(s.`+string(r)+`), 0) AS BIGINT)`)
	}
	statement, args := `SELECT `+strings.Join(sums, ", ")+` FROM sites s WHERE s.owner_id = ?`, []any{owner}
	if customers {
		statement, args = statement+` OR s.owner_id IN (SELECT id FROM users WHERE reseller_id = ?)`, append(args, owner)
	}
	used, err := one(ctx, q, func(row scanner) (hosting.Amounts, error) {
		sums := make(amountsRow, len(hosting.Resources()))
		err := row.Scan(sums.appendTo(nil)...)
		return sums.value(), err
	}, statement, args...)
	return used, answer("sum what is used", err)
}

// Unsettled implements hosting.SiteReader.
func (q *queries) Unsettled(ctx context.Context, since time.Time) ([]hosting.OwnedSite, error) {
	rows := newSiteRows(true)
	sites, err := list(ctx, q, rows.scan, rows.query()+`WHERE s.changed_at < ? OR s.state = ? OR s.held = 1 OR u.suspended = 1 OR r.suspended = 1
		ORDER BY s.name`, micros(since), hosting.SiteDeleting)
	return sites, answer("list sites to settle", err)
}

// InsertSite implements hosting.SiteWriter.
func (q *queries) InsertSite(ctx context.Context, s *hosting.OwnedSite) error {
	args := append([]any{s.Name, s.Object, s.Owner, s.State, truth(s.Held), truth(s.Suspended), micros(s.CreatedAt), micros(s.ChangedAt), hosting.SumOfNames(s.Names)},
		amountsOf(s.Amounts)...)
	err := q.exec(ctx, `INSERT INTO sites (name, object, owner_id, state, held, suspended, created_at, changed_at, names_sum, `+columns("")+
		`) VALUES (`+marks(len(args))+`)`, args...)
	if err != nil {
		return answer("insert a site", err)
	}
	return q.takeNames(ctx, s)
}

func (q *queries) takeNames(ctx context.Context, s *hosting.OwnedSite) error {
	for _, name := range s.Names {
		if err := q.exec(ctx, `INSERT INTO site_names (name, site) VALUES (?, ?)`, name, s.Name); err != nil {
			return answer("take a name", err)
		}
	}
	return nil
}

// UpdateSite implements hosting.SiteWriter.
func (q *queries) UpdateSite(ctx context.Context, s *hosting.OwnedSite) error {
	args := append([]any{s.Owner, s.State, truth(s.Held), truth(s.Suspended), micros(s.ChangedAt)}, amountsOf(s.Amounts)...)
	set := settings()
	if s.Names != nil {
		set, args = set+", names_sum = ?", append(args, hosting.SumOfNames(s.Names))
	}
	err := q.change(ctx, `UPDATE sites SET owner_id = ?, state = ?, held = ?, suspended = ?, changed_at = ?, `+set+` WHERE name = ?`, append(args, s.Name)...)
	if err != nil || s.Names == nil {
		return answer("change a site", err)
	}
	if err := q.exec(ctx, `DELETE FROM site_names WHERE site = ?`, s.Name); err != nil {
		return answer("free names", err)
	}
	return q.takeNames(ctx, s)
}

// NoteVersion implements hosting.SiteWriter.
func (q *queries) NoteVersion(ctx context.Context, name string, w hosting.Written) error {
	return answer("note a site's version", q.exec(ctx, `UPDATE sites SET written = ?, written_at = ? WHERE name = ?`, w.Version, micros(w.At), name))
}

// DeleteSite implements hosting.SiteWriter.
func (q *queries) DeleteSite(ctx context.Context, name string) error {
	return answer("forget a site", q.exec(ctx, `DELETE FROM sites WHERE name = ?`, name))
}
