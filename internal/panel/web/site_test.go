package web_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/scan"
	"kubepanel.io/kubepanel/internal/panel/scan/scantest"
)

func newSiteForm(name string) url.Values {
	return url.Values{"kind": {"wordpress"}, "name": {name}, "storage": {"5Gi"}, "cpu": {"1000m"}, "memory": {"512Mi"}}
}

// The page of a new site takes variables, and shows what was typed again when something else was wrong.
func TestASiteIsMadeWithVariables(t *testing.T) {
	h := newHouse(t)
	h.as = h.jo
	h.get("/sites/new").want(t, http.StatusOK, `name="env"`)
	form := newSiteForm("vars.example")
	form.Set("kind", "python")
	form.Set("env", "TOKEN=hunter2\r\n# a remark\r\nDEBUG=1")
	h.post("/sites", form).want(t, http.StatusUnprocessableEntity, `id="env-fault"`, "Line 2 is no variable", "hunter2", "--runtime python --env-file variables.env --wait")
	form.Set("env", "TOKEN=hunter2\r\n\r\nDEBUG=1\r\n")
	h.post("/sites", form).leads(t, "/sites/vars.example")
	if env := h.domain("vars.example").Spec.Workload.Env; len(env) != 2 || env[1] != (v1alpha1.EnvVar{Name: "TOKEN", Value: "hunter2"}) {
		t.Errorf("the variables are %v, want DEBUG and TOKEN", env)
	}
	if page := h.get("/sites/vars.example/settings"); strings.Contains(page.body, "hunter2") {
		t.Error("the site's page shows the value of a variable")
	}
	// Its fields rest for static files, as those of WordPress do for all else; without a script they are sent all the same.
	form.Set("kind", "static")
	form.Set("name", "plain.example")
	h.post("/sites", form).leads(t, "/sites/plain.example")
	if env := h.domain("plain.example").Spec.Workload.Env; len(env) != 0 {
		t.Errorf("static files have the variables %v", env)
	}
	h.post("/sites/plain.example/change", url.Values{"tab": {"settings"}, "env": {"A=1"}}).want(t, http.StatusUnprocessableEntity, "without a shell has no program that variables could be for")
}

func TestCustomerMakesASiteAndWatchesIt(t *testing.T) {
	h := newHouse(t)
	h.as = h.jo
	got := h.post("/sites", newSiteForm("Müller.example"))
	got.want(t, http.StatusSeeOther)
	const at = "/sites/xn--mller-kva.example"
	if to := got.header.Get("Location"); to != at {
		t.Fatalf("a new site leads to %q, want %q", to, at)
	}
	h.get(at).want(t, http.StatusOK, "müller.example", "Being made", `hx-trigger="every 1s"`, "You may close this page")
	if d := h.domain("xn--mller-kva.example"); !d.Spec.WordPress.Preinstall {
		t.Error("a WordPress was asked for, and the Domain asks for none")
	}
	h.cluster.Change("xn--mller-kva.example", ready)
	done := h.part(at + "/steps?moving=1")
	if done.code != http.StatusNoContent || done.header.Get("HX-Refresh") != "true" {
		t.Errorf("steps of a site that is done = %d with %v, want the page to be loaded anew", done.code, done.header)
	}
	live := h.get(at)
	live.want(t, http.StatusOK, "Live", "Open the site", "https://xn--mller-kva.example")
	if strings.Contains(live.body, "every 1s") {
		t.Error("a site that is live is looked at every second")
	}
}

func TestBadInputShowsTheFormAgain(t *testing.T) {
	tests := map[string]struct {
		change url.Values
		field  string
		says   string
	}{
		"no name":       {url.Values{"name": {""}}, "name", "aria-invalid"},
		"an address":    {url.Values{"name": {"192.0.2.1"}}, "name", "is an IP address"},
		"a bare name":   {url.Values{"name": {"shop"}}, "name", "use a full name"},
		"markup":        {url.Values{"name": {`"><script>alert(1)</script>`}}, "name", "&lt;script&gt;"},
		"no storage":    {url.Values{"storage": {"lots"}}, "storage", "write it like 5Gi"},
		"too little":    {url.Values{"memory": {"1Mi"}}, "memory", "too little"},
		"unknown kind":  {url.Values{"kind": {"cobol"}}, "runtime", "offers no cobol"},
		"no such thing": {url.Values{"kind": {""}, "name": {"a.example"}, "cpu": {"x"}}, "cpu", "is not an amount"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			h.as = h.jo
			form := newSiteForm("shop.example")
			for k, v := range tt.change {
				form[k] = v
			}
			got := h.post("/sites", form)
			got.want(t, http.StatusUnprocessableEntity, tt.says)
			if strings.Contains(got.body, "<script>alert") {
				t.Error("what was typed became part of the page")
			}
			if h.cluster.Len() != 0 {
				t.Error("a refused site was made")
			}
		})
	}
}

func TestAFullPackageRefusesKindly(t *testing.T) {
	h := newHouse(t)
	h.as = h.jo
	for _, name := range []string{"a.example", "b.example", "c.example"} {
		h.post("/sites", newSiteForm(name)).want(t, http.StatusSeeOther)
	}
	h.post("/sites", newSiteForm("d.example")).want(t, http.StatusUnprocessableEntity, "Small", `value="d.example"`)
}

func TestDeletionWantsTheNameTyped(t *testing.T) {
	h := newHouse(t)
	h.site("shop.example", nil)
	h.as = h.jo
	h.post("/sites/shop.example/delete", url.Values{"confirm": {"shop"}}).want(t, http.StatusUnprocessableEntity, "Type shop.example")
	if !h.domain("shop.example").DeletionTimestamp.IsZero() {
		t.Fatal("a deletion that was not confirmed began")
	}
	h.post("/sites/shop.example/delete", url.Values{"confirm": {"Shop.Example"}}).want(t, http.StatusSeeOther)
	if h.domain("shop.example").DeletionTimestamp.IsZero() {
		t.Error("a confirmed deletion did not begin")
	}
	h.get("/sites/shop.example").want(t, http.StatusOK, "Being deleted", "every 1s")
}

func TestPasswordIsShownOnRequestAlone(t *testing.T) {
	h := newHouse(t)
	h.site("shop.example", nil)
	h.as = h.jo
	if page := h.get("/sites/shop.example"); strings.Contains(page.body, "password of") {
		t.Error("a password stands in a page that nobody asked for it")
	}
	shown := h.post("/sites/shop.example/password", url.Values{"for": {"sftp"}})
	shown.want(t, http.StatusOK, "password of dom-shop.example/sftp-credentials", "data-copy")
	if cache := shown.header.Get("Cache-Control"); cache != "no-store" {
		t.Errorf("Cache-Control of a password = %q, want no-store", cache)
	}
}

func TestSuspendedAndResumed(t *testing.T) {
	h := newHouse(t)
	h.site("shop.example", nil)
	h.as = h.jo
	h.post("/sites/shop.example/suspend", nil).want(t, http.StatusSeeOther)
	if !h.domain("shop.example").Spec.Suspended {
		t.Error("the site is not suspended")
	}
	h.get("/sites/shop.example/danger").want(t, http.StatusOK, "Resume")
	h.post("/sites/shop.example/resume", nil).want(t, http.StatusSeeOther)
	if h.domain("shop.example").Spec.Suspended {
		t.Error("the site is suspended still")
	}
}

// What only a person can help is told with its cause, and nothing turns meanwhile.
func TestStuckSiteNamesTheCause(t *testing.T) {
	h := newHouse(t)
	h.site("shop.example", stuck)
	page := h.get("/sites/shop.example")
	page.want(t, http.StatusOK, "Needs attention", "unknown directive", `role="alert"`)
	if strings.Contains(page.body, "every 1s") {
		t.Error("a site that waits for a person is looked at every second")
	}
}

func TestAnotherCustomersSiteIsNotThere(t *testing.T) {
	h := newHouse(t)
	h.site("shop.example", nil)
	eve, err := h.rules.CreateUser(t.Context(), h.boss, hosting.NewUser{Email: "eve@evil.example", Name: "Eve", Role: hosting.Customer, Package: h.pack})
	h.must(err)
	h.as = h.actor(eve.ID)
	if list := h.get("/sites"); strings.Contains(list.body, "shop.example") {
		t.Error("another's site is in the list")
	}
	for _, path := range []string{"/sites/shop.example", "/sites/shop.example/steps", "/sites/shop.example/danger"} {
		if path == "/sites/shop.example/steps" {
			h.part(path).want(t, http.StatusNoContent) // the script goes back to the list
			continue
		}
		h.get(path).want(t, http.StatusNotFound, "not yours")
	}
	for _, path := range []string{"delete", "suspend", "resume", "restart", "purge-cache", "password"} {
		h.post("/sites/shop.example/"+path, url.Values{"confirm": {"shop.example"}, "for": {"sftp"}}).want(t, http.StatusNotFound)
	}
}

func TestAPageCacheIsEmptied(t *testing.T) {
	h := newHouse(t)
	h.site("shop.example", nil)
	const danger, empty = "/sites/shop.example/danger", "/sites/shop.example/purge-cache"
	if page := h.get(danger).body; strings.Contains(page, empty) {
		t.Error("a site without a cache has one to be emptied")
	}
	h.post(empty, nil).want(t, http.StatusUnprocessableEntity, "has no page cache")
	h.site("cached.example", func(d *v1alpha1.Domain) { d.Spec.Webserver.Cache.Enabled = true })
	h.get("/sites/cached.example/danger").want(t, http.StatusOK, `action="/sites/cached.example/purge-cache"`)
	h.post("/sites/cached.example/purge-cache", nil).leads(t, "/sites/cached.example")
	if h.domain("cached.example").Annotations[v1alpha1.AnnotationPurgeCache] == "" {
		t.Error("the cache was not asked to be emptied")
	}
}

func TestWhatBreaksIsNotShown(t *testing.T) {
	h := newHouse(t)
	h.site("shop.example", nil)
	h.cluster.Break(errors.New("dial tcp 10.0.0.1: connection refused"))
	page := h.get("/sites")
	page.want(t, http.StatusInternalServerError, "Something broke on our side")
	if strings.Contains(page.body, "10.0.0.1") {
		t.Error("the cause leaked to the page")
	}
	if !strings.Contains(h.log.String(), "10.0.0.1") {
		t.Error("the cause is not in the log")
	}
}

func TestNobodyIsSentToSignIn(t *testing.T) {
	h := newHouse(t)
	h.as = hosting.Actor{}
	got := h.get("/sites/shop.example")
	if to := got.header.Get("Location"); got.code != http.StatusSeeOther || to != "/sign-in?next=%2Fsites%2Fshop.example" {
		t.Errorf("a page for nobody = %d to %q, want the way to sign in", got.code, to)
	}
	if part := h.part("/sites/shop.example/steps"); part.header.Get("HX-Redirect") != "/sign-in" {
		t.Errorf("a part of a page for nobody = %d with %v", part.code, part.header)
	}
	if post := h.post("/sites", newSiteForm("a.example")); post.code != http.StatusSeeOther || h.cluster.Len() != 0 {
		t.Errorf("nobody made a site: %d", post.code)
	}
}

// Fifty sites cost as many statements as one.
func TestListCostsTheSameHoweverLong(t *testing.T) {
	h := newHouse(t)
	count := func() int {
		h.statements = 0
		h.get("/sites").want(t, http.StatusOK)
		return h.statements
	}
	h.site("first.example", nil)
	h.get("/sites") // how the provider wants the panel to look is kept for a while
	one := count()
	for i := range 60 {
		name := string(rune('a'+i/26)) + string(rune('a'+i%26)) + ".example"
		_, err := h.rules.CreateSite(t.Context(), h.boss, "", hosting.NewSite{Name: name, Storage: "5Gi", CPU: "1000m", Memory: "512Mi"}, false)
		h.must(err)
	}
	h.statements = 0
	h.get("/sites?state=live&runtime=php").want(t, http.StatusOK)
	if h.statements > 10 {
		t.Errorf("61 sites narrowed cost %d statements, want at most 10", h.statements)
	}
	page := h.get("/sites")
	if many := count(); many != one || many > 10 {
		t.Errorf("61 sites cost %d statements, one costs %d; want the same, at most 10", many, one)
	}
	if rows := strings.Count(page.body, "<tr>"); rows != 51 || len(page.body) > 100_000 || !strings.Contains(page.body, "after=") {
		t.Errorf("a page of 61 sites has %d rows and %d octets, want a head, 50 sites, at most 100,000 octets and a way on", rows, len(page.body))
	}
}

// What the cluster says of sites narrows the list too, and the page's links keep it.
func TestListIsNarrowedByStateAndRuntime(t *testing.T) {
	h := newHouse(t)
	h.site("shop.example", nil)
	h.site("stuck.example", stuck)
	h.site("old.example", func(d *v1alpha1.Domain) { d.Spec.Workload.Version = "5.6" })
	for query, want := range map[string][]string{
		"state=live": {"old", "shop"}, "state=stalled": {"stuck"}, "runtime=php": {"old", "shop", "stuck"}, "runtime=php:5.6": {"old"},
		"state=live&runtime=php:5.6&q=ol": {"old"}, "state=stalled&runtime=php:5.6": nil, "state=&runtime=&q=sh": {"shop"}, "state=creating": nil,
	} {
		page := h.get("/sites?" + query)
		page.want(t, http.StatusOK)
		for _, name := range []string{"old", "shop", "stuck"} {
			if has := strings.Contains(page.body, `href="/sites/`+name+`.example"`); has != slices.Contains(want, name) {
				t.Errorf("the list of %s has %s: %t, want %v", query, name, has, want)
			}
		}
		if nothing := strings.Contains(page.body, "No site is like that."); nothing != (want == nil) {
			t.Errorf("the list of %s says that there is none: %t, want %t", query, nothing, want == nil)
		}
	}
	h.get("/sites?state=stalled&runtime=php:5.6").want(t, http.StatusOK, `<option value="stalled" selected>Needs attention<`, `<option value="php:5.6" selected>`,
		"kubepanel site list --state stalled --runtime php:5.6<", `<a class="button" href="/sites">`)
	h.part("/sites?state=live").want(t, http.StatusOK, "shop.example", "kubepanel site list --state live<", `id="count"`)

	for i := range 51 {
		_, err := h.rules.CreateSite(t.Context(), h.boss, "", hosting.NewSite{Name: fmt.Sprintf("s%02d.example", i), Storage: "5Gi", CPU: "1000m", Memory: "512Mi"}, false)
		h.must(err)
	}
	h.get("/sites?state=creating&runtime=php&q=s").want(t, http.StatusOK, `href="/sites?after=s49.example&amp;q=s&amp;runtime=php&amp;state=creating"`)
}

// A link takes away what it names: that of state and runtime keeps what somebody typed and
// whose sites they look at, and all are only promised where all are shown.
func TestWayBackFromANarrowedListKeepsTheRest(t *testing.T) {
	h := newHouse(t)
	h.site("shop.example", nil)
	const all, some = `>Show all</a>`, `>All states and runtimes</a>`
	owner := "owner=" + string(h.jo.ID)
	tests := map[string]struct {
		query string
		wider string // where the link beside the filters leads, "" for all sites
		empty bool
	}{
		"only a state":                    {query: "state=live"},
		"with a search":                   {"state=live&q=shop", "q=shop", false},
		"with an owner":                   {"runtime=php&" + owner, owner, false},
		"with both":                       {"state=live&runtime=php&q=shop&" + owner, owner + "&amp;q=shop", false},
		"on a further page":               {"state=live&q=s&after=a.example", "q=s", false},
		"of none":                         {query: "state=stalled", empty: true},
		"of none with a search":           {"state=stalled&q=shop", "q=shop", true},
		"search that reads like a filter": {"state=stalled&q=a%26state%3Dlive", "q=a%26state%3Dlive", true},
		"of what no site is":              {"state=happy&q=shop", "q=shop", true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			for _, body := range []string{h.get("/sites?" + test.query).body, h.part("/sites?" + test.query).body} {
				_, beside, _ := strings.Cut(body, `id="count"`)
				beside, _, _ = strings.Cut(beside, "</span>")
				want := `<a href="/sites"` + all
				if test.wider != "" {
					want = `<a href="/sites?` + test.wider + `"` + some
				}
				if !strings.Contains(beside, want) {
					t.Errorf("beside the filters of %s is %s, want %s", test.query, beside, want)
				}
				if got, want := strings.Contains(body, `<a class="button" href="/sites"`+all), test.empty; got != want {
					t.Errorf("the list of %s leads to all sites: %t, want %t", test.query, got, want)
				}
				if got, want := strings.Contains(body, `<a class="button" href="/sites?`+test.wider+`"`+some), test.empty && test.wider != ""; got != want {
					t.Errorf("the list of %s leads to those of any state and runtime: %t, want %t", test.query, got, want)
				}
			}
		})
	}
}

// What no site can be is said, and not passed over.
func TestListRefusesWhatNoSiteIs(t *testing.T) {
	h := newHouse(t)
	h.site("shop.example", nil)
	for query, want := range map[string]string{
		"state=happy":      "&#34;happy&#34; is no state of a site; the states are creating, live",
		"state=Live":       "&#34;Live&#34; is no state of a site",
		"runtime=PHP+8":    "&#34;PHP 8&#34; is not a runtime",
		"runtime=php:":     "&#34;php:&#34; is not a runtime",
		"runtime=%3B+rm+*": "is not a runtime",
	} {
		page := h.get("/sites?" + query)
		page.want(t, http.StatusUnprocessableEntity, want, "Nothing was looked for.", `aria-invalid="true"`, "kubepanel site list<")
		if strings.Contains(page.body, "shop.example") {
			t.Errorf("%s is refused and shows sites", query)
		}
	}
}

func TestStatesOfASite(t *testing.T) {
	tests := map[string]struct {
		finish func(*v1alpha1.Domain)
		want   string
	}{
		"live":      {nil, "Live"},
		"stuck":     {stuck, "Needs attention"},
		"suspended": {func(d *v1alpha1.Domain) { d.Spec.Suspended, d.Status.Phase = true, v1alpha1.DomainSuspended }, "Suspended"},
		"leaving":   {func(d *v1alpha1.Domain) { d.DeletionTimestamp = new(metav1.NewTime(clock)) }, "Being deleted"},
		"changing":  {func(d *v1alpha1.Domain) { d.Generation++ }, "Changing"},
		"to sleep":  {func(d *v1alpha1.Domain) { d.Spec.Suspended = true; d.Generation++ }, "Changing"},
		"new":       {func(d *v1alpha1.Domain) { d.Status = v1alpha1.DomainStatus{} }, "Being made"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			h.site("shop.example", tt.finish)
			h.get("/sites").want(t, http.StatusOK, ">"+tt.want+"<")
		})
	}
}

func TestSiteIsChangedOnItsTabs(t *testing.T) {
	h := newHouse(t)
	h.site("shop.example", func(d *v1alpha1.Domain) { d.Spec.Aliases = []v1alpha1.DomainAlias{{Name: "xn--mller-kva.example"}} })
	h.as = h.jo
	h.get("/sites/shop.example/domains").want(t, http.StatusOK, "müller.example")
	for _, tab := range []string{"settings", "access"} {
		h.get("/sites/shop.example/"+tab).want(t, http.StatusOK, `value="`+tab+`"`)
	}
	h.post("/sites/shop.example/change", url.Values{"tab": {"domains"}, "title": {"The shop"}, "plan": {"1"}}).
		want(t, http.StatusOK, "What would change", "spec.title", "nginx", "Visitors notice nothing")
	if d := h.domain("shop.example"); d.Spec.Title != "" {
		t.Error("to ask what would change has changed it")
	}
	h.post("/sites/shop.example/change", url.Values{"tab": {"domains"}, "title": {"The shop"}}).want(t, http.StatusSeeOther)
	d := h.domain("shop.example")
	if d.Spec.Title != "The shop" || len(d.Spec.Aliases) != 1 {
		t.Errorf("title %q and %d aliases, want the new one and the alias that was not in the form", d.Spec.Title, len(d.Spec.Aliases))
	}
	h.post("/sites/shop.example/change", url.Values{"tab": {"settings"}, "memory": {"lots"}}).
		want(t, http.StatusUnprocessableEntity, `value="lots"`, "is not an amount")
	h.post("/sites/shop.example/change", url.Values{"tab": {"nowhere"}}).want(t, http.StatusUnprocessableEntity, "no tab")
}

// The values of variables are mostly secrets: who may see the site sees their names.
func TestVariablesAreSetAndNotShown(t *testing.T) {
	h := newHouse(t)
	h.site("shop.example", nil)
	h.as = h.jo
	set := func(lines string) url.Values { return url.Values{"tab": {"settings"}, "env": {lines}} }
	h.post("/sites/shop.example/change", set("TOKEN=hunter2\r\nDEBUG=1\r\n")).want(t, http.StatusSeeOther)
	if env := h.domain("shop.example").Spec.Workload.Env; len(env) != 2 || env[1] != (v1alpha1.EnvVar{Name: "TOKEN", Value: "hunter2"}) {
		t.Errorf("the variables are %v, want DEBUG and TOKEN", env)
	}
	h.get("/sites/shop.example/settings").want(t, http.StatusOK, "There are: DEBUG, TOKEN.")
	drop := set("TOKEN=")
	drop.Set("plan", "1")
	planned := h.post("/sites/shop.example/change", drop)
	planned.want(t, http.StatusOK, "What would change")
	if strings.Contains(planned.body, "hunter") {
		t.Error("a plan shows the value of a variable")
	}
	h.post("/sites/shop.example/change", set("DEBUG=0\nhunter3")).want(t, http.StatusUnprocessableEntity, "Line 2 is no variable")
	drop.Del("plan")
	h.post("/sites/shop.example/change", drop).want(t, http.StatusSeeOther)
	if env := h.domain("shop.example").Spec.Workload.Env; len(env) != 1 || env[0].Value != "1" {
		t.Errorf("the variables are %v, want DEBUG as it was", env)
	}
	h.as = h.boss
	h.get("/audit").want(t, http.StatusOK, "shop.example")
	for _, page := range []string{"/audit", "/sites/shop.example", "/sites/shop.example/settings"} {
		if strings.Contains(h.get(page).body, "hunter") {
			t.Errorf("%s shows the value of a variable", page)
		}
	}
}

// A command is the customer's, an image and nodes are the provider's.
func TestAProgramIsChangedOnItsTab(t *testing.T) {
	h := newHouse(t)
	h.site("shop.example", func(d *v1alpha1.Domain) { d.Spec.Workload.Args = []string{"two\nlines", "x"} })
	h.as = h.jo
	const tab, to = "/sites/shop.example/settings", "/sites/shop.example/change"
	if page := h.get(tab).body; strings.Contains(page, `name="image"`) || strings.Contains(page, `name="preferred-nodes"`) {
		t.Error("a customer has fields that only the provider may fill")
	}
	h.post(to, url.Values{"tab": {"settings"}, "command": {"node\r\nserver.js\r\n"}, "args": {"two\r\nlines\r\nx"}}).want(t, http.StatusSeeOther)
	if w := h.domain("shop.example").Spec.Workload; !slices.Equal(w.Command, []string{"node", "server.js"}) || !slices.Equal(w.Args, []string{"two\nlines", "x"}) {
		t.Errorf("the command is %q, the arguments %q; want the former changed alone", w.Command, w.Args)
	}
	h.post(to, url.Values{"tab": {"settings"}, "image": {"evil.example/php"}}).want(t, http.StatusForbidden, "Only the provider")
	h.as = h.boss
	h.get(tab).want(t, http.StatusOK, `name="image"`, `name="preferred-nodes"`, "server.js")
	h.post(to, url.Values{"tab": {"settings"}, "image": {"a b"}, "preferred-nodes": {"n"}}).want(t, http.StatusUnprocessableEntity, "is no image")
	planned := url.Values{"tab": {"settings"}, "image": {"registry.example/php:8.4"}, "preferred-nodes": {"node-2\r\n"}}
	planned.Set("plan", "1")
	h.post(to, planned).want(t, http.StatusOK, "What would change")
	planned.Del("plan")
	h.post(to, planned).want(t, http.StatusSeeOther)
	if s := h.domain("shop.example").Spec; s.Workload.Image != "registry.example/php:8.4" || !slices.Equal(s.PreferredNodes, []string{"node-2"}) {
		t.Errorf("the image is %q, the nodes are %q", s.Workload.Image, s.PreferredNodes)
	}
}

// Where a program listens is its site's to say, and the field is there for programs that
// nginx reaches by a port alone.
func TestAPortIsChosenOnItsTab(t *testing.T) {
	h := newHouse(t)
	h.site("shop.example", nil)
	h.site("app.example", func(d *v1alpha1.Domain) {
		d.Spec.Workload = v1alpha1.WorkloadSpec{Type: "python", Version: "3.13", Port: 8000, ProxyMode: v1alpha1.ProxyHTTP}
	})
	h.as = h.jo
	if page := h.get("/sites/shop.example/settings").body; strings.Contains(page, `name="port"`) {
		t.Error("PHP has a port to choose")
	}
	const tab, to = "/sites/app.example/settings", "/sites/app.example/change"
	h.get(tab).want(t, http.StatusOK, `name="port"`, `placeholder="8000"`, "As the platform does: http")
	h.post(to, url.Values{"tab": {"settings"}, "port": {"8080"}, "proxy-mode": {""}}).want(t, http.StatusUnprocessableEntity, "taken in every site", `id="port-fault"`)
	form := url.Values{"tab": {"settings"}, "port": {"3000"}, "proxy-mode": {"uwsgi"}}
	form.Set("plan", "1")
	h.post(to, form).want(t, http.StatusOK, "What would change")
	form.Del("plan")
	h.post(to, form).leads(t, "/sites/app.example")
	if w := h.domain("app.example").Spec.Workload; w.Port != 3000 || w.ProxyMode != v1alpha1.ProxyUWSGI {
		t.Errorf("the program is reached at %d by %s, want 3000 and uwsgi", w.Port, w.ProxyMode)
	}
	h.get(tab).want(t, http.StatusOK, `value="3000"`, `<option value="uwsgi" selected`)
	h.post(to, url.Values{"tab": {"settings"}, "port": {""}, "proxy-mode": {""}}).leads(t, "/sites/app.example")
	if w := h.domain("app.example").Spec.Workload; w.Port != 8000 || w.ProxyMode != v1alpha1.ProxyHTTP {
		t.Errorf("the program is reached at %d by %s, want the catalogue's 8000 and http", w.Port, w.ProxyMode)
	}
}

func TestOverviewLeadsThroughTheFirstSteps(t *testing.T) {
	h := newHouse(t)
	h.get("/").want(t, http.StatusOK, "First steps", `href="/sites/new"`)
	h.site("shop.example", nil)
	h.get("/").want(t, http.StatusOK, "Ask for more than a password", `href="/platform/settings#signing-in"`)
	h.get("/platform/settings").want(t, http.StatusOK, "can sign in with it from anywhere: Administrator, Reseller, Customer, Collaborator.")
	h.get("/platform/settings").want(t, http.StatusOK, "panel.passwordAlone allows it.")
	h.doors.MailedCodes = true
	h.get("/platform/settings").want(t, http.StatusOK, "A password alone signs nobody in")
	h.doors.MailedCodes, h.doors.PasswordAlone = false, false
	h.get("/platform/settings").want(t, http.StatusOK, "A password alone signs nobody in")
	h.get("/").want(t, http.StatusOK, "looked at for harmful programs", `href="/platform/settings#scanner"`)
	h.get("/platform/settings").want(t, http.StatusOK, "images.clamav", "node up --scanner", "docs/panel/files.md")
	h.scansBy("unix://" + filepath.Join(t.TempDir(), "nobody"))
	h.get("/").want(t, http.StatusOK, "looked at for harmful programs", `href="/platform/settings#scanner"`)
	h.get("/platform/settings").want(t, http.StatusOK, "The scanner does not answer")
	h.scansBy(scantest.Start(t, "1M"))
	gone, leave := context.WithCancel(t.Context())
	leave() // who goes away while the scanner is asked says nothing of it
	if state, err := h.rules.ScannerState(gone, h.boss); err != nil || state != hosting.ScannerLooks {
		t.Errorf("ScannerState() = %s, %v for somebody who went away, want %s", state, err, hosting.ScannerLooks)
	}
	h.get("/platform/settings").want(t, http.StatusOK, "at the files of all sites")
	if page := h.get("/"); strings.Contains(page.body, "First steps") || !strings.Contains(page.body, "shop.example") {
		t.Error("the checklist stands where all of it is done, or the site is missing")
	}
	h.as = h.jo
	h.get("/").want(t, http.StatusOK, "Used of the package", "1 of 3")
}

// scansBy names who looks at files.
func (h *house) scansBy(address string) {
	h.t.Helper()
	by, err := scan.Open(address)
	h.must(err)
	h.rules.Scanning = &hosting.Scanning{Scanner: by}
}

func TestDaysOfACertificateAreTold(t *testing.T) {
	for left, want := range map[time.Duration]string{
		60 * 24 * time.Hour: `class="badge" data-kind="good">60 days<`, 13*24*time.Hour + time.Hour: `class="badge" data-kind="warn">13 days<`,
		50 * time.Hour: `class="badge" data-kind="bad">2 days<`, -time.Minute: `class="badge" data-kind="bad">Expired<`,
	} {
		h := newHouse(t)
		h.site("shop.example", func(d *v1alpha1.Domain) {
			d.Status.Certificate = &v1alpha1.CertificateStatus{NotAfter: metav1.NewTime(clock.Add(left)), Issuer: "An Authority"}
		})
		h.get("/sites").want(t, http.StatusOK, want)
		h.get("/sites/shop.example").want(t, http.StatusOK, want, "by An Authority")
	}
}

// The form names the settings that there are: a customer has no command for that.
func TestSettingsThatThereAreAreNamed(t *testing.T) {
	h := newHouse(t)
	h.site("app.example", func(d *v1alpha1.Domain) { d.Spec.Workload.Type, d.Spec.Workload.Version = "python", "3.13" })
	h.as = h.jo
	page := h.get("/sites/app.example/settings")
	page.want(t, http.StatusOK, "buffering, ", "workers")
	if strings.Contains(page.body, "platform runtimes") {
		t.Error("the page sends a customer to a command of who runs the platform")
	}
}
