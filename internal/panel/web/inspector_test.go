package web_test

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/kube"
	"kubepanel.io/kubepanel/internal/kubetest"
	"kubepanel.io/kubepanel/internal/panel/paneltest"
	"kubepanel.io/kubepanel/internal/panel/web"
)

// strict is the cluster in memory, whose Domains a real API server looks at first.
type strict struct {
	*paneltest.Cluster

	api kube.Store
}

func (s strict) CreateDomain(ctx context.Context, d *v1alpha1.Domain, dryRun bool) error {
	if err := s.api.CreateDomain(ctx, d.DeepCopy(), true); err != nil {
		return err
	}
	return s.Cluster.CreateDomain(ctx, d, dryRun)
}

func (s strict) ChangeDomain(ctx context.Context, was, d *v1alpha1.Domain, dryRun bool) error {
	fresh := &v1alpha1.Domain{Spec: *d.Spec.DeepCopy()}
	fresh.Name = d.Name
	if err := s.api.CreateDomain(ctx, fresh, true); err != nil {
		return err
	}
	return s.Cluster.ChangeDomain(ctx, was, d, dryRun)
}

func apiServer(t *testing.T) kube.Store {
	t.Helper()
	c, err := kubetest.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Stop(); err != nil {
			t.Error(err)
		}
	})
	api, err := kube.NewStore(c.Config, "kubepanel-system")
	if err != nil {
		t.Fatal(err)
	}
	return api
}

// inspector is a town that tells whether anything in it has changed.
type inspector struct {
	*town

	api kube.Store
	// link is the code of an invitation that nobody has taken up.
	link   string
	routes *http.ServeMux
	db     *sql.DB
}

func newInspector(t *testing.T, api kube.Store) *inspector {
	t.Helper()
	w := &inspector{town: newTown(t, true), api: api, routes: http.NewServeMux()}
	w.rules.Panel.Writer = strict{w.cluster, api}
	w.cluster.Change("other.example", func(d *v1alpha1.Domain) {
		d.Spec.Workload = v1alpha1.WorkloadSpec{Type: "python", Version: "3.13", Port: 8000, ProxyMode: v1alpha1.ProxyHTTP}
	})
	for _, pattern := range slices.Concat(web.Actions(), prefixed("GET ", web.Pages()), prefixed("GET ", web.Open())) {
		w.routes.Handle(pattern, http.NotFoundHandler())
	}
	w.browser(customer).enrol("/account")
	w.halfway()
	var err error
	w.link, err = w.doors.InviteLink(t.Context(), w.boss, w.people[rival].ID)
	w.must(err)
	w.db, err = sql.Open("sqlite", "file:"+w.file+"?_pragma=busy_timeout(5000)")
	w.must(err)
	t.Cleanup(func() { w.db.Close() })
	return w
}

// halfway has collaborators sit where a sign-in goes on: the helper before a second factor
// that has to be, the viewer before a code that was mailed; the neighbour is signed in, but
// so long ago that the password is asked for once more.
func (w *inspector) halfway() {
	w.t.Helper()
	for _, seat := range []int{helper, viewer, neighbour} {
		w.in[seat] = w.nobody.another()
		w.in[seat].secured(w.people[seat].ID)
	}
	w.doors.SecondFactorFor = []hosting.Role{hosting.Collaborator}
	w.in[helper].signIn(w.people[helper].Email).leads(w.t, "/enrol?next=%2Fsites")
	w.doors.SecondFactorFor, w.doors.MailedCodes = nil, true
	w.in[viewer].signIn(w.people[viewer].Email).leads(w.t, "/sign-in/mailed?next=%2Fsites")
	w.mailed()
	w.doors.MailedCodes = false
	now := w.rules.Now
	w.rules.Now = func() time.Time { return now().Add(-time.Hour) }
	w.in[neighbour].signIn(w.people[neighbour].Email).leads(w.t, "/sites")
	w.rules.Now = now
}

func prefixed(by string, all []string) []string {
	for i := range all {
		all[i] = by + all[i]
	}
	return all
}

// passing are the tables that a refused request may write: who tried what, and who was seen.
var passing = []string{"tries", "sessions", "sample_turn", "samples", "sqlite_sequence", "trail_end"}

// lasting is what no refused request may write of the tables where it writes something:
// that a code was wrong is counted and noted.
var lasting = map[string]string{
	"trail":        `SELECT * FROM trail WHERE did <> 'sign-in.code-refused'`,
	"mailed_codes": `SELECT id, user_id, hash, expires_at FROM mailed_codes`,
}

// state is all that there is, a line for each row of the database and each Domain.
func (w *inspector) state() []string {
	w.t.Helper()
	ctx := w.t.Context()
	_, err := w.db.ExecContext(ctx, `DELETE FROM tries`) // they are not what is tried here
	w.must(err)
	var all []string
	for _, table := range w.list(`SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name`) {
		if !slices.Contains(passing, table) {
			for _, row := range w.list(cmp.Or(lasting[table], `SELECT * FROM `+table)) {
				all = append(all, table+" "+row)
			}
		}
	}
	domains, err := w.cluster.Domains(ctx)
	w.must(err)
	for i := range domains {
		all = append(all, fmt.Sprintf("%s %+v %v", domains[i].Name, domains[i].Spec, domains[i].DeletionTimestamp))
	}
	slices.Sort(all)
	return all
}

// list is what a query returns, a text for each row.
func (w *inspector) list(query string) []string {
	w.t.Helper()
	rows, err := w.db.QueryContext(w.t.Context(), query)
	w.must(err)
	defer rows.Close()
	names, err := rows.Columns()
	w.must(err)
	var all []string
	for rows.Next() {
		cells := make([]any, len(names))
		for i := range cells {
			cells[i] = new(any)
		}
		w.must(rows.Scan(cells...))
		var line []string
		for _, c := range cells {
			line = append(line, fmt.Sprint(*c.(*any)))
		}
		all = append(all, strings.Join(line, " "))
	}
	w.must(rows.Err())
	return all
}
