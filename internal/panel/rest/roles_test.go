package rest_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"kubepanel.io/kubepanel/internal/hosting"
)

// theirs says what comes of an operation on an object of somebody: who asks is the
// administrator, the reseller whose customer it is, the customer whose it is, a
// collaborator of that customer, and a customer who has nothing to do with it. y is for
// done, n for not there, f for refused.
var theirs = map[string]string{
	"listSites": "yyyyy", "createSite": "yyyny", "getSite": "yyyyn", "changeSite": "yyyyn", "deleteSite": "yyyfn", "getSiteProgress": "yyyyn", "planSite": "yyyyn",
	"restartSite": "yyyyn", "getSiteCredentials": "yyyfn", "assignSite": "ynnnn",
	"listUsers": "yyyyy", "createUser": "yyfff", "getUser": "yyynn", "changeUser": "yyfnn", "deleteUser": "yyfnn", "getUserUsage": "yyynn", "suspendUser": "yyfnn",
	"resumeUser": "yyfnn", "createUserLink": "yyfnn",
	"listCollaborators": "yyynn", "inviteCollaborator": "yyynn", "removeCollaborator": "yyynn",
	"listPackages": "yynnn", "createPackage": "yyfff", "getPackage": "yynnn", "changePackage": "yynnn", "deletePackage": "yynnn", "planPackage": "yynnn",
	"listAudit": "yyyny", "exportAudit": "yyyny", "verifyAudit": "yffff",
	"listRuntimes": "yyyyy", "getPlatform": "yyyyy",
	"getAccount": "yyyyy", "listTokens": "yyyyy", "endToken": "yyyyy", "listSessions": "yyyyy",
	"listWebhooks": "yyyny", "createWebhook": "yyyny", "getWebhook": "nnynn", "changeWebhook": "nnynn", "deleteWebhook": "nnynn", "renewWebhookSecret": "nnynn",
	"listApplications": "yffff", "createApplication": "yffff", "getApplication": "yffff", "replaceApplication": "yffff", "deleteApplication": "yffff", "renewApplicationSecret": "yffff",
	"testWebhook": "nnynn", "listDeliveries": "nnynn", "getDelivery": "nnynn", "replayDelivery": "nnynn",
}

// What anybody may do with anything stands in theirs, and what does not stand there
// fails.
func TestEveryOperationRoleAndObject(t *testing.T) {
	h := newHouse(t)
	h.webhook()
	h.application()
	var seen []string
	for path, item := range h.doc.Paths.Map() {
		for method, op := range item.Operations() {
			seen = append(seen, op.OperationID)
			want := theirs[op.OperationID]
			if want == "" {
				t.Errorf("who may do %s is not written here", op.OperationID)
				continue
			}
			for i := range want {
				h := h
				if want[i] == 'y' && method != http.MethodGet { // what changes the world has one of its own
					h = newHouse(t)
					h.webhook()
					h.application()
				}
				who := []*account{h.boss, h.seller, h.jo, h.helper, h.al}[i]
				got := who.ask(request{method: method, path: h.path(path), body: h.body(op.OperationID, who)})
				if letter(got.status) != want[i:i+1] {
					t.Errorf("%s of %s by %s = %d %s, want %s", op.OperationID, h.path(path), who.user.Role, got.status, got.body, want[i:i+1])
				}
			}
		}
	}
	if len(seen) != len(theirs) {
		for id := range theirs {
			if !slices.Contains(seen, id) {
				t.Errorf("there is no operation %s", id)
			}
		}
	}
}

func letter(status int) string {
	switch {
	case status < http.StatusMultipleChoices, status == http.StatusConflict, status == http.StatusUnprocessableEntity:
		return "y" // it was let through to the rules of what can be
	case status == http.StatusNotFound:
		return "n"
	case status == http.StatusForbidden:
		return "f"
	}
	return fmt.Sprint(status)
}

// webhook gives jo one that was sent something.
func (h *house) webhook() {
	h.t.Helper()
	name, url, events := "Hook", "https://hooks.example/", []string{"site.create"}
	w, err := h.rules.CreateWebhook(h.t.Context(), h.actor(h.jo), hosting.NewWebhook{Name: &name, URL: &url, Events: &events})
	h.must(err)
	d, err := h.rules.TestWebhook(h.t.Context(), h.actor(h.jo), w.ID)
	h.must(err)
	h.hook, h.delivery = w.ID, d.ID
}

// application is one that people sign in to by the panel.
func (h *house) application() {
	h.t.Helper()
	app, _, err := h.rules.CreateApplication(h.t.Context(), h.actor(h.boss), hosting.Application{Name: "Grafana", Redirects: []string{"https://grafana.example/login"}, Roles: hosting.Roles()})
	h.must(err)
	h.app = app.ID
}

// path is one of jo's things.
func (h *house) path(template string) string {
	pack := h.jo.user.Package
	return strings.NewReplacer("{site}", "jo.example", "{user}", string(h.jo.user.ID), "{collaborator}", string(h.helper.user.ID),
		"{package}", string(pack), "{webhook}", string(h.hook), "{delivery}", string(h.delivery), "{application}", string(h.app)).Replace(template)
}

// body is one that the operation can use.
func (h *house) body(operation string, who *account) any {
	switch operation {
	case "createSite":
		return map[string]any{"name": "new.example"}
	case "changeSite", "planSite":
		return map[string]any{"title": "T"}
	case "getSiteCredentials":
		return map[string]any{"for": "sftp"}
	case "assignSite":
		return map[string]any{"owner": h.al.user.ID}
	case "createUser":
		pack := h.pack
		if who == h.seller {
			pack = h.jo.user.Package
		}
		return map[string]any{"email": "new@x.example", "name": "New", "role": "customer", "package": pack}
	case "changeUser":
		return map[string]any{"name": "Other"}
	case "inviteCollaborator":
		return map[string]any{"email": "friend@x.example", "name": "Friend", "rights": []string{"site.view"}}
	case "createPackage", "changePackage":
		return map[string]any{"name": "Other", "quota": map[string]any{"sites": 1}}
	case "planPackage":
		return map[string]any{"quota": map[string]any{}}
	case "createWebhook":
		return map[string]any{"name": "N", "url": "https://hooks.example/", "events": []string{"*"}}
	case "createApplication", "replaceApplication":
		return map[string]any{"name": "Other", "redirects": []string{"https://other.example/login"}, "roles": []string{"administrator"}}
	case "changeWebhook":
		return map[string]any{"name": "Other"}
	}
	return nil
}
