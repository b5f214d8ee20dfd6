package rest_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/auth"
)

// A token of who may do an operation does it with the scopes that the document
// names for it, and with all others does not.
func TestEveryOperationWantsItsScopes(t *testing.T) {
	for path, item := range newHouse(t).doc.Paths.Map() {
		for method, op := range item.Operations() {
			var scopes []hosting.Right
			for _, s := range (*op.Security)[0]["token"] {
				scopes = append(scopes, hosting.Right(s))
			}
			t.Run(op.OperationID, func(t *testing.T) {
				for _, missing := range scopes {
					others := slices.DeleteFunc(auth.TokenScopes(), func(r hosting.Right) bool { return r == missing })
					if got := askWith(t, others, method, path, op.OperationID); got.status != http.StatusForbidden {
						t.Errorf("without %s = %d %s", missing, got.status, got.body)
					}
				}
				if len(scopes) == 0 { // every token may
					scopes = []hosting.Right{hosting.RightAuditView}
				}
				if got := askWith(t, scopes, method, path, op.OperationID); got.status == http.StatusForbidden || got.status == http.StatusNotFound && op.OperationID != "getPanelLogo" {
					t.Errorf("with %s = %d %s", scopes, got.status, got.body)
				}
			})
		}
	}
}

// What was answered to one token is not told to another that may not ask for it.
func TestAnAnswerIsRepeatedToWhoMayAsk(t *testing.T) {
	h := newHouse(t)
	create := keyed("/sites", "k1", map[string]any{"name": "other.example"})
	h.jo.ask(create).want(t, http.StatusCreated)
	token, err := h.doors.IssueToken(t.Context(), h.jo.user.Email, auth.NewToken{Name: "reads", Scopes: []hosting.Right{hosting.RightSiteView}, Life: time.Hour})
	h.must(err)
	reads := &account{house: h, user: h.jo.user, token: token}
	reads.ask(create).problem(t, http.StatusForbidden, hosting.Forbidden, "")
	if again := h.jo.ask(create).want(t, http.StatusCreated); again.header.Get("Idempotency-Replayed") != "true" {
		t.Error("who may ask is not answered once more")
	}
}

// askWith has jo, or the administrator where she may not, ask for an operation with a token
// of these scopes, in a house of its own.
func askWith(t *testing.T, scopes []hosting.Right, method, path, operation string) reply {
	t.Helper()
	h := newHouse(t)
	h.webhook()
	h.application()
	who := h.boss
	if theirs[operation][2] == 'y' {
		who = h.jo
	}
	token, err := h.doors.IssueToken(t.Context(), who.user.Email, auth.NewToken{Name: "scoped", Scopes: scopes, Life: time.Hour})
	h.must(err)
	scoped := &account{house: h, user: who.user, token: token}
	return scoped.ask(request{method: method, path: h.path(path) + query(operation), body: h.body(operation, who)})
}
