package store_test

import (
	"context"
	"testing"
	"time"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/hosting"
)

// meanwhile is a cluster of whose next call of a kind somebody makes use: what do does
// happens before it is answered. A change of a Domain that is not the present one is
// refused, as the API server does.
type meanwhile struct {
	*cluster
	at string // "read", "create", "change" or "changed"
	do func()
}

func (m *meanwhile) reached(at string) {
	if do := m.do; do != nil && m.at == at {
		m.do = nil
		do()
	}
}

// on has something happen at the next call of a kind.
func (m *meanwhile) on(at string, do func()) { m.at, m.do = at, do }

func (m *meanwhile) Domain(ctx context.Context, object string) (*v1alpha1.Domain, error) {
	d, err := m.cluster.Domain(ctx, object)
	m.reached("read")
	return d, err
}

func (m *meanwhile) CreateDomain(ctx context.Context, d *v1alpha1.Domain, dryRun bool) error {
	if !dryRun {
		m.reached("create")
	}
	return m.cluster.CreateDomain(ctx, d, dryRun)
}

func (m *meanwhile) ChangeDomain(ctx context.Context, was, d *v1alpha1.Domain, dryRun bool) error {
	if dryRun {
		return m.cluster.ChangeDomain(ctx, was, d, true)
	}
	m.reached("change")
	now, err := m.cluster.Domain(ctx, d.Name)
	if err != nil {
		return err
	}
	if now.Generation != was.Generation {
		return &hosting.Error{Code: hosting.Conflict}
	}
	d.Generation = now.Generation + 1
	err = m.cluster.ChangeDomain(ctx, was, d, false)
	m.reached("changed")
	return err
}

func newBusyHouse(t *testing.T, address string) (*house, *meanwhile) {
	t.Helper()
	h := newHouse(t, address)
	m := &meanwhile{cluster: h.cluster}
	h.Panel.Domains, h.Panel.Writer = m, m
	return h, m
}

func (h *house) later(d time.Duration) { h.Now = func() time.Time { return time.Now().Add(d) } }

// A site that is given to somebody while Settle is at it stays given.
func TestSettleKeepsWhoseASiteBecameMeanwhile(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		h, m := newBusyHouse(t, address)
		pack := h.pack(t, h.boss, "Any", nil)
		jo, al := h.user(t, h.boss, "jo@shop.example", hosting.Customer, pack), h.user(t, h.boss, "al@shop.example", hosting.Customer, pack)
		h.site(t, jo, "a.example")
		// While jo is suspended, al has the site.
		m.on("changed", func() { must(t, h.AssignSite(t.Context(), h.boss, "a.example", al.ID)) })
		must(t, h.SuspendUser(t.Context(), h.boss, jo.ID, true))
		// While that lets it go on, jo has it again.
		m.on("changed", func() { must(t, h.AssignSite(t.Context(), h.boss, "a.example", jo.ID)) })
		must(t, h.SuspendUser(t.Context(), h.boss, jo.ID, false))
		s, err := h.Site(t.Context(), h.boss, "a.example")
		must(t, err)
		if s.Owner != jo.ID {
			t.Errorf("the owner is %s, want jo, whose it became while Settle ran", s.OwnerName)
		}
		must(t, h.Settle(t.Context()))
		if s, err = h.Site(t.Context(), h.boss, "a.example"); err != nil || s.Domain.Spec.Suspended || s.Held {
			t.Errorf("the site is %+v, %v, want it to run and not to be held", s, err)
		}
	})
}

// What Settle saw missing is another's by the time it forgets it.
func TestSettleForgetsNoSiteThatWasMadeMeanwhile(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		h, m := newBusyHouse(t, address)
		pack := h.pack(t, h.boss, "Any", nil)
		jo, al := h.user(t, h.boss, "jo@shop.example", hosting.Customer, pack), h.user(t, h.boss, "al@shop.example", hosting.Customer, pack)
		h.site(t, jo, "a.example")
		clear(h.cluster.domains)
		h.later(time.Hour)
		m.on("read", func() { // another panel settles the same, and al is quick
			must(t, h.Settle(t.Context()))
			h.site(t, al, "a.example")
		})
		must(t, h.Settle(t.Context()))
		if s, err := h.Site(t.Context(), al, "a.example"); err != nil || s.Owner != al.ID {
			t.Errorf("al's new site = %+v, %v, want it to be there", s, err)
		}
	})
}

// Whoever deletes a site while it is being made must not leave one that is nobody's and
// counts for nobody.
func TestNoSiteIsMadeThatIsNobodys(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		h, m := newBusyHouse(t, address)
		jo := h.user(t, h.boss, "jo@shop.example", hosting.Customer, h.pack(t, h.boss, "One", hosting.Quota{hosting.Sites: 1}))
		m.on("create", func() {
			wantCode(t, "DeleteSite while it is made", h.DeleteSite(t.Context(), jo, "a.example"), hosting.Conflict)
		})
		_, err := h.CreateSite(t.Context(), jo, "", newSite("a.example"), false)
		must(t, err)
		must(t, h.DeleteSite(t.Context(), jo, "a.example"))
		must(t, h.Settle(t.Context()))

		// The API server takes so long that the site was given up and forgotten.
		m.on("create", func() {
			h.later(time.Hour)
			must(t, h.Settle(t.Context()))
		})
		if _, err := h.CreateSite(t.Context(), jo, "", newSite("b.example"), false); err == nil {
			t.Error("a site that was given up counts as made")
		}
		if len(h.cluster.domains) != 0 {
			t.Errorf("the cluster has %d sites that are nobody's, want none", len(h.cluster.domains))
		}
	})
}

// Two changes of a site at once take the room of both, so that no third thing is made of
// what one of them seemed to leave.
func TestChangesAtOnceTakeTheRoomOfBoth(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		h, m := newBusyHouse(t, address)
		jo := h.user(t, h.boss, "jo@shop.example", hosting.Customer, h.pack(t, h.boss, "Two cores", hosting.Quota{hosting.CPU: 2000}))
		h.site(t, jo, "a.example")
		cpu, memory := "1500m", "1Gi"
		m.on("change", func() {
			_, _, err := h.ChangeSite(t.Context(), jo, "a.example", hosting.SiteChange{SiteAspects: hosting.SiteAspects{Memory: &memory}}, false)
			must(t, err)
		})
		_, _, err := h.ChangeSite(t.Context(), jo, "a.example", hosting.SiteChange{SiteAspects: hosting.SiteAspects{CPU: &cpu}}, false)
		must(t, err)
		used, err := h.Store.UsedBy(t.Context(), jo.ID, false)
		must(t, err)
		if used[hosting.CPU] != 1500 || used[hosting.Memory] != 1024 {
			t.Errorf("used are %v, want CPU 1500 and memory 1024, as the cluster has", used)
		}
	})
}

// Room that a change gives back is free when the cluster has it, not before: else it would
// be used twice where the change fails.
func TestRoomIsFreeWhenTheClusterHasIt(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		h, m := newBusyHouse(t, address)
		jo := h.user(t, h.boss, "jo@shop.example", hosting.Customer, h.pack(t, h.boss, "One core", hosting.Quota{hosting.CPU: 1000}))
		large := newSite("a.example")
		large.CPU = "1"
		_, err := h.CreateSite(t.Context(), jo, "", large, false)
		must(t, err)
		less := hosting.SiteChange{SiteAspects: hosting.SiteAspects{CPU: new("500m")}}
		m.on("change", func() { h.cluster.set(&hosting.Error{Code: hosting.Unreachable}) })
		if _, _, err := h.ChangeSite(t.Context(), jo, "a.example", less, false); err == nil {
			t.Fatal("a change without a cluster succeeded")
		}
		h.cluster.set(nil)
		_, err = h.CreateSite(t.Context(), jo, "", newSite("b.example"), false)
		wantCode(t, "CreateSite in room that was not given back", err, hosting.OverQuota)

		m.on("change", func() {
			_, err := h.CreateSite(t.Context(), jo, "", newSite("b.example"), false)
			wantCode(t, "CreateSite before the cluster has the change", err, hosting.OverQuota)
		})
		_, _, err = h.ChangeSite(t.Context(), jo, "a.example", less, false)
		must(t, err)
		h.site(t, jo, "b.example") // at once, without Settle
	})
}

// Who gets a name above somebody's site takes nothing from it.
func TestANameAboveKeepsNoSiteFromBeingChanged(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		h := newHouse(t, address)
		pack := h.pack(t, h.boss, "Any", nil)
		jo, al := h.user(t, h.boss, "jo@shop.example", hosting.Customer, pack), h.user(t, h.boss, "al@shop.example", hosting.Customer, pack)
		h.site(t, jo, "blog.shop.example")
		h.site(t, al, "shop.example")
		change := hosting.SiteChange{SiteAspects: hosting.SiteAspects{Memory: new("1Gi")}}
		if _, _, err := h.ChangeSite(t.Context(), jo, "blog.shop.example", change, false); err != nil {
			t.Errorf("ChangeSite below another's name = %v", err)
		}
		change = hosting.SiteChange{SiteAspects: hosting.SiteAspects{Aliases: &[]string{"new.shop.example"}}}
		_, _, err := h.ChangeSite(t.Context(), jo, "blog.shop.example", change, false)
		wantCode(t, "ChangeSite(one more name below another's)", err, hosting.Conflict)
	})
}
