package hosting

import (
	"errors"
	"slices"
	"testing"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

func TestSitesAreNarrowedByRuntime(t *testing.T) {
	site := OwnedSite{Domain: &v1alpha1.Domain{}}
	site.Domain.Spec.Workload = v1alpha1.WorkloadSpec{Type: "php", Version: "8.4"}
	plain := OwnedSite{Domain: &v1alpha1.Domain{}}
	plain.Domain.Spec.Workload.Type = "static"
	for _, tt := range []struct {
		site    OwnedSite
		runtime string
		want    bool
	}{
		{site, "", true}, {site, "php", true}, {site, "php:8.4", true}, {site, "php:8", false}, {site, "php:", false}, {site, "ph", false}, {site, "8.4", false}, {site, "static", false},
		{plain, "static", true}, {plain, "php", false}, {OwnedSite{}, "php", false}, {OwnedSite{}, "", true},
	} {
		if got := (SiteFilter{Runtime: tt.runtime}).Matches(&tt.site); got != tt.want {
			t.Errorf("%q matches %+v = %t, want %t", tt.runtime, tt.site.Domain, got, tt.want)
		}
	}
}

func TestAFilterThatNoSiteCanMatchIsRefused(t *testing.T) {
	for _, tt := range []struct {
		filter SiteFilter
		fields []string
	}{
		{SiteFilter{}, nil}, {SiteFilter{Standing: StandingLive, Runtime: "php:5.6"}, nil}, {SiteFilter{Runtime: "php"}, nil},
		{SiteFilter{Standing: "happy"}, []string{"state"}}, {SiteFilter{Runtime: "php:"}, []string{"runtime"}}, {SiteFilter{Runtime: "8.4"}, []string{"runtime"}},
		{SiteFilter{Standing: "LIVE", Runtime: "PHP 8"}, []string{"state", "runtime"}},
	} {
		var got []string
		if e, ok := errors.AsType[*Error](tt.filter.Check()); ok && e.Code == Invalid {
			for _, f := range e.Fields {
				got = append(got, f.Name)
			}
		}
		if !slices.Equal(got, tt.fields) {
			t.Errorf("%+v is refused for %v, want %v", tt.filter, got, tt.fields)
		}
	}
}
