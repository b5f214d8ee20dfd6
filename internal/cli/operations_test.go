package cli

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// lines are the commands that ask for each operation of the API. What begins with "-" is
// no command but the reason why there is none, on purpose.
var lines = map[string]string{
	"getAccount": "account show", "listSessions": "account sessions", "listBrowsers": "account browsers", "endToken": "logout", "listTokens": "token list",
	"listApplications": "application list", "createApplication": "application create", "getApplication": "application change", "replaceApplication": "application change",
	"renewApplicationSecret": "application secret", "deleteApplication": "application delete",
	"listAudit": "audit list", "exportAudit": "audit export", "verifyAudit": "audit verify", "getAuditSending": "audit sending",
	"listRuntimes":  "platform runtimes",
	"listCompanies": "company list", "createCompany": "company create", "getCompany": "company change", "changeCompany": "company change", "deleteCompany": "company delete",
	"listNodes": "node list", "getNode": "node show", "listNodePods": "node show", "closeNode": "node drain", "openNode": "node uncordon",
	"listPackages": "package list", "getPackage": "package show", "createPackage": "package create", "changePackage": "package change", "planPackage": "package change",
	"deletePackage": "package delete",
	"getPlatform":   "panel show", "getPanelSettings": "settings show", "changePanelSettings": "settings set",
	"getPanelLogo": "settings logo get", "putPanelLogo": "settings logo set", "deletePanelLogo": "settings logo remove",
	"listSites": "site list", "createSite": "site create", "getSite": "site show", "changeSite": "site set", "deleteSite": "site delete", "planSite": "site plan", "assignSite": "site assign",
	"planSiteSpec": "site plan", "planSiteDeletion": "site plan", "getSiteProgress": "site wait", "getSiteCredentials": "site password", "purgeSiteCache": "site purge-cache", "restartSite": "site restart",
	"getSiteUsage": "site usage", "visitDatabase": "database visit", "renewDatabasePassword": "database renew-password",
	"listCronJobs": "site cron list", "getCronJob": "site cron set", "createCronJob": "site cron create", "changeCronJob": "site cron set", "deleteCronJob": "site cron delete",
	"runCronJob": "site cron run", "listCronRuns": "site cron output", "getCronOutput": "site cron output",
	"listFiles": "site files ls", "getFile": "site files get", "readFile": "site files get", "downloadFolder": "site files get", "getUpload": "site files put", "upload": "site files put",
	"copyFiles": "site files cp", "moveFiles": "site files mv", "renameFile": "site files rename", "makeFolder": "site files mkdir", "setFileMode": "site files chmod", "packFiles": "site files pack",
	"unpackFile": "site files unpack", "trashFiles": "site files rm", "listTrash": "site files trash", "restoreFiles": "site files restore", "emptyTrash": "site files empty-trash",
	"listFileJobs": "site files jobs", "getFileJob": "site files cp", "cancelFileJob": "site files cancel",
	"listFindings": "site findings list", "restoreFinding": "site findings restore", "deleteFinding": "site findings delete", "sweepSite": "site findings look",
	"listLogs": "site logs", "searchLog": "site logs", "downloadLog": "site logs", "followLog": "site logs",
	"listUsers": "user list", "getUser": "user show", "getUserUsage": "user show", "createUser": "user create", "changeUser": "user change", "deleteUser": "user delete",
	"suspendUser": "user suspend", "resumeUser": "user resume", "endUserSessions": "user sign-out", "createUserLink": "user link", "resetUserFactors": "user reset-factors",
	"listCollaborators": "collaborator list", "getCollaborator": "collaborator change", "inviteCollaborator": "collaborator invite", "removeCollaborator": "collaborator remove",
	"listWebhooks": "webhook list", "getWebhook": "webhook show", "createWebhook": "webhook create", "changeWebhook": "webhook change", "renewWebhookSecret": "webhook secret",
	"testWebhook": "webhook test", "deleteWebhook": "webhook delete", "listDeliveries": "webhook deliveries", "getDelivery": "webhook delivery", "replayDelivery": "webhook replay",
	"cancelUpload": "- site files put goes on where it was cut, and what nobody goes on with is gone after a week",
	"saveFile":     "- site files put sends a file of any size, also instead of one that is there",
}

// operations are all that the API's document has.
func operations(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("../../docs/panel/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	var document struct {
		Paths map[string]map[string]struct {
			OperationID string `json:"operationId"`
		} `json:"paths"`
	}
	if err := json.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, methods := range document.Paths {
		for _, one := range methods {
			all = append(all, one.OperationID)
		}
	}
	slices.Sort(all)
	return all
}

func TestEveryOperationHasItsLine(t *testing.T) {
	all := operations(t)
	for _, id := range all {
		if lines[id] == "" {
			t.Errorf("the operation %s has no command: make one, or write down why not", id)
		}
	}
	root, source := newRoot(testEnv(newFake(t))), everySource(t)
	for _, id := range slices.Sorted(maps.Keys(lines)) {
		line := lines[id]
		if !slices.Contains(all, id) {
			t.Errorf("the API has no operation %s any more", id)
		}
		method := "." + strings.ToUpper(id[:1]) + id[1:]
		asked := strings.Contains(source, method+"With") || strings.Contains(source, method+"(")
		if strings.HasPrefix(line, "- ") {
			if asked {
				t.Errorf("a command asks for %s, which is said to have none", id)
			}
			continue
		}
		found, left, err := root.Find(strings.Fields(line))
		if err != nil || len(left) > 0 || found.HasSubCommands() {
			t.Errorf("%s: there is no command %q", id, line)
		}
		if !asked {
			t.Errorf("no command asks for %s, and %q is said to", id, line)
		}
	}
}

// everySource is the text of the commands.
func everySource(t *testing.T) string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	return all.String()
}
