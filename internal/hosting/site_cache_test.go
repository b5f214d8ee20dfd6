package hosting_test

import (
	"testing"
	"time"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/hosting"
)

func TestPurgeCache(t *testing.T) {
	f := newFake(t, site("shop.example", "shop.example"))
	now := time.Date(2026, 11, 21, 12, 0, 0, 1, time.UTC)
	if _, err := f.panel().PurgeCache(t.Context(), "shop.example", now); hosting.CodeOf(err) != hosting.Invalid {
		t.Errorf("PurgeCache without a cache = %v, want %s", err, hosting.Invalid)
	}
	f.domains[0].Spec.Webserver.Cache.Enabled = true
	seen := map[string]bool{}
	for i := range 3 {
		d, err := f.panel().PurgeCache(t.Context(), "shop.example", now.Add(time.Duration(i)))
		if err != nil {
			t.Fatal(err)
		}
		seen[d.Annotations[v1alpha1.AnnotationPurgeCache]] = true
	}
	if len(seen) != 3 {
		t.Errorf("three purges made %d different values: %v", len(seen), seen)
	}
}
