package rest_test

import (
	"net/http"
	"strings"
	"testing"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/rest"
)

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
