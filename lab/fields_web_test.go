package lab

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"k8s.io/utils/ptr"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// nameChanges are changes of what a site is called and where.
func nameChanges() []fieldChange {
	return []fieldChange{
		{name: "title", fields: []string{"title"},
			edit: func(s *v1alpha1.DomainSpec) { s.Title = "Every field" },
			seen: func(t testing.TB, tr tour) {
				if out := tr.kubepanel(t, "site", "show", tr.name).must(t); !strings.Contains(out, "Every field") {
					t.Errorf("'site show' says\n%s", out)
				}
			}},
		{name: "aliases", fields: []string{"aliases[].name"},
			edit: func(s *v1alpha1.DomainSpec) { s.Aliases = []v1alpha1.DomainAlias{{Name: "also-fields.localhost"}} },
			seen: soon("the alias answers", func(ctx context.Context, tr tour) error {
				got, err := tr.visitor.get(ctx, tr.settings.Edge.URL("also-fields.localhost")+"/where.txt")
				if err == nil && got.body != "at the top" {
					err = fmt.Errorf("it says %d %.300q", got.status, got.body)
				}
				return err
			})},
		{name: "timezone", fields: []string{"timezone"},
			edit: func(s *v1alpha1.DomainSpec) { s.Timezone = "Europe/Berlin" },
			seen: answers("/probe.php", "zone=Europe/Berlin\n")},
	}
}

// webChanges are changes of how the web server answers.
func webChanges() []fieldChange {
	return []fieldChange{
		{name: "documentRoot", fields: []string{"webserver.documentRoot"},
			edit: func(s *v1alpha1.DomainSpec) { s.Webserver.DocumentRoot = "public" },
			seen: answers("/where.txt", "in public")},
		{name: "documentRoot that is not there", fields: []string{"webserver.documentRoot"}, effect: samePod,
			edit: func(s *v1alpha1.DomainSpec) { s.Webserver.DocumentRoot = "/var/www/later/web" },
			seen: soon("the folder is there for who comes to fill it", func(ctx context.Context, tr tour) error {
				out, err := tr.sftp.list(ctx, "later")
				if err == nil && !strings.Contains(out, "web") {
					err = errors.New(out)
				}
				return err
			})},
		{name: "no documentRoot", fields: []string{"webserver.documentRoot"}, effect: samePod,
			edit: func(s *v1alpha1.DomainSpec) { s.Webserver.DocumentRoot = "" },
			seen: answers("/where.txt", "at the top")},
		{name: "clientMaxBodySize", fields: []string{"webserver.clientMaxBodySize"},
			edit: func(s *v1alpha1.DomainSpec) { s.Webserver.ClientMaxBodySize = "1m" },
			seen: func(t testing.TB, tr tour) {
				got, err := upload(t.Context(), tr.visitor, tr.url()+"/probe.php", 2*mebibyte)
				if err != nil || got.status != http.StatusRequestEntityTooLarge {
					t.Errorf("an upload of 2 MiB = %d (%v), want 413", got.status, err)
				}
			}},
		{name: "sslRedirect", fields: []string{"webserver.sslRedirect"},
			edit: func(s *v1alpha1.DomainSpec) { s.Webserver.SSLRedirect = ptr.To(false) },
			seen: leads("", false, http.StatusOK)},
		{name: "sslRedirect again", fields: []string{"webserver.sslRedirect"},
			edit: func(s *v1alpha1.DomainSpec) { s.Webserver.SSLRedirect = ptr.To(true) },
			seen: leads("", false, http.StatusMovedPermanently)},
		{name: "wwwRedirect to www", fields: []string{"webserver.wwwRedirect"},
			edit: func(s *v1alpha1.DomainSpec) { s.Webserver.WWWRedirect = v1alpha1.WWWRedirectToWWW },
			seen: leads("", true, http.StatusMovedPermanently)},
		{name: "wwwRedirect to root", fields: []string{"webserver.wwwRedirect"},
			edit: func(s *v1alpha1.DomainSpec) { s.Webserver.WWWRedirect = v1alpha1.WWWRedirectToRoot },
			seen: leads("www.", true, http.StatusMovedPermanently)},
		{name: "webserver.customConfig", fields: []string{"webserver.customConfig"},
			edit: func(s *v1alpha1.DomainSpec) {
				s.Webserver.CustomConfig = "location = /own { default_type text/plain; return 200 'a line of my own'; }"
			},
			seen: answers("/own", "a line of my own")},
	}
}

// leads waits until the site's name, with something before it, answers with a
// status. A redirect has to lead to where the page is.
func leads(before string, secure bool, status int) func(testing.TB, tour) {
	return soon(fmt.Sprintf("%s… answers with %d", before, status), func(ctx context.Context, tr tour) error {
		address := tr.settings.Edge.PlainURL(before + tr.name)
		if secure {
			address = tr.settings.Edge.URL(before + tr.name)
		}
		got, err := tr.visitor.get(ctx, address+"/where.txt")
		if err != nil {
			return err
		}
		to := got.header.Get("Location")
		if got.status != status {
			return fmt.Errorf("%s = %d to %q, want %d", address, got.status, to, status)
		}
		if status == http.StatusOK {
			return nil
		}
		if got, err = tr.visitor.get(ctx, to); err == nil && got.body != "at the top" {
			err = fmt.Errorf("%s leads to %s, which says %d %.100q", address, to, got.status, got.body)
		}
		return err
	})
}

// cacheChanges are changes of the page cache, and purging it.
func cacheChanges() []fieldChange {
	return []fieldChange{
		{name: "cache.enabled and bypassUris", fields: []string{"webserver.cache.bypassUris", "webserver.cache.enabled"},
			edit: func(s *v1alpha1.DomainSpec) {
				// The steady visitor has to reach PHP all the while.
				s.Webserver.Cache = v1alpha1.CacheSpec{Enabled: true, BypassURIs: []string{"/steady", "/fresh"}}
			},
			seen: func(t testing.TB, tr tour) {
				if first := tr.clock(t, "/clock.php"); tr.clock(t, "/clock.php") != first {
					t.Error("/clock.php is made anew though it is kept")
				}
				if first := tr.clock(t, "/fresh.php"); tr.clock(t, "/fresh.php") == first {
					t.Error("/fresh.php is kept though it is among bypassUris")
				}
			}},
		{name: "purge-cache", seen: func(t testing.TB, tr tour) {
			kept := tr.clock(t, "/clock.php")
			tr.kubepanel(t, "site", "purge-cache", tr.name).must(t)
			tr.changesFrom(t, "/clock.php", kept)
			if next := tr.clock(t, "/clock.php"); tr.clock(t, "/clock.php") != next {
				t.Error("after purging nothing is kept any more")
			}
		}},
		{name: "cache.size and inactiveTime", fields: []string{"webserver.cache.inactiveTime", "webserver.cache.size"},
			edit: func(s *v1alpha1.DomainSpec) { s.Webserver.Cache.Size, s.Webserver.Cache.InactiveTime = "64Mi", "5m" },
			seen: func(t testing.TB, tr tour) {
				// What they do takes minutes and as many bytes; that they are in force does not.
				out := tr.inPod(t, "nginx", "cat", "/tmp/keeper/current/nginx.conf")
				if !strings.Contains(out, "max_size=64M") || !strings.Contains(out, "inactive=5m") {
					t.Errorf("nginx runs with\n%s", out)
				}
			}},
		{name: "cache.validTime", fields: []string{"webserver.cache.validTime"},
			edit: func(s *v1alpha1.DomainSpec) { s.Webserver.Cache.ValidTime = "1s" },
			seen: func(t testing.TB, tr tour) {
				tr.changesFrom(t, "/clock.php?valid", tr.clock(t, "/clock.php?valid"))
			}},
		{name: "no cache", fields: []string{"webserver.cache.bypassUris", "webserver.cache.enabled", "webserver.cache.inactiveTime", "webserver.cache.size", "webserver.cache.validTime"},
			edit: func(s *v1alpha1.DomainSpec) { s.Webserver.Cache = v1alpha1.CacheSpec{} },
			seen: func(t testing.TB, tr tour) {
				if first := tr.clock(t, "/clock.php"); tr.clock(t, "/clock.php") == first {
					t.Error("/clock.php is kept though there is no cache")
				}
			}},
	}
}

// clock asks a page that PHP makes differently each time.
func (tr tour) clock(t testing.TB, path string) string {
	t.Helper()
	return tr.visitor.must(t, tr.url()+path).body
}

// changesFrom waits until a page that was kept is made anew.
func (tr tour) changesFrom(t testing.TB, path, kept string) {
	t.Helper()
	eventually(t, path+" is made anew", settleLimit, func(ctx context.Context) error {
		got, err := tr.visitor.get(ctx, tr.url()+path)
		if err == nil && (got.status != http.StatusOK || got.body == kept) {
			err = fmt.Errorf("it says %d %.100q", got.status, got.body)
		}
		return err
	})
}

// inPod runs a program in a container of the site.
func (tr tour) inPod(t testing.TB, container string, command ...string) string {
	t.Helper()
	out, err := tr.execute(t.Context(), tr.pod(t), container, nil, command...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
