package cli

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"kubepanel.io/kubepanel/internal/panel/web"
)

const (
	signingIn = "- a browser signs in, with what only a person has: a password, a passkey, a code; a program has a token"
	oneself   = "- how somebody signs in is changed by that person alone, at the panel, who shows the password or passkey anew"
)

// actions are the operations that do what each form and button of the pages does; the
// command is the one that lines names. What begins with "-" is a browser's alone, and says
// why.
var actions = map[string]string{
	"POST /sign-in": signingIn, "POST /sign-in/code": signingIn, "POST /sign-in/mailed": signingIn, "POST /sign-in/mailed/again": signingIn, "POST /sign-in/passkey": signingIn, "POST /sign-in/passkey/answer": signingIn, "POST /start": signingIn,
	"POST /sign-out":   "- it ends the browser's session; a token ends with endToken",
	"POST /enrol/code": oneself, "POST /enrol/code/confirm": oneself, "POST /enrol/passkey": oneself, "POST /enrol/passkey/answer": oneself,
	"POST /forgot": "- for who can't sign in; somebody who can gives a link with createUserLink", "POST /password": oneself,
	"POST /look":             "- the theme and the language are this browser's",
	"POST /account/password": oneself, "POST /account/confirm": oneself, "POST /account/code": oneself, "POST /account/code/confirm": oneself, "POST /account/code/remove": oneself,
	"POST /account/recovery-codes": oneself,
	"POST /account/passkey":        oneself, "POST /account/passkey/answer": oneself, "POST /account/passkey/remove": oneself,
	"POST /account/sessions/end":    "- a stolen token must not end the sessions of the person whose it is; account sessions lists them",
	"POST /account/browsers/forget": "- as with sessions; account browsers lists them",
	"POST /account/tokens":          "- a token must not make another one that lasts longer",
	"POST /account/tokens/revoke":   "endToken",

	"POST /sites": "createSite", "POST /sites/{site}/change": "changeSite planSite", "POST /sites/{site}/delete": "deleteSite", "POST /sites/{site}/password": "getSiteCredentials",
	"POST /sites/{site}/database": "visitDatabase", "POST /sites/{site}/database/password": "renewDatabasePassword", "POST /sites/{site}/restart": "restartSite", "POST /sites/{site}/purge-cache": "purgeSiteCache", "POST /sites/{site}/suspend": "changeSite", "POST /sites/{site}/resume": "changeSite",
	"POST /sites/{site}/cron": "createCronJob changeCronJob", "POST /sites/{site}/cron/{job}/run": "runCronJob", "POST /sites/{site}/cron/{job}/delete": "deleteCronJob",
	"POST /sites/{site}/files":                      "makeFolder trashFiles moveFiles copyFiles packFiles renameFile setFileMode unpackFile restoreFiles emptyTrash",
	"POST /sites/{site}/files/jobs/{change}/cancel": "cancelFileJob",
	"POST /sites/{site}/files/findings":             "restoreFinding deleteFinding sweepSite",
	"POST /sites/{site}/files/edit":                 "saveFile", "HEAD /sites/{site}/files/upload": "getUpload", "PATCH /sites/{site}/files/upload": "upload", "DELETE /sites/{site}/files/upload": "cancelUpload",

	"POST /users": "createUser", "POST /users/{user}": "changeUser", "POST /users/{user}/suspend": "suspendUser", "POST /users/{user}/resume": "resumeUser",
	"POST /users/{user}/sign-out": "endUserSessions", "POST /users/{user}/link": "createUserLink", "POST /users/{user}/factors": "resetUserFactors", "POST /users/{user}/delete": "deleteUser",
	"POST /users/{user}/invite": "- it mails the link that createUserLink shows; a program has mail of its own",
	"POST /users/{user}/act-as": "- looking at the pages as somebody else needs pages", "POST /act-as/end": "- looking at the pages as somebody else needs pages",
	"POST /users/{user}/collaborators": "inviteCollaborator", "POST /users/{user}/collaborators/remove": "removeCollaborator",
	"POST /packages": "createPackage", "POST /packages/{package}": "changePackage planPackage", "POST /packages/{package}/delete": "deletePackage",

	"POST /companies": "createCompany", "POST /companies/{company}": "changeCompany", "POST /companies/{company}/delete": "deleteCompany",
	"POST /applications": "createApplication", "POST /applications/{application}": "replaceApplication", "POST /applications/{application}/secret": "renewApplicationSecret",
	"POST /applications/{application}/delete": "deleteApplication",
	"POST /platform/settings":                 "changePanelSettings", "POST /platform/first-steps": "changePanelSettings", "POST /platform/logo": "putPanelLogo", "POST /platform/logo/remove": "deletePanelLogo",
	"POST /platform/nodes/{node}/close": "closeNode", "POST /platform/nodes/{node}/open": "openNode",
}

func TestEveryActionOfThePagesHasItsOperationAndItsLine(t *testing.T) {
	all, ids := web.Actions(), operations(t)
	for _, action := range all {
		if actions[action] == "" {
			t.Errorf("%s: no operation does that without a browser: make one, or write down why not", action)
		}
	}
	for _, action := range slices.Sorted(maps.Keys(actions)) {
		if !slices.Contains(all, action) {
			t.Errorf("the pages have no %s any more", action)
		}
		if strings.HasPrefix(actions[action], "- ") {
			continue
		}
		for _, id := range strings.Fields(actions[action]) {
			if !slices.Contains(ids, id) {
				t.Errorf("%s: the API has no operation %s", action, id)
			}
			if lines[id] == "" { // what is in lines has a command, see TestEveryOperationHasItsLine
				t.Errorf("%s: %s has no command", action, id)
			}
		}
	}
}

// The pages tell which line does the same: it must be one that there is.
func TestEveryLineOfThePagesIsOneThatThereIs(t *testing.T) {
	found := 0
	for file, said := range linesOfPages(t) {
		for _, line := range said {
			if !strings.HasPrefix(line, "kubepanel ") {
				continue
			}
			found++
			root := newRoot(testEnv(newFake(t)))
			cmd, left, err := root.Find(split(line)[1:])
			if err != nil || cmd.HasSubCommands() {
				t.Errorf("%s: there is no command %q", file, line)
				continue
			}
			if err := cmd.ParseFlags(left); err != nil {
				t.Errorf("%s: %q: %v", file, line, err)
			} else if err := cmd.ValidateArgs(cmd.Flags().Args()); err != nil {
				t.Errorf("%s: %q: %v", file, line, err)
			}
		}
	}
	if found < 40 {
		t.Errorf("the pages have %d lines, and had more: does this test still find them?", found)
	}
}

// linesOfPages are the texts that sameElsewhere gets in each view, with a word in place of
// what is no text there.
func linesOfPages(t *testing.T) map[string][]string {
	t.Helper()
	files, err := filepath.Glob("../panel/web/*_templ.go")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]string{}
	for _, file := range files {
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			if name, ok := call.Fun.(*ast.Ident); ok && name.Name == "sameElsewhere" {
				for _, arg := range call.Args[1:] {
					all[filepath.Base(file)] = append(all[filepath.Base(file)], textOf(arg))
				}
			}
			return true
		})
	}
	return all
}

func textOf(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		if text, err := strconv.Unquote(e.Value); err == nil {
			return text
		}
	case *ast.BinaryExpr:
		return textOf(e.X) + textOf(e.Y)
	}
	return "x"
}
