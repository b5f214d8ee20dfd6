package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"strings"

	"kubepanel.io/kubepanel/internal/hosting"
)

const selectUser = `SELECT u.id, u.email, u.name, u.role, u.reseller_id, u.package_id, u.suspended, u.created_at,
	COALESCE(r.suspended, 0), COALESCE(p.name, ''), (SELECT COUNT(*) FROM sites s WHERE s.owner_id = u.id)
	FROM users u LEFT JOIN users r ON r.id = u.reseller_id LEFT JOIN packages p ON p.id = u.package_id `

func scanUser(row scanner) (hosting.User, error) {
	var u hosting.User
	var reseller, pack sql.NullString
	var created int64
	err := row.Scan(&u.ID, &u.Email, &u.Name, &u.Role, &reseller, &pack, &u.Suspended, &created,
		&u.ResellerSuspended, &u.PackageName, &u.Sites)
	u.Reseller, u.Package, u.CreatedAt = hosting.ID(reseller.String), hosting.ID(pack.String), moment(created)
	return u, err
}

// User implements hosting.UserReader.
func (q *queries) User(ctx context.Context, id hosting.ID) (*hosting.User, error) {
	u, err := one(ctx, q, scanUser, selectUser+`WHERE u.id = ?`, id)
	return &u, answer("read an account", err)
}

// UserByEmail implements hosting.UserReader.
func (q *queries) UserByEmail(ctx context.Context, email string) (*hosting.User, error) {
	u, err := one(ctx, q, scanUser, selectUser+`WHERE u.email = ?`, email)
	return &u, answer("read an account", err)
}

// Users implements hosting.UserReader.
func (q *queries) Users(ctx context.Context, query hosting.UserQuery) ([]hosting.User, int64, error) {
	w := where{}
	if query.Search != "" {
		like := contains(query.Search)
		w.and(`(u.email LIKE ? ESCAPE '!' OR LOWER(u.name) LIKE ? ESCAPE '!')`, like, like)
	}
	if query.Role != "" {
		w.and(`u.role = ?`, query.Role)
	}
	if query.Reseller != "" {
		w.and(`(u.reseller_id = ? OR u.id = ?)`, query.Reseller, query.Reseller)
	}
	if query.Only != "" {
		w.and(`u.id = ?`, query.Only)
	}
	total, err := q.number(ctx, `SELECT COUNT(*) FROM users u `+w.String(), w.args...)
	if err != nil {
		return nil, 0, answer("count accounts", err)
	}
	if query.After != "" {
		w.and(`u.email > ?`, query.After)
	}
	users, err := list(ctx, q, scanUser, selectUser+w.String()+` ORDER BY u.email LIMIT ?`, append(w.args, query.Limit+1)...)
	return users, total, answer("list accounts", err)
}

// UsersOfPackage implements hosting.UserReader.
func (q *queries) UsersOfPackage(ctx context.Context, id hosting.ID) ([]hosting.User, error) {
	users, err := list(ctx, q, scanUser, selectUser+`WHERE u.package_id = ? ORDER BY u.email`, id)
	return users, answer("list accounts of a package", err)
}

// InsertUser implements hosting.UserWriter.
func (q *queries) InsertUser(ctx context.Context, u *hosting.User) error {
	return answer("insert an account", q.exec(ctx,
		`INSERT INTO users (id, email, name, role, reseller_id, package_id, suspended, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		u.ID, u.Email, u.Name, u.Role, null(u.Reseller), null(u.Package), truth(u.Suspended), micros(u.CreatedAt)))
}

// UpdateUser implements hosting.UserWriter.
func (q *queries) UpdateUser(ctx context.Context, u *hosting.User) error {
	return answer("change an account", q.change(ctx,
		`UPDATE users SET email = ?, name = ?, role = ?, reseller_id = ?, package_id = ?, suspended = ? WHERE id = ?`,
		u.Email, u.Name, u.Role, null(u.Reseller), null(u.Package), truth(u.Suspended), u.ID))
}

// DeleteUser implements hosting.UserWriter. Sites and customers are kept from being
// orphaned by their foreign keys; packages have none.
func (q *queries) DeleteUser(ctx context.Context, id hosting.ID) error {
	n, err := q.number(ctx, `SELECT COUNT(*) FROM packages WHERE reseller_id = ?`, id)
	if err != nil {
		return answer("count packages", err)
	}
	if n > 0 {
		return &hosting.Error{Code: hosting.Conflict, Message: "The account has packages."}
	}
	return answer("delete an account", q.change(ctx, `DELETE FROM users WHERE id = ?`, id))
}

func scanGrant(row scanner) (hosting.Grant, error) {
	var g hosting.Grant
	var rights string
	if err := row.Scan(&g.Customer, &g.Site, &rights); err != nil {
		return g, err
	}
	return g, json.Unmarshal([]byte(rights), &g.Rights)
}

// Grants implements hosting.UserReader. Those of customers that are suspended rest.
func (q *queries) Grants(ctx context.Context, collaborator hosting.ID) ([]hosting.Grant, error) {
	grants, err := list(ctx, q, scanGrant, `SELECT g.customer_id, g.site, g.rights FROM grants g
		JOIN users c ON c.id = g.customer_id LEFT JOIN users r ON r.id = c.reseller_id
		WHERE g.collaborator_id = ? AND c.suspended = 0 AND COALESCE(r.suspended, 0) = 0 ORDER BY g.customer_id, g.site`, collaborator)
	return grants, answer("read grants", err)
}

// GrantsOn implements hosting.UserReader.
func (q *queries) GrantsOn(ctx context.Context, customer hosting.ID) ([]hosting.GrantedUser, error) {
	all, err := list(ctx, q, func(row scanner) (hosting.GrantedUser, error) {
		g := hosting.GrantedUser{Grant: hosting.Grant{Customer: customer}}
		var rights string
		var created int64
		err := row.Scan(&g.User.ID, &g.User.Email, &g.User.Name, &g.User.Role, &g.User.Suspended, &created, &g.Grant.Site, &rights)
		if err != nil {
			return g, err
		}
		g.User.CreatedAt = moment(created)
		return g, json.Unmarshal([]byte(rights), &g.Grant.Rights)
	}, `SELECT u.id, u.email, u.name, u.role, u.suspended, u.created_at, g.site, g.rights FROM grants g
		JOIN users u ON u.id = g.collaborator_id WHERE g.customer_id = ? ORDER BY u.email, g.site`, customer)
	return all, answer("read grants", err)
}

// SetGrant implements hosting.UserWriter.
func (q *queries) SetGrant(ctx context.Context, collaborator hosting.ID, g hosting.Grant) error {
	err := q.exec(ctx, `DELETE FROM grants WHERE collaborator_id = ? AND customer_id = ? AND site = ?`, collaborator, g.Customer, g.Site)
	if err != nil || len(g.Rights) == 0 {
		return answer("take a grant away", err)
	}
	rights, err := json.Marshal(g.Rights)
	if err != nil {
		return err
	}
	return answer("write a grant", q.exec(ctx, `INSERT INTO grants (collaborator_id, customer_id, site, rights) VALUES (?, ?, ?, ?)`,
		collaborator, g.Customer, g.Site, string(rights)))
}

// where collects conditions that all have to hold.
type where struct {
	parts []string
	args  []any
}

func (w *where) and(condition string, args ...any) {
	w.parts = append(w.parts, condition)
	w.args = append(w.args, args...)
}

// join takes the conditions of another.
func (w *where) join(more where) {
	w.parts, w.args = append(w.parts, more.parts...), append(w.args, more.args...)
}

func (w *where) String() string {
	if len(w.parts) == 0 {
		return ""
	}
	return "WHERE " + strings.Join(w.parts, " AND ")
}

// contains is a LIKE pattern for text that holds what was searched for, in lower
// case; the wildcards in it stand for themselves, with ! before them.
func contains(search string) string {
	return "%" + strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(strings.ToLower(search)) + "%"
}
