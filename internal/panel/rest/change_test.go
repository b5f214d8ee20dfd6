package rest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/auth"
	"kubepanel.io/kubepanel/internal/panel/rest"
)

func TestASiteFromMakingToDeletion(t *testing.T) {
	h := newHouse(t)
	made := h.jo.post("/sites", map[string]any{"name": "Müller.example", "wordpress": map[string]any{}})
	made.want(t, http.StatusCreated, `"state":"creating"`, `"displayName":"müller.example"`)
	at := made.header.Get("Location")
	if at != "/api/v1/sites/xn--mller-kva.example" {
		t.Fatalf("Location = %q", at)
	}
	at = at[len(rest.Prefix):]
	h.jo.get(at+"/progress").want(t, http.StatusOK, `"kind":"create"`, `"state":"running"`)
	h.cluster.Finish("xn--mller-kva.example", h.now())
	h.jo.get(at+"/progress").want(t, http.StatusOK, `"state":"done"`, `"title":"namespace"`)
	h.jo.post(at+"/credentials", map[string]any{"for": "sftp"}).want(t, http.StatusOK, `"password":"password of dom-xn--mller-kva.example/sftp-credentials"`)
	h.jo.post(at+"/plan", map[string]any{"title": "New"}).want(t, http.StatusOK, `spec.title`)
	h.jo.ask(request{method: http.MethodPatch, path: at, body: map[string]any{"title": "New", "storage": "6Gi"}}).want(t, http.StatusOK, `"title":"New"`, `"storage":"6Gi"`)
	h.jo.ask(request{method: http.MethodPatch, path: at, body: map[string]any{"storage": "1Gi"}}).problem(t, http.StatusUnprocessableEntity, hosting.Invalid, "storage")
	h.jo.post(at+"/restart", nil).want(t, http.StatusAccepted)
	h.jo.post(at+"/purge-cache", nil).problem(t, http.StatusUnprocessableEntity, hosting.Invalid, "")
	h.jo.ask(request{method: http.MethodPatch, path: at, body: map[string]any{"cache": true}}).want(t, http.StatusOK, `"cache":true`)
	h.jo.post(at+"/purge-cache", nil).want(t, http.StatusNoContent)
	h.jo.ask(request{method: http.MethodDelete, path: at}).want(t, http.StatusAccepted, `"kind":"delete"`)
	h.cluster.Forget("xn--mller-kva.example")
	h.must(h.rules.Settle(t.Context()))
	h.jo.get(at+"/progress").problem(t, http.StatusNotFound, hosting.NotFound, "")
}

// The values of variables are mostly secrets, which no answer and no entry of the trail has.
func TestASiteIsMadeWithItsVariables(t *testing.T) {
	h := newHouse(t)
	body := map[string]any{"name": "app.example", "runtime": "php", "env": []string{"TOKEN=hunter2", "DEBUG=1"}}
	made := h.jo.ask(request{method: http.MethodPost, path: "/sites?dryRun=true", body: body}).want(t, http.StatusCreated, `"variables":["DEBUG","TOKEN"]`)
	made2 := h.jo.ask(keyed("/sites", "k", body)).want(t, http.StatusCreated, `"variables":["DEBUG","TOKEN"]`)
	d, err := h.cluster.Domain(t.Context(), "app.example")
	h.must(err)
	if env := d.Spec.Workload.Env; len(env) != 2 || env[1] != (v1alpha1.EnvVar{Name: "TOKEN", Value: "hunter2"}) {
		t.Errorf("the variables are %v, want DEBUG and TOKEN", env)
	}
	for name, text := range map[string][]byte{"the dry run": made.body, "the answer": made2.body, "the site": h.jo.get("/sites/app.example").body, "the trail": h.boss.get("/audit").body} {
		if strings.Contains(string(text), "hunter") {
			t.Errorf("%s shows the value of a variable: %s", name, text)
		}
	}
	body["name"], body["env"] = "bad.example", []string{"TOKEN hunter2"}
	refused := h.jo.post("/sites", body)
	refused.problem(t, http.StatusUnprocessableEntity, hosting.Invalid, "env")
	if strings.Contains(string(refused.body), "hunter") {
		t.Errorf("a refusal shows what may be a value: %s", refused.body)
	}
	h.jo.get("/sites/bad.example").problem(t, http.StatusNotFound, hosting.NotFound, "")
}

// Where a program listens is its site's; PHP has a socket.
func TestASiteSaysWhereItsProgramListens(t *testing.T) {
	h := newHouse(t)
	h.jo.post("/sites", map[string]any{"name": "app.example", "runtime": "python"}).want(t, http.StatusCreated, `"port":8000`, `"proxyMode":"http"`)
	patch := func(site string, body map[string]any) reply {
		t.Helper()
		return h.jo.ask(request{method: http.MethodPatch, path: "/sites/" + site, body: body})
	}
	h.jo.post("/sites/app.example/plan", map[string]any{"port": 3000}).want(t, http.StatusOK, `"action":"change"`)
	patch("app.example", map[string]any{"port": 3000, "proxyMode": "uwsgi"}).want(t, http.StatusOK, `"port":3000`, `"proxyMode":"uwsgi"`)
	patch("app.example", map[string]any{"port": 2222}).problem(t, http.StatusUnprocessableEntity, hosting.Invalid, "port")
	patch("app.example", map[string]any{"proxyMode": "fastcgi"}).problem(t, http.StatusUnprocessableEntity, hosting.Invalid, "proxyMode")
	patch("jo.example", map[string]any{"port": 3000}).problem(t, http.StatusUnprocessableEntity, hosting.Invalid, "port")
	patch("app.example", map[string]any{"port": 0, "proxyMode": ""}).want(t, http.StatusOK, `"port":8000`, `"proxyMode":"http"`)
}

// A command is the customer's; an image and nodes are the provider's, in changes as in plans.
func TestWhoGivesASiteItsProgram(t *testing.T) {
	h := newHouse(t)
	const at = "/sites/jo.example"
	patch := func(a *account, body map[string]any) reply {
		t.Helper()
		return a.ask(request{method: http.MethodPatch, path: at, body: body})
	}
	patch(h.jo, map[string]any{"command": []string{"node", "a b.js"}, "args": []string{"--verbose"}}).want(t, http.StatusOK, `"command":["node","a b.js"]`, `"args":["--verbose"]`)
	patch(h.jo, map[string]any{"command": []string{"node\x00"}}).problem(t, http.StatusUnprocessableEntity, hosting.Invalid, "command")
	d, err := h.cluster.Domain(t.Context(), "jo.example")
	h.must(err)
	for field, value := range map[string]any{"image": "registry.example/php:8.4", "preferredNodes": []string{"node-2"}} {
		patch(h.jo, map[string]any{field: value}).problem(t, http.StatusForbidden, hosting.Forbidden, field)
		h.jo.post(at+"/plan", map[string]any{field: value}).problem(t, http.StatusForbidden, hosting.Forbidden, field)
		patch(h.boss, map[string]any{field: value}).want(t, http.StatusOK, `"`+field+`":`)
	}
	if text := string(h.jo.get(at).want(t, http.StatusOK).body); strings.Contains(text, "registry.example") || strings.Contains(text, "node-2") {
		t.Errorf("the customer is shown what the provider gave: %s", text)
	}
	spec := d.Spec.DeepCopy()
	spec.Workload.Image, spec.PreferredNodes = "evil.example/php:8.4", []string{"node-2"}
	h.jo.post(at+"/plan-spec", map[string]any{"spec": spec}).problem(t, http.StatusForbidden, hosting.Forbidden, "image")
	patch(h.jo, map[string]any{"image": ""}).want(t, http.StatusOK)
	h.boss.get("/audit").want(t, http.StatusOK, `"workload.image":"registry.example/php:8.4"`, `"preferredNodes":["node-2"]`, `"workload.command":"(not kept)"`)
	narrow := *h.boss
	narrow.token, err = h.doors.IssueToken(t.Context(), h.boss.user.Email, auth.NewToken{Name: "sites alone", Scopes: []hosting.Right{hosting.RightSiteView, hosting.RightSiteChange}, Life: time.Hour})
	h.must(err)
	patch(&narrow, map[string]any{"image": "registry.example/php:8.4"}).problem(t, http.StatusForbidden, hosting.Forbidden, "image")
}

func TestWhatCantBeIsToldByField(t *testing.T) {
	h := newHouse(t)
	h.jo.post("/sites", map[string]any{"name": "no_name", "aliases": []string{"-"}}).problem(t, http.StatusUnprocessableEntity, hosting.Invalid, "aliases")
	h.jo.post("/sites", map[string]any{"name": "a.example", "colour": "red"}).problem(t, http.StatusUnprocessableEntity, hosting.Invalid, "colour")
	h.jo.post("/sites", "{").problem(t, http.StatusBadRequest, hosting.Invalid, "")
	h.jo.post("/sites", map[string]any{"name": "al.example"}).problem(t, http.StatusConflict, hosting.Conflict, "name")
	h.site(h.jo, "j2.example")
	h.site(h.jo, "j3.example")
	h.jo.post("/sites", map[string]any{"name": "j4.example"}).problem(t, http.StatusUnprocessableEntity, hosting.OverQuota, "")
	h.cluster.Break(&hosting.Error{Code: hosting.Unreachable, Message: "The cluster does not answer."})
	down := h.al.post("/sites", map[string]any{"name": "a2.example"})
	down.problem(t, http.StatusServiceUnavailable, hosting.Unreachable, "")
	if down.header.Get("Retry-After") == "" {
		t.Error("an answer about a cluster that is away says nothing of when to ask again")
	}
}

// What is too long, too large, negative or in many scripts is refused at its field in a sentence that is no program's.
func TestWhatNobodyMeansIsToldByField(t *testing.T) {
	h := newHouse(t)
	label := strings.Repeat("a", 63)
	longest := strings.Repeat(label+".", 3) + strings.Repeat("b", 61)
	site := func(field string, value any) request {
		body := map[string]any{"name": "new.example"}
		body[field] = value
		return request{method: http.MethodPost, path: "/sites?dryRun=true", body: body}
	}
	pack := func(value any) request {
		return request{method: http.MethodPost, path: "/packages", body: map[string]any{"name": "P", "quota": map[string]any{"sites": value}}}
	}
	user := func(field, value string) request {
		body := map[string]any{"name": "A", "email": "a@a.example", "role": "customer", "package": h.pack}
		body[field] = value
		return request{method: http.MethodPost, path: "/users", body: body}
	}
	h.boss.ask(site("name", longest)).want(t, http.StatusCreated, longest)
	h.boss.ask(site("name", label+".example")).want(t, http.StatusCreated, label)
	h.boss.ask(site("name", "متجر.مثال")).want(t, http.StatusCreated, `"name":"xn--pgbep1f.xn--mgbh0fb"`, `"displayName":"متجر.مثال"`)
	for name, tt := range map[string]struct {
		ask         request
		field, says string
	}{
		"a name of 254":              {site("name", longest+"b"), "name", "253"},
		"a name of 300 in UTF-8":     {site("name", strings.Repeat("é", 300)), "name", "253"},
		"an alias of 254":            {site("aliases", []string{longest + "b"}), "aliases", "at most 253"},
		"a part of 64":               {site("name", "a"+label+".example"), "name", "part of 64 octets"},
		"a part of 64 in UTF-8":      {site("name", strings.Repeat("م", 64)+".example"), "name", "at most 63"},
		"no name":                    {site("name", ""), "name", "A site needs a name"},
		"a blank":                    {site("name", " "), "name", "A site needs a name"},
		"Arabic alone":               {site("name", "مثال"), "name", "such as مثال.example"},
		"a part from both sides":     {site("name", "متجر1a.example"), "name", "can't be a domain name"},
		"a NUL":                      {site("name", "x\x00.example"), "name", "can't be a domain name"},
		"negative storage":           {site("storage", "-5Gi"), "storage", "write it like 5Gi"},
		"storage that nobody has":    {site("storage", "99999999999999999999Gi"), "storage", "write it like 5Gi"},
		"memory that is no number":   {site("memory", "NaN"), "memory", "write it like 512Mi"},
		"a processor as a number":    {site("cpu", 1e300), "cpu", "expected string"},
		"a negative limit":           {pack(-1), "quota.sites", "-1 can't be a limit"},
		"a limit that nobody has":    {pack(1e15), "quota.sites", "can't be a limit"},
		"a limit beyond all numbers": {pack(1e30), "quota.sites", "expected number <="},
		"one below all numbers":      {pack(-1e30), "quota.sites", "expected number >="},
		"a person without a name":    {user("name", ""), "name", "The name is empty"},
		"a person's name of 254":     {user("name", strings.Repeat("م", 254)), "name", "at most 100 characters"},
		"a name that turns":          {user("name", "\u202eevil"), "name", "must be one line"},
		"mail to a part of 64":       {user("email", "x@a"+label+".example"), "email", "is not a mail address"},
		"mail to nobody's host":      {user("email", "x@a..example"), "email", "is not a mail address"},
		"mail in Arabic":             {user("email", "x@متجر.مثال"), "email", "is not a mail address"},
	} {
		t.Run(name, func(t *testing.T) {
			got := h.boss.ask(tt.ask)
			got.problem(t, http.StatusUnprocessableEntity, hosting.Invalid, tt.field)
			if text := string(got.body); !strings.Contains(text, tt.says) || strings.Contains(text, "Go struct") {
				t.Errorf("the answer is %s, want %q in it", text, tt.says)
			}
		})
	}
	for path, status := range map[string]int{"/sites/" + longest + "b": http.StatusUnprocessableEntity, "/sites/%D9%85%D8%AB%D8%A7%D9%84.example": http.StatusNotFound, "/users/-1": http.StatusNotFound,
		"/users/99999999999999999999": http.StatusNotFound, "/sites?limit=-1": http.StatusUnprocessableEntity, "/sites?limit=99999999999999999999": http.StatusUnprocessableEntity} {
		if got := h.boss.get(path); got.status != status {
			t.Errorf("%.60s = %d, want %d: %s", path, got.status, status, got.body)
		}
	}
}

// A plan refuses what the change would be refused for, and tells nobody whose a name is.
func TestAPlanKnowsTheRulesOfTheChange(t *testing.T) {
	h := newHouse(t)
	plan := func(a *account, body any) hosting.Plan {
		t.Helper()
		return read[hosting.Plan](t, a.post("/sites/jo.example/plan", body).want(t, http.StatusOK))
	}
	_, err := h.rules.ChangePackage(t.Context(), h.actor(h.boss), h.jo.user.Package, hosting.NewPackage{Name: "Little", Quota: hosting.Quota{hosting.Sites: 9, hosting.Storage: 6}}, true)
	h.must(err)
	if p := plan(h.jo, map[string]any{"storage": "6Gi"}); len(p.Refused) > 0 {
		t.Errorf("a plan within the package is refused: %v", p.Refused)
	}
	if p := plan(h.jo, map[string]any{"storage": "9Gi"}); len(p.Refused) != 1 || !strings.Contains(p.Refused[0].Message, "storage") {
		t.Errorf("a plan of more than the package has = %+v, want it refused", p)
	}
	taken := plan(h.jo, map[string]any{"aliases": []string{"al.example"}})
	if len(taken.Refused) != 1 || !strings.Contains(taken.Refused[0].Message, "is taken") || strings.Contains(fmt.Sprint(taken), "belongs to") {
		t.Errorf("a plan with another's name = %+v, want it refused without a word of whose it is", taken)
	}
	h.jo.get("/sites/jo.example").want(t, http.StatusOK, `"storage":"5Gi"`, `"aliases":[]`)
}

// A dry run of a change is refused for what the change would be, in the same words, and leaves nothing.
func TestADryRunOfAChangeKnowsItsRules(t *testing.T) {
	h := newHouse(t)
	_, err := h.rules.ChangePackage(t.Context(), h.actor(h.boss), h.jo.user.Package, hosting.NewPackage{Name: "Little", Quota: hosting.Quota{hosting.Sites: 9, hosting.Storage: 6}}, true)
	h.must(err)
	// One that nobody has told the panel of: its name is in the cluster alone.
	h.must(h.cluster.CreateDomain(t.Context(), &v1alpha1.Domain{ObjectMeta: metav1.ObjectMeta{Name: "past"}, Spec: v1alpha1.DomainSpec{DomainName: "past.example"}}, false))
	h.rules.Reserved = []string{"panel.example"}
	patch := func(a *account, query string, body map[string]any) reply {
		return a.ask(request{method: http.MethodPatch, path: "/sites/jo.example" + query, body: body})
	}
	patch(h.jo, "?dryRun=true", map[string]any{"storage": "6Gi", "aliases": []string{"mine.example"}}).want(t, http.StatusOK, `"storage":"6Gi"`, "mine.example")
	for name, tt := range map[string]struct {
		body   map[string]any
		status int
		code   hosting.Code
		field  string
		says   string
	}{
		"more than the package has":   {map[string]any{"storage": "9Gi"}, http.StatusUnprocessableEntity, hosting.OverQuota, "", "The package Little allows 6 GiB"},
		"another's name":              {map[string]any{"aliases": []string{"al.example"}}, http.StatusConflict, hosting.Conflict, "name", "is taken"},
		"below another's name":        {map[string]any{"aliases": []string{"sub.al.example"}}, http.StatusConflict, hosting.Conflict, "name", "sub.al.example is below al.example"},
		"a name in the cluster alone": {map[string]any{"aliases": []string{"past.example"}}, http.StatusConflict, hosting.Conflict, "name", "is taken"},
		"a name of two scripts":       {map[string]any{"aliases": []string{"pаypal.example"}}, http.StatusUnprocessableEntity, hosting.Invalid, "aliases", "mixes Latin and Cyrillic letters"},
		"the panel's name":            {map[string]any{"aliases": []string{"x.panel.example"}}, http.StatusConflict, hosting.Conflict, "name", "the provider's own"},
	} {
		t.Run(name, func(t *testing.T) {
			dry, really := patch(h.jo, "?dryRun=true", tt.body), patch(h.jo, "", tt.body)
			dry.problem(t, tt.status, tt.code, tt.field)
			really.problem(t, tt.status, tt.code, tt.field)
			type answer struct {
				Detail string
				Errors []any
			}
			if tried, done := read[answer](t, dry), read[answer](t, really); !reflect.DeepEqual(tried, done) || !strings.Contains(done.Detail, tt.says) {
				t.Errorf("the dry run says %+v, the change %+v, want the same and %q", tried, done, tt.says)
			}
		})
	}
	patch(h.boss, "?dryRun=true", map[string]any{"aliases": []string{"past.example"}}).problem(t, http.StatusConflict, hosting.Conflict, "")
	h.jo.get("/sites/jo.example").want(t, http.StatusOK, `"storage":"5Gi"`, `"aliases":[]`)
	if trail := h.boss.get("/audit"); strings.Contains(string(trail.body), "mine.example") {
		t.Errorf("a dry run stands in the trail: %s", trail.body)
	}
	patch(h.jo, "", map[string]any{"aliases": []string{"mine.example"}}).want(t, http.StatusOK, "mine.example") // nothing took it
}

func TestAPlanOfAWholeSpec(t *testing.T) {
	h := newHouse(t)
	d, err := h.cluster.Domain(t.Context(), "jo.example")
	h.must(err)
	spec := d.Spec.DeepCopy()
	spec.Title = "New"
	const at = "/sites/jo.example/plan-spec"
	h.jo.post(at, map[string]any{"spec": spec}).want(t, http.StatusOK, `spec.title`, `"new":"New"`)
	mixed := spec.DeepCopy()
	mixed.Aliases = append(mixed.Aliases, v1alpha1.DomainAlias{Name: "xn--pypal-4ve.example"})
	h.jo.post(at, map[string]any{"spec": mixed}).want(t, http.StatusOK, "mixes Latin and Cyrillic letters")
	if p := read[hosting.Plan](t, h.al.post(at, map[string]any{"spec": spec}).want(t, http.StatusOK, "is taken")); len(p.Refused) == 0 || len(p.Objects) > 0 || strings.Contains(fmt.Sprint(p), "belongs to") {
		t.Errorf("a plan of somebody else's site = %+v, want it refused without a word of whose it is", p)
	}
	spec.DomainName = "al.example"
	h.jo.post(at, map[string]any{"spec": spec}).problem(t, http.StatusUnprocessableEntity, hosting.Invalid, "spec.domainName")
	h.jo.post(at, map[string]any{"spec": map[string]any{"domainName": "jo.example", "redi": true}}).problem(t, http.StatusUnprocessableEntity, hosting.Invalid, "spec")
	h.jo.post(at, map[string]any{"spec": map[string]any{"domainName": 7}}).problem(t, http.StatusUnprocessableEntity, hosting.Invalid, "spec")
	h.jo.post(at, map[string]any{}).problem(t, http.StatusUnprocessableEntity, hosting.Invalid, "")
	h.jo.get("/sites/jo.example").want(t, http.StatusOK, `"title":""`)
}

// A plan of a new site is refused for what making it would be refused for, and makes nothing.
func TestAPlanOfANewSite(t *testing.T) {
	h := newHouse(t)
	d, err := h.cluster.Domain(t.Context(), "jo.example")
	h.must(err)
	_, err = h.rules.ChangePackage(t.Context(), h.actor(h.boss), h.jo.user.Package, hosting.NewPackage{Name: "Little", Quota: hosting.Quota{hosting.Sites: 9, hosting.Storage: 20}}, true)
	h.must(err)
	plan := func(a *account, name string, change func(*v1alpha1.DomainSpec)) hosting.Plan {
		t.Helper()
		spec := d.Spec.DeepCopy()
		spec.DomainName = name
		change(spec)
		return read[hosting.Plan](t, a.post("/sites/"+name+"/plan-spec", map[string]any{"spec": spec}).want(t, http.StatusOK))
	}
	if p := plan(h.jo, "new.example", func(*v1alpha1.DomainSpec) {}); len(p.Refused) > 0 || p.Action != hosting.ActionCreate || p.Site != "new.example" {
		t.Errorf("a plan of a new site = %+v, want it made", p)
	}
	for name, tt := range map[string]struct {
		site, want string
		change     func(*v1alpha1.DomainSpec)
	}{
		"more than the package has": {"new.example", "storage", func(s *v1alpha1.DomainSpec) { s.Resources.Storage = "9999Gi" }},
		"another's alias":           {"new.example", "is taken", func(s *v1alpha1.DomainSpec) { s.Aliases = []v1alpha1.DomainAlias{{Name: "al.example"}} }},
		"below another's name":      {"sub.al.example", "belongs to another account", func(*v1alpha1.DomainSpec) {}},
	} {
		if p := plan(h.jo, tt.site, tt.change); len(p.Refused) != 1 || !strings.Contains(p.Refused[0].Message, tt.want) {
			t.Errorf("%s: the plan is %+v, want it refused with %q", name, p, tt.want)
		}
	}
	spec := d.Spec.DeepCopy()
	spec.DomainName, spec.PreferredNodes = "new.example", []string{"node-2"}
	h.jo.post("/sites/new.example/plan-spec", map[string]any{"spec": spec}).problem(t, http.StatusForbidden, hosting.Forbidden, "preferredNodes")
	h.jo.post("/sites/new_.example/plan-spec", map[string]any{"spec": spec}).problem(t, http.StatusUnprocessableEntity, hosting.Invalid, "name")
	h.boss.post("/sites/new.example/plan-spec", map[string]any{"spec": spec}).want(t, http.StatusOK, `"action":"create"`)
	narrow := *h.jo
	narrow.token, err = h.doors.IssueToken(t.Context(), h.jo.user.Email, auth.NewToken{Name: "no new ones", Scopes: []hosting.Right{hosting.RightSiteView, hosting.RightSiteChange}, Life: time.Hour})
	h.must(err)
	narrow.post("/sites/new.example/plan-spec", map[string]any{"spec": spec}).problem(t, http.StatusNotFound, hosting.NotFound, "")
	h.jo.get("/sites/new.example").problem(t, http.StatusNotFound, hosting.NotFound, "")
	if all := h.boss.get("/audit"); strings.Contains(string(all.body), "new.example") {
		t.Errorf("a plan stands in the trail: %s", all.body)
	}
}

func TestWhoReadAnOlderStateChangesNothing(t *testing.T) {
	h := newHouse(t)
	for _, at := range []string{"/sites/jo.example", "/users/" + string(h.jo.user.ID)} {
		body := map[string]any{"title": "One"}
		if at != "/sites/jo.example" {
			body = map[string]any{"name": "One"}
		}
		first := h.boss.get(at)
		tag := first.header.Get("Etag")
		h.boss.ask(request{method: http.MethodGet, path: at, header: map[string]string{"If-None-Match": tag}}).want(t, http.StatusNotModified)
		changed := h.boss.ask(request{method: http.MethodPatch, path: at, body: body, header: map[string]string{"If-Match": tag}}).want(t, http.StatusOK)
		if now := h.boss.get(at).header.Get("Etag"); now != changed.header.Get("Etag") || now == tag {
			t.Errorf("%s has the tag %s after a change that answered %s; before it was %s", at, now, changed.header.Get("Etag"), tag)
		}
		late := request{method: http.MethodPatch, path: at, body: body, header: map[string]string{"If-Match": tag}}
		h.boss.ask(late).problem(t, http.StatusPreconditionFailed, hosting.Changed, "")
		h.boss.ask(request{method: http.MethodDelete, path: at, header: map[string]string{"If-Match": tag}}).problem(t, http.StatusPreconditionFailed, hosting.Changed, "")
		h.boss.ask(request{method: http.MethodGet, path: at, header: map[string]string{"If-None-Match": tag}}).want(t, http.StatusOK)
	}
}

func TestASiteIsGivenAwayAsItWasRead(t *testing.T) {
	h := newHouse(t)
	const at = "/sites/jo.example"
	give := func(to *account, tag string) reply {
		return h.boss.ask(request{method: http.MethodPut, path: at + "/owner", body: map[string]any{"owner": to.user.ID}, header: map[string]string{"If-Match": tag}})
	}
	tag := h.boss.get(at).header.Get("Etag")
	give(h.al, tag).want(t, http.StatusNoContent)
	give(h.seller, tag).problem(t, http.StatusPreconditionFailed, hosting.Changed, "")
	h.boss.get(at).want(t, http.StatusOK, `"owner":"`+string(h.al.user.ID)+`"`)
	give(h.seller, h.boss.get(at).header.Get("Etag")).want(t, http.StatusNoContent)
}

func TestANodeIsClosedAsItWasRead(t *testing.T) {
	h := newHouse(t)
	const at = "/nodes/worker-1"
	ask := func(method, reason, tag string) reply {
		q := request{method: method, path: at + "/maintenance", header: map[string]string{"If-Match": tag}}
		if method == http.MethodPut {
			q.body = map[string]any{"reason": reason}
		}
		return h.boss.ask(q)
	}
	open := h.boss.get(at).header.Get("Etag")
	closed := ask(http.MethodPut, "mine", open).want(t, http.StatusAccepted).header.Get("Etag")
	if now := h.boss.get(at).header.Get("Etag"); now != closed || now == open {
		t.Errorf("the node has the tag %s after an answer with %s; before it was %s", now, closed, open)
	}
	ask(http.MethodPut, "theirs", open).problem(t, http.StatusPreconditionFailed, hosting.Changed, "")
	ask(http.MethodDelete, "", open).problem(t, http.StatusPreconditionFailed, hosting.Changed, "")
	h.boss.get(at).want(t, http.StatusOK, `"reason":"mine"`)
	h.yard["worker-1"].Status.Pods = 4 // how far it is refuses nobody
	ask(http.MethodDelete, "", closed).want(t, http.StatusNoContent)
}

// The operator's word about a site is no change of it.
func TestAMovingStatusRefusesNoChange(t *testing.T) {
	h := newHouse(t)
	tag := h.jo.get("/sites/jo.example").header.Get("Etag")
	h.cluster.Finish("jo.example", h.now().Add(time.Hour))
	h.jo.ask(request{method: http.MethodPatch, path: "/sites/jo.example", body: map[string]any{"title": "T"}, header: map[string]string{"If-Match": tag}}).want(t, http.StatusOK)
}

// keyed is a request that counts once.
func keyed(path, key string, body any) request {
	return request{method: http.MethodPost, path: path, body: body, header: map[string]string{"Idempotency-Key": key}}
}

func TestTheSameRequestCountsOnce(t *testing.T) {
	h := newHouse(t)
	body := map[string]any{"name": "once.example"}
	first := h.jo.ask(keyed("/sites", "k1", body)).want(t, http.StatusCreated)
	again := h.jo.ask(keyed("/sites", "k1", body)).want(t, http.StatusCreated)
	if string(first.body) != string(again.body) || again.header.Get("Location") != first.header.Get("Location") || again.header.Get("Idempotency-Replayed") != "true" {
		t.Errorf("the second answer is %s %v, the first %s", again.body, again.header, first.body)
	}
	h.jo.ask(keyed("/sites", "k1", map[string]any{"name": "other.example"})).problem(t, http.StatusUnprocessableEntity, hosting.Invalid, "Idempotency-Key")
	h.al.ask(keyed("/sites", "k1", map[string]any{"name": "another.example"})).want(t, http.StatusCreated) // another account's key is another key
	h.jo.ask(keyed("/sites", "with space", body)).problem(t, http.StatusUnprocessableEntity, hosting.Invalid, "Idempotency-Key")
	// A refusal is an answer too, and a cause that passes is none.
	h.jo.ask(keyed("/sites", "k2", map[string]any{"name": "al.example"})).want(t, http.StatusConflict)
	h.jo.ask(keyed("/sites", "k2", map[string]any{"name": "al.example"})).want(t, http.StatusConflict)
	h.cluster.Break(&hosting.Error{Code: hosting.Unreachable, Message: "Away."})
	h.jo.ask(keyed("/sites", "k3", map[string]any{"name": "k3.example"})).want(t, http.StatusServiceUnavailable)
	h.cluster.Break(nil)
	h.jo.ask(keyed("/sites", "k3", map[string]any{"name": "k3.example"})).want(t, http.StatusCreated)
	// The next day it is a new request.
	h.must(h.rules.Store.Write(t.Context(), func(tx hosting.Tx) error { return tx.Sweep(t.Context(), h.now().Add(-time.Hour)) }))
	made := h.cluster.Created()
	if made != 5 { // jo, al, once, another, k3
		t.Errorf("%d sites were made, want 5", made)
	}
}

func TestTwoAtOnceMakeOne(t *testing.T) {
	h := newHouse(t)
	before := h.cluster.Created()
	var all sync.WaitGroup
	answers := make([]reply, 8)
	for i := range answers {
		all.Go(func() {
			answers[i] = h.boss.ask(keyed("/users", "same", map[string]any{"email": "new@x.example", "name": "New", "role": "administrator"}))
		})
	}
	all.Wait()
	made := 0
	for _, a := range answers {
		switch a.status {
		case http.StatusCreated:
			made++
		case http.StatusConflict:
			if a.header.Get("Retry-After") == "" {
				t.Error("who came second is not told to come back")
			}
		default:
			t.Errorf("status %d: %s", a.status, a.body)
		}
	}
	if made == 0 || h.cluster.Created() != before {
		t.Errorf("%d of %d were answered with what was made", made, len(answers))
	}
	if found := h.boss.get("/users?q=new@x.example").want(t, http.StatusOK); *read[rest.List[rest.User]](t, found).Total != 1 {
		t.Errorf("%s, want one account", found.body)
	}
}

// Whoever dies between making something and keeping the answer leaves a request that
// the next one answers with what was made, and never makes it twice.
func TestADeathBeforeTheAnswerIsKept(t *testing.T) {
	tests := map[string]struct {
		path string
		body map[string]any
		do   func(h *house, rules *hosting.Provider) error
	}{
		"site": {"/sites", map[string]any{"name": "dead.example", "storage": "5Gi", "cpu": "1000m", "memory": "512Mi"}, func(h *house, rules *hosting.Provider) error {
			_, err := rules.CreateSite(h.t.Context(), h.actor(h.boss), "", hosting.NewSite{Name: "dead.example", Storage: "5Gi", CPU: "1000m", Memory: "512Mi"}, false)
			return err
		}},
		"package": {"/packages", map[string]any{"name": "Dead", "quota": map[string]any{}}, func(h *house, rules *hosting.Provider) error {
			_, err := rules.CreatePackage(h.t.Context(), h.actor(h.boss), hosting.NewPackage{Name: "Dead"})
			return err
		}},
		"cron job": {"/sites/jo.example/cron", map[string]any{"name": "dead", "schedule": "@daily", "shell": "true"}, func(h *house, rules *hosting.Provider) error {
			return rules.SetCronJob(h.t.Context(), h.actor(h.boss), "jo.example", "", hosting.CronWish{Name: "dead", Schedule: "@daily", Line: "true"})
		}},
		"user": {"/users", map[string]any{"name": "Dead", "email": "dead@x.example", "role": "administrator"}, func(h *house, rules *hosting.Provider) error {
			_, err := rules.CreateUser(h.t.Context(), h.actor(h.boss), hosting.NewUser{Name: "Dead", Email: "dead@x.example", Role: hosting.Administrator})
			return err
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			q := keyed(tt.path, "k", tt.body)
			// What the first panel did before it died.
			digest := rest.Digest(http.MethodPost, rest.Prefix+tt.path, h.text(tt.body))
			o, err := h.rules.BeginOnce(t.Context(), h.actor(h.boss), "k", digest, 0)
			h.must(err)
			h.must(tt.do(h, h.rules.Once(o)))
			h.boss.ask(q).problem(t, http.StatusConflict, hosting.Conflict, "") // it may live still
			h.pass(5 * time.Minute)
			answered := h.boss.ask(q).want(t, http.StatusCreated)
			if at := answered.header.Get("Location"); at == "" {
				t.Error("the answer does not say where it is")
			} else {
				h.boss.get(at[len(rest.Prefix):]).want(t, http.StatusOK)
			}
			if again := h.boss.ask(q); string(again.body) != string(answered.body) {
				t.Errorf("the next answer is %s, want %s", again.body, answered.body)
			}
			// The first was only slow: what it goes on to do counts for nothing.
			if err := tt.do(h, h.rules.Once(o)); err == nil {
				t.Error("whoever was taken for dead could make it again")
			}
			h.must(h.rules.Settle(t.Context()))
		})
	}
}

func TestPackagesTellWhomTheyPutOver(t *testing.T) {
	h := newHouse(t)
	at := "/packages/" + string(h.pack)
	none := map[string]any{"name": "None", "quota": map[string]any{"sites": 0}}
	h.boss.post(at+"/plan", map[string]any{"quota": map[string]any{"sites": 0}}).want(t, http.StatusOK, "al@al.example")
	h.boss.ask(request{method: http.MethodPut, path: at, body: none}).problem(t, http.StatusConflict, hosting.Conflict, "")
	h.boss.ask(request{method: http.MethodPut, path: at + "?accept=true", body: none}).want(t, http.StatusOK, `"sites":0`)
	h.boss.ask(request{method: http.MethodDelete, path: at}).problem(t, http.StatusConflict, hosting.Conflict, "")
}

// What nobody needs goes, once, and only as it was read.
func TestWhatIsUnusedIsDeleted(t *testing.T) {
	h := newHouse(t)
	for path, body := range map[string]map[string]any{
		"/packages": {"name": "Spare", "quota": map[string]any{}},
		"/users":    {"email": "spare@x.example", "name": "Spare", "role": "administrator"},
	} {
		at := h.boss.post(path, body).want(t, http.StatusCreated).header.Get("Location")[len(rest.Prefix):]
		tag := h.boss.get(at).header.Get("Etag")
		remove := func(tag string) reply {
			return h.boss.ask(request{method: http.MethodDelete, path: at, header: map[string]string{"If-Match": tag}})
		}
		remove(`"older.1"`).problem(t, http.StatusPreconditionFailed, hosting.Changed, "")
		remove(tag).want(t, http.StatusNoContent)
		remove(tag).problem(t, http.StatusNotFound, hosting.NotFound, "")
		h.boss.get(at).problem(t, http.StatusNotFound, hosting.NotFound, "")
	}
	h.boss.ask(request{method: http.MethodDelete, path: "/users/" + string(h.al.user.ID)}).problem(t, http.StatusConflict, hosting.Conflict, "") // it has a site
}

// A secret is in the answer that made it and nowhere else: not in what is kept of that
// answer, and so not in the next one to the same request.
func TestASecretIsNotKeptWithItsAnswer(t *testing.T) {
	for path, name := range map[string]string{"/webhooks": "createWebhook", "/applications": "createApplication"} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			q := keyed(path, "k", h.body(name, h.boss))
			type made struct {
				ID     string `json:"id"`
				Secret string `json:"secret"`
			}
			first := h.boss.ask(q).want(t, http.StatusCreated)
			one := read[made](t, first)
			again := h.boss.ask(q).want(t, http.StatusCreated)
			other := read[made](t, again)
			if one.Secret == "" || other.Secret != "" || other.ID != one.ID || again.header.Get("Location") != first.header.Get("Location") {
				t.Errorf("the first answer is %s, the next %s, want the same without its secret", first.body, again.body)
			}
			kept, err := h.db.Once(t.Context(), h.boss.user.ID, "k")
			h.must(err)
			if strings.Contains(string(kept.Answer), one.Secret) || len(kept.Answer) == 0 {
				t.Errorf("kept is %s", kept.Answer)
			}
			// Its tag is as good as any: what was made can be deleted by it.
			at := again.header.Get("Location")[len(rest.Prefix):]
			h.boss.ask(request{method: http.MethodDelete, path: at, header: map[string]string{"If-Match": again.header.Get("Etag")}}).want(t, http.StatusNoContent)
		})
	}
}

// Whatever is to be told once is no part of an answer that is kept.
func TestNoAnswerThatIsKeptShowsASecret(t *testing.T) {
	h := newHouse(t)
	for path, item := range h.doc.Paths.Map() {
		op := item.Post
		if op == nil || op.Parameters.GetByInAndName("header", "Idempotency-Key") == nil {
			continue
		}
		for status, answer := range op.Responses.Map() {
			media := answer.Value.Content.Get("application/json")
			if status == "default" || media == nil {
				continue
			}
			for field := range media.Schema.Value.Properties {
				if secret := field == "secret" || field == "password"; secret && !slices.Contains([]string{"createWebhook", "createApplication"}, op.OperationID) {
					t.Errorf("POST %s answers with %s and takes a key: keep its answer without it, and try that in TestASecretIsNotKeptWithItsAnswer", path, field)
				}
			}
		}
	}
}

func TestTheTrailInPagesAndAsAWhole(t *testing.T) {
	h := newHouse(t)
	path, seen := "/audit?limit=3", 0
	var items []rest.Entry
	for path != "" {
		page := read[rest.List[rest.Entry]](t, h.boss.get(path).want(t, http.StatusOK))
		seen += len(page.Items)
		items = append(items, page.Items...)
		path = ""
		if page.Next != "" {
			path = "/audit?limit=3&cursor=" + page.Next
		}
	}
	whole := h.boss.get("/audit/export").want(t, http.StatusOK)
	lines := 0
	for line := range strings.Lines(string(whole.body)) {
		want, err := json.Marshal(items[lines])
		h.must(err)
		if strings.TrimSpace(line) != string(want) {
			t.Errorf("the export has %s, and the list %s", line, want)
		}
		lines++
	}
	if seen != lines || seen == 0 {
		t.Errorf("pages have %d entries and the export %d", seen, lines)
	}
	h.boss.post("/audit/verify", nil).want(t, http.StatusOK, fmt.Sprintf(`"entries":%d`, seen))
	h.jo.post("/audit/verify", nil).problem(t, http.StatusForbidden, hosting.Forbidden, "")
	h.boss.get("/audit?did=site.create").want(t, http.StatusOK, "jo.example")
}

func TestATokenEndsItself(t *testing.T) {
	h := newHouse(t)
	h.jo.get("/account").want(t, http.StatusOK, `"role":"customer"`)
	h.jo.get("/account/tokens").want(t, http.StatusOK, `"name":"test"`)
	h.jo.ask(request{method: http.MethodDelete, path: "/account/token"}).want(t, http.StatusNoContent)
	h.jo.get("/account").problem(t, http.StatusUnauthorized, hosting.SignIn, "")
}

func TestAnApplicationFromMakingToDeletion(t *testing.T) {
	h := newHouse(t)
	form := map[string]any{"name": "Grafana", "redirects": []string{"https://grafana.example/login"}, "roles": []string{"administrator"}}
	made := h.boss.post("/applications", form)
	made.want(t, http.StatusCreated, `"secret":"kpa_`, `"name":"Grafana"`)
	at := made.header.Get("Location")[len(rest.Prefix):]
	shown := h.boss.get(at)
	shown.want(t, http.StatusOK, "https://grafana.example/login")
	if strings.Contains(string(shown.body), "kpa_") || strings.Contains(string(h.boss.get("/applications").body), "kpa_") {
		t.Error("the secret is shown again")
	}
	form["roles"] = []string{"customer"}
	h.boss.ask(request{method: http.MethodPut, path: at, body: form, header: map[string]string{"If-Match": shown.header.Get("Etag")}}).want(t, http.StatusOK, `"roles":["customer"]`)
	h.boss.ask(request{method: http.MethodPut, path: at, body: form, header: map[string]string{"If-Match": shown.header.Get("Etag")}}).problem(t, http.StatusPreconditionFailed, hosting.Changed, "")
	form["redirects"] = []string{"http://plain.example"}
	h.boss.ask(request{method: http.MethodPut, path: at, body: form}).problem(t, http.StatusUnprocessableEntity, hosting.Invalid, "redirects")
	h.boss.post(at+"/secret", nil).want(t, http.StatusOK, `"secret":"kpa_`)
	h.boss.ask(request{method: http.MethodDelete, path: at}).want(t, http.StatusNoContent)
	h.boss.get(at).problem(t, http.StatusNotFound, hosting.NotFound, "")
}
