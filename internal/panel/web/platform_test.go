package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/paneltest"
)

// drained is what the operator writes of a drain.
func drained(y paneltest.Yard, name, reason string, left int32, ready metav1.ConditionStatus) {
	y[name].Status = v1alpha1.NodeMaintenanceStatus{Pods: 4, PodsLeft: &left, Conditions: []metav1.Condition{
		{Type: v1alpha1.ConditionNodeClosed, Status: metav1.ConditionTrue, Reason: "Satisfied"},
		{Type: v1alpha1.ConditionNodeDrained, Status: ready, Reason: reason, Message: "it says why"},
		{Type: v1alpha1.ConditionReady, Status: ready, Reason: reason},
	}}
}

func TestNodeIsClosedDrainedAndOpened(t *testing.T) {
	h, y := newHouse(t), paneltest.Yard{}
	h.rules.Nodes = y
	h.get("/platform/nodes").want(t, http.StatusOK, "worker-1", ">Ready<", "kubelet stopped posting", ">Not ready<")
	h.get("/platform/nodes/worker-1").want(t, http.StatusOK, "jo.example", "Sites here: 1", "Close and move the pods")
	h.post("/platform/nodes/worker-1/close", url.Values{"drain": {"1"}, "reason": {"a new disk"}}).want(t, http.StatusSeeOther)
	if m := y["worker-1"]; m == nil || !m.Spec.Drain || m.Spec.Reason != "a new disk" {
		t.Fatalf("asked for %+v, want a drain with its reason", y["worker-1"])
	}
	drained(y, "worker-1", "Draining", 3, metav1.ConditionFalse)
	h.get("/platform/nodes/worker-1").want(t, http.StatusOK, "Being drained", "1 of 4", "it says why", `hx-trigger="every 2s"`, "a new disk")
	h.part("/platform/nodes/worker-1").want(t, http.StatusOK, `id="changing"`, `id="state"`, "Being drained") // the head's badge comes along
	drained(y, "worker-1", "Satisfied", 0, metav1.ConditionTrue)
	done := h.get("/platform/nodes/worker-1")
	done.want(t, http.StatusOK, ">Drained<", "4 of 4", "Open the node")
	if strings.Contains(done.body, `class="meter high"`) {
		t.Error("a drain that is done looks like a disk that is full")
	}
	if strings.Contains(done.body, "every 2s") {
		t.Error("a node at which nothing goes on is looked at again and again")
	}
	h.post("/platform/nodes/worker-1/open", nil).want(t, http.StatusSeeOther)
	if len(y) != 0 {
		t.Error("the node is still closed")
	}
	h.post("/platform/nodes/worker-1/open", nil).want(t, http.StatusConflict, "kubectl uncordon worker-1")
	h.get("/platform/nodes/nobody").want(t, http.StatusNotFound)
	h.get("/audit").want(t, http.StatusOK, "platform.change", "node worker-1")
}

// What no other node could take stays, and the page says so as something for a person.
func TestDrainOfTheOnlyNodeIsToldAsStuck(t *testing.T) {
	h, y := newHouse(t), paneltest.Yard{}
	h.rules.Nodes = y
	h.post("/platform/nodes/worker-1/close", url.Values{"drain": {"1"}}).want(t, http.StatusSeeOther)
	drained(y, "worker-1", "NoOtherNode", 4, metav1.ConditionFalse)
	h.get("/platform/nodes/worker-1").want(t, http.StatusOK, `class="stalled"`, "it says why", "No other node takes pods", "Take down the sites")
	h.post("/platform/nodes/worker-1/close", url.Values{"drain": {"1"}, "take-down": {"1"}}).want(t, http.StatusSeeOther)
	if !y["worker-1"].Spec.TakeDown {
		t.Errorf("asked for %+v, want the sites taken down", y["worker-1"].Spec)
	}
	drained(y, "worker-1", "SomeStay", 0, metav1.ConditionTrue)
	done := h.get("/platform/nodes/worker-1")
	done.want(t, http.StatusOK, ">Drained<", "it says why", "Open the node")
	if strings.Contains(done.body, "Take down the sites") {
		t.Error("what was asked can be asked again")
	}
	h.post("/platform/nodes/worker-1/close", url.Values{"take-down": {"1"}}).want(t, http.StatusSeeOther)
	if y["worker-1"].Spec.TakeDown {
		t.Error("sites are taken down without a drain")
	}
}

func TestThePlatformIsTheProvidersAlone(t *testing.T) {
	h, y := newHouse(t), paneltest.Yard{}
	h.rules.Nodes = y
	h.as = h.jo
	for _, path := range []string{"/platform/nodes", "/platform/nodes/worker-1", "/platform/catalogue"} {
		h.get(path).want(t, http.StatusForbidden)
	}
	for _, path := range []string{"close", "open"} {
		h.post("/platform/nodes/worker-1/"+path, url.Values{"drain": {"1"}}).want(t, http.StatusForbidden)
	}
	if len(y) != 0 {
		t.Error("a customer closed a node")
	}
	if page := h.get("/"); strings.Contains(page.body, "/platform") {
		t.Error("the list of places shows a customer the platform")
	}
}

func TestCatalogueShowsWhatSitesCanRun(t *testing.T) {
	h := newHouse(t)
	h.get("/platform/catalogue").want(t, http.StatusOK, "PHP", "Default")
}

func TestCollaboratorIsInvitedAndRemoved(t *testing.T) {
	h := newHouse(t)
	h.site("shop.example", nil)
	h.as = h.jo
	page := "/users/" + string(h.jo.ID) + "/collaborators"
	h.get("/").want(t, http.StatusOK, `href="`+page+`"`)
	h.get(page).want(t, http.StatusOK, "Nobody yet", `value="shop.example"`)
	form := url.Values{"name": {"Kim"}, "email": {"kim"}, "site": {"shop.example"}, "right": {"site.files", "site.logs"}}
	h.post(page, form).want(t, http.StatusUnprocessableEntity, `value="kim"`, "email-fault")
	form.Set("email", "kim@agency.example")
	h.post(page, form).want(t, http.StatusOK, "kim@agency.example", "Files", "Logs", "See the site")
	granted, err := h.rules.Collaborators(t.Context(), h.jo, h.jo.ID)
	h.must(err)
	if len(granted) != 1 || granted[0].Grant.Site != "shop.example" {
		t.Fatalf("granted %+v, want the one site", granted)
	}
	h.as = h.actor(granted[0].User.ID)
	h.get("/sites").want(t, http.StatusOK, "shop.example")
	h.get(page).want(t, http.StatusNotFound) // who else works there is no business of a collaborator
	h.as = h.jo
	h.post(page+"/remove", url.Values{"collaborator": {string(granted[0].User.ID)}, "site": {"shop.example"}}).want(t, http.StatusSeeOther)
	h.get(page).want(t, http.StatusOK, "Nobody yet")
}

// A customer invites to its own sites alone.
func TestNobodyInvitesToSitesOfOthers(t *testing.T) {
	h := newHouse(t)
	h.site("shop.example", nil)
	eve, err := h.rules.CreateUser(t.Context(), h.boss, hosting.NewUser{Email: "eve@evil.example", Name: "Eve", Role: hosting.Customer, Package: h.pack})
	h.must(err)
	h.as = h.actor(eve.ID)
	form := url.Values{"name": {"Kim"}, "email": {"kim@agency.example"}, "site": {"shop.example"}, "right": {"site.files"}}
	h.post("/users/"+string(h.jo.ID)+"/collaborators", form).want(t, http.StatusNotFound)
	h.post("/users/"+string(eve.ID)+"/collaborators", form).want(t, http.StatusUnprocessableEntity, "no such site")
}
