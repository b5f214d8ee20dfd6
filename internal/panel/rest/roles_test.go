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
	"listSites": "yyyyy", "createSite": "yyyny", "getSite": "yyyyn", "changeSite": "yyyyn", "deleteSite": "yyyfn", "getSiteProgress": "yyyyn", "planSite": "yyyyn", "planSiteSpec": "yyyyy", "planSiteDeletion": "yyyfn",
	"restartSite": "yyyyn", "purgeSiteCache": "yyyyn", "getSiteCredentials": "yyyfn", "visitDatabase": "yyyfn", "renewDatabasePassword": "yyyyn", "assignSite": "ynnnn",
	"listFiles": "yyyfn", "getFile": "yyyfn", "readFile": "yyyfn", "saveFile": "yyyfn", "downloadFolder": "yyyfn", "makeFolder": "yyyfn", "moveFiles": "yyyfn",
	"copyFiles": "yyyfn", "renameFile": "yyyfn", "setFileMode": "yyyfn", "trashFiles": "yyyfn", "listTrash": "yyyfn", "restoreFiles": "yyyfn", "emptyTrash": "yyyfn",
	"listFileJobs": "yyyfn", "getFileJob": "yyyfn", "cancelFileJob": "yyyfn",
	"packFiles": "yyyfn", "unpackFile": "yyyfn", "getUpload": "yyyfn", "upload": "yyyfn", "cancelUpload": "yyyfn",
	"getSiteUsage": "yyyyn", "listNodes": "yffff", "getNode": "yffff", "listNodePods": "yffff", "closeNode": "yffff", "openNode": "yffff",
	"listCompanies": "yffff", "createCompany": "yffff", "getCompany": "yffff", "changeCompany": "yffff", "deleteCompany": "yffff",
	"listLogs": "yyyfn", "searchLog": "yyyfn", "downloadLog": "yyyfn", "followLog": "yyyfn",
	"listCronJobs": "yyyfn", "createCronJob": "yyyfn", "getCronJob": "yyyfn", "changeCronJob": "yyyfn", "deleteCronJob": "yyyfn", "runCronJob": "yyyfn",
	"listCronRuns": "yyyfn", "getCronOutput": "yyyfn",
	"listFindings": "yyyfn", "restoreFinding": "yyyfn", "deleteFinding": "yyyfn", "sweepSite": "yyyfn",
	"listUsers": "yyyyy", "createUser": "yyfff", "getUser": "yyynn", "changeUser": "yyfnn", "deleteUser": "yyfnn", "getUserUsage": "yyynn", "suspendUser": "yyfnn",
	"resumeUser": "yyfnn", "createUserLink": "yyfnn", "endUserSessions": "yyfnn", "resetUserFactors": "yyfnn",
	"listCollaborators": "yyynn", "getCollaborator": "yyynn", "inviteCollaborator": "yyynn", "removeCollaborator": "yyynn",
	"listPackages": "yynnn", "createPackage": "yyfff", "getPackage": "yynnn", "changePackage": "yynnn", "deletePackage": "yynnn", "planPackage": "yynnn",
	"listAudit": "yyyny", "exportAudit": "yyyny", "verifyAudit": "yffff", "getAuditSending": "yffff",
	"listRuntimes": "yyyyy", "getPlatform": "yyyyy",
	"getAccount": "yyyyy", "listTokens": "yyyyy", "endToken": "yyyyy", "listSessions": "yyyyy", "listBrowsers": "yyyyy",
	"listWebhooks": "yyyny", "createWebhook": "yyyny", "getWebhook": "nnynn", "changeWebhook": "nnynn", "deleteWebhook": "nnynn", "renewWebhookSecret": "nnynn",
	"listApplications": "yffff", "createApplication": "yffff", "getApplication": "yffff", "replaceApplication": "yffff", "deleteApplication": "yffff", "renewApplicationSecret": "yffff",
	"getPanelSettings": "yffff", "changePanelSettings": "yffff", "getPanelLogo": "nffff", "putPanelLogo": "yffff", "deletePanelLogo": "yffff",
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
				got := who.ask(request{method: method, path: h.path(path) + query(op.OperationID), body: h.body(op.OperationID, who)})
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
	p, err := h.rules.PutIdentityProvider(h.t.Context(), h.actor(h.boss), hosting.IdentityProvider{Name: "Works", Issuer: "https://login.works.example", ClientID: "panel",
		Secret: []byte("a secret"), Domains: []string{"works.example"}})
	h.must(err)
	h.company = p.ID
}

// company is a body about one.
func company(name string) map[string]any {
	return map[string]any{"name": name, "issuer": "https://login.works.example", "clientId": "panel", "secret": "a secret", "domains": []string{"works.example"}}
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
		"{package}", string(pack), "{company}", string(h.company), "{application}", string(h.app), "{source}", "app", "{node}", "worker-1", "{job}", "mail", "{finding}", "finding", "{change}", "unpacked", "{run}", "mail-1", "{webhook}", string(h.hook), "{delivery}", string(h.delivery)).Replace(template)
}

// query names the file or the site that an operation is about.
func query(operation string) string {
	switch operation {
	case "removeCollaborator":
		return "?site=jo.example"
	case "getFile", "readFile":
		return "?path=/html/index.php"
	case "getCollaborator":
		return "?site=jo.example"
	case "saveFile":
		return "?path=/html/new.php"
	case "downloadFolder":
		return "?path=/html"
	case "getUpload", "upload", "cancelUpload":
		return "?path=/html/up.php&size=1"
	}
	return ""
}

// fileBody is one that an operation on files can use.
func fileBody(operation string) any {
	index := []string{"/html/index.php"}
	switch operation {
	case "saveFile", "upload":
		return "x"
	case "makeFolder":
		return map[string]any{"path": "/html/new"}
	case "moveFiles", "copyFiles":
		return map[string]any{"paths": index, "to": "/html/old"}
	case "renameFile":
		return map[string]any{"path": "/html/index.php", "name": "other.php"}
	case "setFileMode":
		return map[string]any{"path": "/html/index.php", "mode": "600"}
	case "trashFiles":
		return map[string]any{"paths": index}
	case "restoreFiles":
		return map[string]any{"names": []string{"gone.txt.ABCDEFGH"}}
	case "packFiles":
		return map[string]any{"folder": "/html", "names": []string{"old"}, "archive": "new.zip"}
	case "unpackFile":
		return map[string]any{"path": "/html/pack.tar.gz"}
	}
	return nil
}

// body is one that the operation can use.
func (h *house) body(operation string, who *account) any {
	switch operation {
	case "createSite":
		return map[string]any{"name": "new.example"}
	case "changeSite", "planSite":
		return map[string]any{"title": "T"}
	case "planSiteSpec":
		return map[string]any{"spec": map[string]any{"domainName": "jo.example"}}
	case "getSiteCredentials":
		return map[string]any{"for": "sftp"}
	case "assignSite":
		return map[string]any{"owner": h.al.user.ID}
	case "resetUserFactors":
		h.factors(who, h.jo)
		return map[string]any{"password": theirPassword}
	case "createCompany", "changeCompany":
		return company("Other")
	case "closeNode":
		return map[string]any{"drain": true}
	case "createCronJob", "changeCronJob":
		return map[string]any{"name": "report", "schedule": "@daily", "shell": "php report.php"}
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
	case "changePanelSettings":
		return map[string]any{"name": "Other"}
	case "putPanelLogo":
		return "no picture"
	case "changeWebhook":
		return map[string]any{"name": "Other"}
	}
	return fileBody(operation)
}
