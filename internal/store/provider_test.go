package store_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/store"
)

func TestCustomerMakesSitesUntilThePackageIsFull(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		h := newHouse(t, address)
		jo := h.user(t, h.boss, "jo@shop.example", hosting.Customer, h.pack(t, h.boss, "Small", hosting.Quota{hosting.Sites: 2, hosting.Storage: 10}))
		h.site(t, jo, "a.example")
		h.site(t, jo, "b.example")
		_, err := h.CreateSite(t.Context(), jo, "", newSite("c.example"), false)
		if got := hosting.CodeOf(err); err == nil || got != hosting.OverQuota {
			t.Fatalf("CreateSite(third of two) = %v, want %s", err, hosting.OverQuota)
		}
		if e, _ := errors.AsType[*hosting.Error](err); len(e.Fields) != 2 { // sites and storage
			t.Errorf("faults = %q, want one of sites and one of storage", e.Fields)
		}
		if _, ok := h.cluster.domains["c.example"]; ok {
			t.Error("the refused site is in the cluster")
		}
		must(t, h.DeleteSite(t.Context(), jo, "a.example"))
		must(t, h.Settle(t.Context())) // the cluster has it no more
		h.site(t, jo, "c.example")
		lines, err := h.Usage(t.Context(), jo, jo.ID)
		must(t, err)
		if l := lines[0]; l.Resource != hosting.Sites || l.Used != 2 || *l.Limit != 2 {
			t.Errorf("Usage = %+v, want 2 of 2 sites first", l)
		}
	})
}

// Sixteen requests at once, half of them to another panel on the same database, for
// three places of a package.
func TestConcurrentRequestsDoNotExceedAPackage(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		h := newHouse(t, address)
		jo := h.user(t, h.boss, "jo@shop.example", hosting.Customer, h.pack(t, h.boss, "Small", hosting.Quota{hosting.Sites: 3}))
		other := &hosting.Provider{Panel: h.Panel, Store: open(t, address), Now: time.Now}
		errs := make([]error, 16)
		var all sync.WaitGroup
		for i := range errs {
			panel := []*hosting.Provider{h.Provider, other}[i%2]
			all.Go(func() {
				_, errs[i] = panel.CreateSite(t.Context(), jo, "", newSite(fmt.Sprintf("s%d.example", i)), false)
			})
		}
		all.Wait()
		made := 0
		for _, err := range errs {
			if err == nil {
				made++
			} else if hosting.CodeOf(err) != hosting.OverQuota {
				t.Errorf("CreateSite = %v, want success or %s", err, hosting.OverQuota)
			}
		}
		if made != 3 || len(h.cluster.domains) != 3 {
			t.Errorf("%d of 16 requests made a site, %d in the cluster; want 3", made, len(h.cluster.domains))
		}
		if n, err := hosting.VerifyTrail(t.Context(), h.Store); err != nil {
			t.Errorf("VerifyTrail after %d entries = %v", n, err)
		}
	})
}

func TestNamesBelongToOneAccount(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		h := newHouse(t, address)
		pack := h.pack(t, h.boss, "Any", nil)
		jo, eve := h.user(t, h.boss, "jo@shop.example", hosting.Customer, pack), h.user(t, h.boss, "eve@evil.example", hosting.Customer, pack)
		h.site(t, jo, "shop.example")
		for _, name := range []string{"shop.example", "www.shop.example", "evil.shop.example"} {
			if _, err := h.CreateSite(t.Context(), eve, "", newSite(name), false); err == nil || hosting.CodeOf(err) != hosting.Conflict {
				t.Errorf("CreateSite(%s) by another = %v, want %s", name, err, hosting.Conflict)
			}
		}
		h.site(t, jo, "blog.shop.example")
		for name, do := range map[string]func() error{
			"Site": func() error { _, err := h.Site(t.Context(), eve, "shop.example"); return err },
			"ChangeSite": func() error {
				_, _, err := h.ChangeSite(t.Context(), eve, "shop.example", hosting.SiteChange{}, false)
				return err
			},
			"DeleteSite": func() error { return h.DeleteSite(t.Context(), eve, "shop.example") },
			"Password": func() error {
				_, err := h.Password(t.Context(), eve, "shop.example", hosting.ForSFTP)
				return err
			},
			"CreateSite": func() error {
				_, err := h.CreateSite(t.Context(), eve, jo.ID, newSite("new.example"), false)
				return err
			},
		} {
			if err := do(); err == nil || hosting.CodeOf(err) != hosting.NotFound {
				t.Errorf("%s of another's site = %v, want %s", name, err, hosting.NotFound)
			}
		}
		got, err := h.Sites(t.Context(), eve, hosting.SiteQuery{})
		must(t, err)
		if len(got.Items) != 0 || got.Total != 0 {
			t.Errorf("Sites(another) = %v, want none", got)
		}
	})
}

func TestSuspendedCustomersSitesRestAndComeBackAsTheyWere(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		h := newHouse(t, address)
		seller := h.user(t, h.boss, "seller@sells.example", hosting.Reseller, h.pack(t, h.boss, "Big", nil))
		jo := h.user(t, seller, "jo@shop.example", hosting.Customer, h.pack(t, seller, "Small", nil))
		h.site(t, jo, "on.example")
		h.site(t, jo, "off.example")
		off := true
		_, _, err := h.ChangeSite(t.Context(), jo, "off.example", hosting.SiteChange{Suspended: &off}, false)
		must(t, err)
		suspended := func() []bool {
			return []bool{h.cluster.domains["on.example"].Spec.Suspended, h.cluster.domains["off.example"].Spec.Suspended}
		}
		must(t, h.SuspendUser(t.Context(), h.boss, seller.ID, true))
		if got := suspended(); !slices.Equal(got, []bool{true, true}) {
			t.Errorf("suspended = %v while the reseller is, want both", got)
		}
		if _, err := hosting.ActorOf(t.Context(), h.Store, jo.ID); hosting.CodeOf(err) != hosting.Forbidden || err == nil {
			t.Errorf("ActorOf(customer of a suspended reseller) = %v, want %s", err, hosting.Forbidden)
		}
		// The cluster is away when the account may go on: the next Settle mends it.
		h.cluster.set(&hosting.Error{Code: hosting.Unreachable})
		if err := h.SuspendUser(t.Context(), h.boss, seller.ID, false); hosting.CodeOf(err) != hosting.Internal && hosting.CodeOf(err) != hosting.Unreachable {
			t.Errorf("SuspendUser while the cluster is away = %v, want %s", err, hosting.Unreachable)
		}
		h.cluster.set(nil)
		must(t, h.Settle(t.Context()))
		if got := suspended(); !slices.Equal(got, []bool{false, true}) {
			t.Errorf("suspended = %v afterwards, want only the one that was before", got)
		}
	})
}

// The answer of the cluster never came; whether the site is there is found out later.
func TestSettleFindsOutWhatACrashLeft(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		h := newHouse(t, address)
		jo := h.user(t, h.boss, "jo@shop.example", hosting.Customer, h.pack(t, h.boss, "Two", hosting.Quota{hosting.Sites: 2}))
		h.Panel.Writer = &losing{cluster: h.cluster}
		if _, err := h.CreateSite(t.Context(), jo, "", newSite("made.example"), false); err == nil {
			t.Fatal("the lost answer was no error")
		}
		h.Panel.Writer = &losing{cluster: h.cluster, request: true}
		if _, err := h.CreateSite(t.Context(), jo, "", newSite("lost.example"), false); err == nil {
			t.Fatal("the lost request was no error")
		}
		h.Now = func() time.Time { return time.Now().Add(time.Hour) }
		must(t, h.Settle(t.Context()))
		got, err := h.Sites(t.Context(), jo, hosting.SiteQuery{})
		must(t, err)
		if len(got.Items) != 1 || got.Items[0].Name != "made.example" || got.Items[0].State != hosting.SiteOwned || got.Items[0].Domain == nil {
			t.Errorf("Sites = %+v, want made.example alone", got.Items)
		}
	})
}

// Settle runs four times a minute over all sites: where nothing differs, it writes nothing.
// A site without aliases counts none, which is the same as 0.
func TestSettleWritesOnlyWhatDiffers(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		h := newHouse(t, address)
		jo := h.user(t, h.boss, "jo@shop.example", hosting.Customer, h.pack(t, h.boss, "Two", hosting.Quota{hosting.Sites: 2}))
		h.site(t, jo, "a.example")
		h.site(t, jo, "b.example")
		b, err := h.Site(t.Context(), jo, "b.example")
		must(t, err)
		b.Domain.Spec.Resources.Storage = "9Gi" // past the panel
		must(t, h.cluster.ChangeDomain(t.Context(), nil, b.Domain, false))
		var changed atomic.Int64
		db, err := store.Open(t.Context(), address, store.Options{Keys: [][]byte{key(1)}, Observe: func(statement string) {
			if strings.HasPrefix(statement, "UPDATE sites ") {
				changed.Add(1)
			}
		}})
		must(t, err)
		t.Cleanup(db.Close)
		h.Store, h.Now = db, func() time.Time { return time.Now().Add(time.Hour) }
		for turn, want := range []int64{1, 1} {
			must(t, h.Settle(t.Context()))
			if got := changed.Load(); got != want {
				t.Errorf("after turn %d of Settle %d sites were written, want %d", turn+1, got, want)
			}
		}
	})
}

// An alias that somebody swapped past the panel counts the same, and is another name: the
// former is free for others, the new one is taken.
func TestSettleSeesASwappedName(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		h := newHouse(t, address)
		jo := h.user(t, h.boss, "jo@shop.example", hosting.Customer, h.pack(t, h.boss, "Many", hosting.Quota{hosting.Sites: 5, hosting.DomainAliases: 5}))
		made := newSite("a.example")
		made.Aliases = []string{"former.example"}
		_, err := h.CreateSite(t.Context(), jo, "", made, false)
		must(t, err)
		a, err := h.Site(t.Context(), jo, "a.example")
		must(t, err)
		a.Domain.Spec.Aliases = []v1alpha1.DomainAlias{{Name: "new.example"}} // past the panel
		must(t, h.cluster.ChangeDomain(t.Context(), nil, a.Domain, false))
		h.Now = func() time.Time { return time.Now().Add(time.Hour) }
		must(t, h.Settle(t.Context()))
		owners, err := h.Store.NameOwners(t.Context(), []string{"a.example", "www.a.example", "former.example", "new.example"})
		must(t, err)
		if _, taken := owners["former.example"]; taken || len(owners) != 3 {
			t.Errorf("after settling the names %v are taken, want a.example, www.a.example and new.example", slices.Sorted(maps.Keys(owners)))
		}
		h.site(t, jo, "former.example")
	})
}

// losing loses the answer to a request, or the request itself.
type losing struct {
	*cluster
	request bool
}

func (l *losing) CreateDomain(ctx context.Context, d *v1alpha1.Domain, dryRun bool) error {
	if dryRun {
		return l.cluster.CreateDomain(ctx, d, true)
	}
	if !l.request {
		if err := l.cluster.CreateDomain(ctx, d, false); err != nil {
			return err
		}
	}
	return &hosting.Error{Code: hosting.Unreachable, Message: "The connection broke."}
}

// PostgreSQL takes neither a NUL nor what is no UTF-8, where SQLite finds nothing like it:
// neither is a fault of ours, whatever was looked for.
func TestLookingForWhatIsNoText(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		h := newHouse(t, address)
		for _, bad := range []string{"a\x00b", "\xff"} {
			_, users := h.Users(t.Context(), h.boss, hosting.UserQuery{Search: bad})
			_, sites := h.Sites(t.Context(), h.boss, hosting.SiteQuery{Search: bad})
			_, trail := h.Trail(t.Context(), h.boss, hosting.AuditQuery{Object: bad})
			_, user := h.User(t.Context(), h.boss, hosting.ID(bad))
			_, pack := h.Package(t.Context(), h.boss, hosting.ID(bad))
			for what, err := range map[string]error{"accounts": users, "sites": sites, "the trail": trail, "an account": user, "a package": pack} {
				if err != nil && hosting.CodeOf(err) == hosting.Internal {
					t.Errorf("%s by %q: %v", what, bad, err)
				}
			}
		}
	})
}
