package store_test

import (
	"bytes"
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"kubepanel.io/kubepanel/api/platform"
	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/store"
	"kubepanel.io/kubepanel/internal/store/postgrestest"
)

// server starts PostgreSQL with the first test that needs it.
var server = sync.OnceValues(postgrestest.Start)

func TestMain(m *testing.M) {
	code := m.Run()
	if s, err := server(); err == nil {
		s.Stop()
	}
	os.Exit(code)
}

func key(fill byte) []byte { return bytes.Repeat([]byte{fill}, 32) }

// onBoth runs a test on SQLite and on PostgreSQL, each on an empty database.
func onBoth(t *testing.T, test func(t *testing.T, address string)) {
	t.Helper()
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		test(t, "sqlite:"+filepath.Join(t.TempDir(), "panel.db"))
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		s, err := server()
		if err != nil {
			t.Fatal(err)
		}
		address, err := s.Database(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		test(t, address)
	})
}

func open(t *testing.T, address string) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), address, store.Options{Keys: [][]byte{key(1)}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	return db
}

// house is a provider on a real database and a cluster in memory.
type house struct {
	*hosting.Provider
	cluster *cluster
	boss    hosting.Actor
}

// clock is where every test's time begins.
var clock = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func newHouse(t *testing.T, address string) *house {
	t.Helper()
	db := open(t, address)
	c := newCluster(t)
	boss := &hosting.User{ID: hosting.NewID(), Email: "boss@provider.example", Name: "Boss", Role: hosting.Administrator, CreatedAt: clock}
	must(t, db.Write(t.Context(), func(tx hosting.Tx) error { return tx.InsertUser(t.Context(), boss) }))
	h := &house{cluster: c, boss: hosting.Actor{ID: boss.ID, Name: boss.Name, Role: boss.Role},
		Provider: &hosting.Provider{Panel: &hosting.Panel{Domains: c, Writer: c, Platform: c}, Store: db, Now: time.Now}}
	return h
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (h *house) pack(t *testing.T, a hosting.Actor, name string, q hosting.Quota) hosting.ID {
	t.Helper()
	p, err := h.CreatePackage(t.Context(), a, hosting.NewPackage{Name: name, Quota: q})
	must(t, err)
	return p.ID
}

func (h *house) user(t *testing.T, a hosting.Actor, email string, role hosting.Role, pack hosting.ID) hosting.Actor {
	t.Helper()
	u, err := h.CreateUser(t.Context(), a, hosting.NewUser{Email: email, Name: email, Role: role, Package: pack})
	must(t, err)
	return h.actor(t, u.ID)
}

func (h *house) actor(t *testing.T, id hosting.ID) hosting.Actor {
	t.Helper()
	a, err := hosting.ActorOf(t.Context(), h.Store, id)
	must(t, err)
	return a
}

// newSite is a request for a small site.
func newSite(name string) hosting.NewSite {
	return hosting.NewSite{Name: name, Storage: "5Gi", CPU: "500m", Memory: "512Mi"}
}

func (h *house) site(t *testing.T, a hosting.Actor, name string) {
	t.Helper()
	_, err := h.CreateSite(t.Context(), a, "", newSite(name), false)
	must(t, err)
}

// cluster keeps Domains in memory, as the API server would.
type cluster struct {
	mu       sync.Mutex
	domains  map[string]v1alpha1.Domain
	settings *platform.Settings
	// down is what every call answers while it is set.
	down error
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	data, err := os.ReadFile("../../api/platform/testdata/platform.yaml")
	must(t, err)
	settings, err := platform.Parse(data)
	must(t, err)
	return &cluster{domains: map[string]v1alpha1.Domain{}, settings: settings}
}

func (c *cluster) set(down error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.down = down
}

func (c *cluster) Domain(_ context.Context, object string) (*v1alpha1.Domain, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	d, ok := c.domains[object]
	if c.down != nil {
		return nil, c.down
	}
	if !ok {
		return nil, &hosting.Error{Code: hosting.NotFound}
	}
	return d.DeepCopy(), nil
}

func (c *cluster) Domains(context.Context) ([]v1alpha1.Domain, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make([]v1alpha1.Domain, 0, len(c.domains))
	for _, d := range c.domains {
		all = append(all, *d.DeepCopy())
	}
	return all, c.down
}

func (c *cluster) CreateDomain(_ context.Context, d *v1alpha1.Domain, dryRun bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.domains[d.Name]; ok {
		return &hosting.Error{Code: hosting.Conflict}
	}
	if !dryRun && c.down == nil {
		c.domains[d.Name] = *d.DeepCopy()
	}
	return c.down
}

func (c *cluster) ChangeDomain(_ context.Context, _, d *v1alpha1.Domain, dryRun bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !dryRun && c.down == nil {
		c.domains[d.Name] = *d.DeepCopy()
	}
	return c.down
}

func (c *cluster) DeleteDomain(_ context.Context, d *v1alpha1.Domain, dryRun bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !dryRun && c.down == nil {
		delete(c.domains, d.Name)
	}
	return c.down
}

func (c *cluster) Settings(context.Context) (*platform.Settings, error) { return c.settings, nil }

func (c *cluster) Secret(context.Context, string, string) (map[string][]byte, error) {
	return map[string][]byte{"password": []byte("secret")}, nil
}

// execRaw writes past the panel.
func execRaw(t *testing.T, address, statement string) {
	t.Helper()
	driver, source := "pgx", address
	if path, ok := strings.CutPrefix(address, "sqlite:"); ok {
		driver, source = "sqlite", path
	}
	db, err := sql.Open(driver, source)
	must(t, err)
	defer db.Close() // the statement answered
	if _, err := db.ExecContext(t.Context(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}
