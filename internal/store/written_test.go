package store_test

import (
	"context"
	"testing"
	"time"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/hosting"
)

func TestWhatAPanelWroteIsNoted(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		h := newHouse(t, address)
		ctx := t.Context()
		h.site(t, h.boss, "shop.example")
		writer := hosting.Noted(h.cluster, h.Store, h.Now, func(err error) { t.Error(err) })
		at := func() string {
			t.Helper()
			s, err := h.Store.OwnedSite(ctx, "shop.example")
			must(t, err)
			return s.Written.Version
		}
		write := func(version string, dryRun bool) {
			t.Helper()
			d, err := h.cluster.Domain(ctx, "shop.example")
			must(t, err)
			d.ResourceVersion = version
			must(t, writer.ChangeDomain(ctx, d, d, dryRun))
		}
		for _, step := range []struct {
			version string
			dryRun  bool
			want    string
		}{{"9", true, ""}, {"9", false, "9"}, {"10", false, "10"}, {"9", false, "10"}, {"unheard of", false, "unheard of"}, {"11", false, "11"}} {
			if write(step.version, step.dryRun); at() != step.want {
				t.Errorf("after version %q (a try: %t) %q is noted, want %q", step.version, step.dryRun, at(), step.want)
			}
		}
		gone, stop := context.WithCancel(ctx)
		stop() // who asked has gone meanwhile
		d, err := h.cluster.Domain(ctx, "shop.example")
		must(t, err)
		d.ResourceVersion = "12"
		if must(t, writer.ChangeDomain(gone, d, d, false)); at() != "12" {
			t.Errorf("after a change that nobody waits for %q is noted, want 12", at())
		}
		other := d.DeepCopy()
		other.Name, other.ResourceVersion = "another-object", "13"
		if must(t, writer.CreateDomain(ctx, other, false)); at() != "12" {
			t.Errorf("after a change of another object of that name %q is noted, want 12", at())
		}
		nobodys := &v1alpha1.Domain{Spec: v1alpha1.DomainSpec{DomainName: "nobodys.example"}}
		must(t, writer.CreateDomain(ctx, nobodys, false))
	})
}

// follower never comes to a version, and remembers which were waited for.
type follower struct {
	versions []string
	waited   time.Duration
}

func (f *follower) Follow(ctx context.Context, _, version string) bool {
	began := time.Now()
	<-ctx.Done()
	f.waited += time.Since(began)
	f.versions = append(f.versions, version)
	return false
}

// However many sites were just written, and however late the cluster's word of them is, an
// answer comes after one patience. What was written a while ago is not waited for.
func TestWaitingForOtherPanelsIsBounded(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		h := newHouse(t, address)
		f := &follower{}
		h.Follow, h.Patience = f, 100*time.Millisecond
		ctx := t.Context()
		names := []string{"a.example", "b.example", "c.example"}
		for _, name := range names {
			h.site(t, h.boss, name)
		}
		note := func(at time.Time) {
			must(t, h.Store.Write(ctx, func(tx hosting.Tx) error {
				for _, name := range names {
					if err := tx.NoteVersion(ctx, name, hosting.Written{Version: "7", At: at}); err != nil {
						return err
					}
				}
				return nil
			}))
		}
		list := func() {
			t.Helper()
			f.versions, f.waited = nil, 0
			page, err := h.Sites(ctx, h.boss, hosting.SiteQuery{})
			if err != nil || len(page.Items) != 3 || page.Items[0].Domain == nil {
				t.Errorf("Sites = %d, %v, want three with what is known of them", len(page.Items), err)
			}
		}
		if list(); len(f.versions) != 0 {
			t.Errorf("versions %q are waited for and nothing was written", f.versions)
		}
		note(h.Now())
		if list(); len(f.versions) != 3 || f.waited > 2*time.Minute {
			t.Errorf("versions %q are waited for, for %v, want each once, all together for 100 ms", f.versions, f.waited)
		}
		h.cluster.forget("a.example")
		if err := h.DeleteSite(ctx, h.boss, "a.example"); hosting.CodeOf(err) != hosting.Unreachable {
			t.Errorf("DeleteSite of what the cluster has not told of yet = %v, want %s", err, hosting.Unreachable)
		}
		if _, err := h.Store.OwnedSite(ctx, "a.example"); err != nil {
			t.Errorf("the site is forgotten although it may be there: %v", err)
		}
		note(h.Now().Add(-2 * time.Minute))
		f.versions = nil
		must(t, h.DeleteSite(ctx, h.boss, "a.example"))
		if _, err := h.Site(ctx, h.boss, "b.example"); err != nil || len(f.versions) != 0 {
			t.Errorf("Site = %v; versions %q are waited for two minutes after they were written", err, f.versions)
		}
	})
}

// forget loses a Domain as one that was not told of.
func (c *cluster) forget(object string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.domains, object)
}
