package rest_test

import (
	"net/http"
	"strings"
	"testing"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/rest"
)

// A package that nobody has, and that a company's newcomers get, is not deleted, and the
// answer says which company.
func TestAPackageOfACompanysNewcomersStays(t *testing.T) {
	h := newHouse(t)
	made := h.boss.post("/packages", map[string]any{"name": "Starter", "quota": map[string]any{}}).want(t, http.StatusCreated)
	at := strings.TrimPrefix(made.header.Get("Location"), rest.Prefix)
	works := company("Works")
	works["role"], works["package"] = "customer", strings.TrimPrefix(at, "/packages/")
	its := h.boss.post("/companies", works).want(t, http.StatusCreated)
	gone := request{method: http.MethodDelete, path: at}
	h.boss.ask(gone).want(t, http.StatusConflict, "Newcomers of the company Works get the package Starter.")
	h.boss.ask(request{method: http.MethodDelete, path: strings.TrimPrefix(its.header.Get("Location"), rest.Prefix)}).want(t, http.StatusNoContent)
	h.boss.ask(gone).want(t, http.StatusNoContent)
}

func TestACompanysPeopleMaySignIn(t *testing.T) {
	h := newHouse(t)
	made := h.boss.post("/companies", company("Works")).want(t, http.StatusCreated, `"issuer":"https://login.works.example"`, "https://panel.example/")
	at := strings.TrimPrefix(made.header.Get("Location"), rest.Prefix)
	shown := h.boss.get(at).want(t, http.StatusOK, `"name":"Works"`)
	if strings.Contains(string(made.body)+string(shown.body), "a secret") {
		t.Error("the client's secret is shown")
	}
	other := company("Other")
	delete(other, "secret") // stays
	put := request{method: http.MethodPut, path: at, body: other, header: map[string]string{"If-Match": shown.header.Get("Etag")}}
	h.boss.ask(put).want(t, http.StatusOK, `"name":"Other"`)
	h.boss.ask(put).problem(t, http.StatusPreconditionFailed, hosting.Changed, "")
	id := hosting.ID(strings.TrimPrefix(at, "/companies/"))
	if kept, err := h.rules.IdentityProvider(t.Context(), h.actor(h.boss), id); err != nil || string(kept.Secret) != "a secret" {
		t.Errorf("the secret is %v (%v) after a change that left it out", kept, err)
	}
	h.boss.get("/companies").want(t, http.StatusOK, `"name":"Other"`)
	h.boss.post("/companies", map[string]any{"name": "X", "issuer": "http://x", "clientId": "", "domains": []string{}}).problem(t, http.StatusUnprocessableEntity, hosting.Invalid, "clientId")
	h.boss.ask(request{method: http.MethodDelete, path: at}).want(t, http.StatusNoContent)
	h.boss.get(at).problem(t, http.StatusNotFound, hosting.NotFound, "")
}
