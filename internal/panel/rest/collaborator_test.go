package rest_test

import (
	"net/http"
	"testing"

	"kubepanel.io/kubepanel/internal/hosting"
)

// Rights that somebody else changed since they were read are neither replaced nor taken away.
func TestACollaboratorsRightsHaveAVersion(t *testing.T) {
	h := newHouse(t)
	at := "/users/" + string(h.jo.user.ID) + "/collaborators"
	invite := func(tag string, rights ...string) request {
		r := request{method: http.MethodPost, path: at, body: map[string]any{"email": "friend@x.example", "name": "Friend", "rights": rights}}
		if tag != "" {
			r.header = map[string]string{"If-Match": tag}
		}
		return r
	}
	h.jo.ask(invite(`"of-nothing.x"`, "site.logs")).problem(t, http.StatusPreconditionFailed, hosting.Changed, "")
	made := h.jo.ask(invite("", "site.logs"))
	made.want(t, http.StatusOK, `"rights":["site.view","site.logs"]`)
	u, err := h.rules.Store.UserByEmail(t.Context(), "friend@x.example")
	h.must(err)
	friend := string(u.ID)
	shown := h.jo.get(at + "/" + friend)
	shown.want(t, http.StatusOK, `"rights":["site.view","site.logs"]`)
	first := shown.header.Get("Etag")
	if first == "" || first != made.header.Get("Etag") {
		t.Errorf("it was made as %s and reads as %s", made.header.Get("Etag"), first)
	}
	h.jo.ask(request{method: http.MethodGet, path: at + "/" + friend, header: map[string]string{"If-None-Match": first}}).want(t, http.StatusNotModified)
	h.jo.get(at+"/"+friend+"?site=jo.example").problem(t, http.StatusNotFound, hosting.NotFound, "")
	// The same rights in another order are the same.
	h.jo.ask(invite(first, "site.logs", "site.view")).want(t, http.StatusOK)
	second := h.jo.ask(invite(first, "site.files"))
	second.want(t, http.StatusOK)
	h.jo.ask(invite(first, "site.cron")).problem(t, http.StatusPreconditionFailed, hosting.Changed, "")
	gone := func(tag string) request {
		return request{method: http.MethodDelete, path: at + "/" + friend, header: map[string]string{"If-Match": tag}}
	}
	h.jo.ask(gone(first)).problem(t, http.StatusPreconditionFailed, hosting.Changed, "")
	h.jo.get(at+"/"+friend).want(t, http.StatusOK, `"site.files"`)
	h.jo.ask(gone(second.header.Get("Etag"))).want(t, http.StatusNoContent)
	h.jo.ask(gone(second.header.Get("Etag"))).problem(t, http.StatusPreconditionFailed, hosting.Changed, "")
}
