package store

import (
	"context"
	"database/sql"
	"strings"

	"kubepanel.io/kubepanel/internal/hosting"
)

// columns returns the columns of the resources, each after prefix; the text of a
// hosting.Resource is the name of its column.
func columns(prefix string) string {
	names := make([]string, 0, len(hosting.Resources()))
	for _, r := range hosting.Resources() {
		names = append(names, prefix+string(r))
	}
	return strings.Join(names, ", ")
}

// marks returns n placeholders.
func marks(n int) string { return strings.TrimSuffix(strings.Repeat("?, ", n), ", ") }

// settings returns the assignments of all columns of resources.
func settings() string { return strings.ReplaceAll(columns(""), ", ", " = ?, ") + " = ?" }

func scanPackage(row scanner) (hosting.Package, error) {
	p := hosting.Package{Quota: hosting.Quota{}}
	limits := make([]sql.NullInt64, len(hosting.Resources()))
	into := []any{&p.ID, &p.Name, &p.Reseller, &p.Users}
	for i := range limits {
		into = append(into, &limits[i])
	}
	err := row.Scan(into...)
	for i, r := range hosting.Resources() {
		if limits[i].Valid {
			p.Quota[r] = limits[i].Int64
		}
	}
	return p, err
}

func limitsOf(q hosting.Quota) []any {
	args := make([]any, 0, len(hosting.Resources()))
	for _, r := range hosting.Resources() {
		n, limited := q[r]
		args = append(args, sql.NullInt64{Int64: n, Valid: limited})
	}
	return args
}

func selectPackage() string {
	return `SELECT p.id, p.name, p.reseller_id, (SELECT COUNT(*) FROM users u WHERE u.package_id = p.id), ` + columns("p.") + ` FROM packages p `
}

// Package implements hosting.PackageReader.
func (q *queries) Package(ctx context.Context, id hosting.ID) (*hosting.Package, error) {
	p, err := one(ctx, q, scanPackage, selectPackage()+`WHERE p.id = ?`, id)
	return &p, answer("read a package", err)
}

// Packages implements hosting.PackageReader.
func (q *queries) Packages(ctx context.Context, reseller hosting.ID) ([]hosting.Package, error) {
	all, err := list(ctx, q, scanPackage, selectPackage()+`WHERE p.reseller_id = ? ORDER BY p.name`, reseller)
	return all, answer("list packages", err)
}

// InsertPackage implements hosting.PackageWriter.
func (q *queries) InsertPackage(ctx context.Context, p *hosting.Package) error {
	args := append([]any{p.ID, p.Name, p.Reseller}, limitsOf(p.Quota)...)
	return answer("insert a package", q.exec(ctx,
		`INSERT INTO packages (id, name, reseller_id, `+columns("")+`) VALUES (`+marks(len(args))+`)`, args...))
}

// UpdatePackage implements hosting.PackageWriter.
func (q *queries) UpdatePackage(ctx context.Context, p *hosting.Package) error {
	args := append([]any{p.Name}, limitsOf(p.Quota)...)
	return answer("change a package", q.change(ctx, `UPDATE packages SET name = ?, `+settings()+` WHERE id = ?`, append(args, p.ID)...))
}

// DeletePackage implements hosting.PackageWriter.
func (q *queries) DeletePackage(ctx context.Context, id hosting.ID) error {
	return answer("delete a package", q.change(ctx, `DELETE FROM packages WHERE id = ?`, id))
}
