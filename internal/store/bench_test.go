package store_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/store"
	"kubepanel.io/kubepanel/internal/store/postgrestest"
)

// BenchmarkSiteList is what the database does for one page of 50 sites: whose session
// it is, the account, the page, and what its sites used lately.
func BenchmarkSiteList(b *testing.B) {
	for _, count := range []int{100, 1000, 10_000} {
		for _, role := range []hosting.Role{hosting.Administrator, hosting.Customer} {
			b.Run(fmt.Sprintf("%d sites, %s", count, role), func(b *testing.B) {
				db := manySites(b, count)
				q := hosting.SiteQuery{Limit: 50}
				if role == hosting.Customer {
					q.Owner = "user-7"
				}
				b.ResetTimer()
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						if _, err := db.Session(b.Context(), "session"); err != nil {
							b.Fatal(err)
						}
						if _, err := hosting.ActorOf(b.Context(), db, "user-7"); err != nil {
							b.Fatal(err)
						}
						sites, _, err := db.OwnedSites(b.Context(), q)
						if err != nil {
							b.Fatal(err)
						}
						names := make([]string, len(sites))
						for i := range sites {
							names[i] = sites[i].Name
						}
						uses, err := db.LastUses(b.Context(), names, hosting.SpanDay, clock.Add(-2*hosting.SpanDay.Long))
						if err != nil || len(uses) != len(sites) {
							b.Fatalf("LastUses of %d sites = %d, %v", len(sites), len(uses), err)
						}
					}
				})
			})
		}
	}
}

// manySites is a database with sites of 100 accounts, measured for two hours.
func manySites(b *testing.B, count int) *store.DB {
	b.Helper()
	ctx := b.Context()
	db, err := store.Open(ctx, "sqlite:"+filepath.Join(b.TempDir(), "panel.db"), store.Options{Keys: [][]byte{key(1)}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(db.Close)
	err = db.Write(ctx, func(tx hosting.Tx) error {
		for i := range 100 {
			id := hosting.ID(fmt.Sprintf("user-%d", i))
			if err := tx.InsertUser(ctx, &hosting.User{ID: id, Email: fmt.Sprintf("u%d@x.example", i), Name: "User", Role: hosting.Customer, CreatedAt: clock}); err != nil {
				return err
			}
		}
		for i := range count {
			name := fmt.Sprintf("site-%05d.example", i)
			s := &hosting.OwnedSite{Name: name, Object: name, Owner: hosting.ID(fmt.Sprintf("user-%d", i%100)), State: hosting.SiteOwned,
				Amounts: hosting.Amounts{hosting.Sites: 1, hosting.Storage: 5}, Names: []string{name}, CreatedAt: clock, ChangedAt: clock}
			if err := tx.InsertSite(ctx, s); err != nil {
				return err
			}
		}
		for i := range 24 {
			by := make(map[string]hosting.Sample, count)
			for site := range count {
				by[fmt.Sprintf("site-%05d.example", site)] = hosting.Sample{At: clock.Add(-time.Duration(i) * hosting.SpanDay.Long), Use: hosting.Use{CPU: 7, Memory: 64 << 20}}
			}
			if err := tx.AddSamples(ctx, hosting.SpanDay, by); err != nil {
				return err
			}
		}
		return tx.PutSession(ctx, &hosting.Session{ID: "session", User: "user-7", Data: []byte("data"), ExpiresAt: clock.AddDate(10, 0, 0)})
	})
	if err != nil {
		b.Fatal(err)
	}
	return db
}

// BenchmarkSettle is one turn of settling over sites that are as they should be.
func BenchmarkSettle(b *testing.B) {
	const count = 10_000
	b.Run("SQLite", func(b *testing.B) { benchmarkSettle(b, "sqlite:"+filepath.Join(b.TempDir(), "panel.db"), count) })
	b.Run("PostgreSQL", func(b *testing.B) {
		server, err := postgrestest.Start()
		if err != nil {
			b.Fatal(err)
		}
		defer server.Stop()
		address, err := server.Database(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		benchmarkSettle(b, address, count)
	})
}

func benchmarkSettle(b *testing.B, address string, count int) {
	b.Helper()
	ctx := b.Context()
	var statements, writes atomic.Int64
	db, err := store.Open(ctx, address, store.Options{Keys: [][]byte{key(1)}, Observe: func(s string) {
		statements.Add(1)
		if strings.HasPrefix(s, "UPDATE sites ") {
			writes.Add(1)
		}
	}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(db.Close)
	domains := &cluster{domains: map[string]v1alpha1.Domain{}}
	p := &hosting.Provider{Panel: &hosting.Panel{Domains: domains}, Store: db, Now: func() time.Time { return clock.Add(time.Hour) }}
	err = db.Write(ctx, func(tx hosting.Tx) error {
		if err := tx.InsertUser(ctx, &hosting.User{ID: "user", Email: "u@x.example", Name: "User", Role: hosting.Customer, CreatedAt: clock}); err != nil {
			return err
		}
		for i := range count {
			name := fmt.Sprintf("site-%05d.example", i)
			domains.domains[name] = v1alpha1.Domain{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.DomainSpec{DomainName: name, Aliases: []v1alpha1.DomainAlias{{Name: "shop-" + name}, {Name: "blog-" + name}}}}
			s := &hosting.OwnedSite{Name: name, Object: name, Owner: "user", State: hosting.SiteOwned, CreatedAt: clock, ChangedAt: clock,
				Names: []string{name, "www." + name, "shop-" + name, "blog-" + name}}
			if err := tx.InsertSite(ctx, s); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	if err := p.Settle(ctx); err != nil { // writes the amounts
		b.Fatal(err)
	}
	statements.Store(0)
	writes.Store(0)
	b.ReportAllocs()
	before := processor(b)
	for b.Loop() {
		if err := p.Settle(ctx); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric((processor(b)-before).Seconds()*1e3/float64(b.N), "cpu-ms/op")
	b.ReportMetric(float64(statements.Load())/float64(b.N), "statements/op")
	if writes.Load() > 0 {
		b.Errorf("%d sites were written that were as they should be", writes.Load())
	}
}

// processor is what this process used of the processor: unlike the time, other programs
// hardly change that.
func processor(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
