package rest_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/rest"
)

func TestANodeIsDrainedAndOpened(t *testing.T) {
	h := newHouse(t)
	const at = "/nodes/worker-1"
	keep := func(method string) reply {
		q := request{method: method, path: at + "/maintenance"}
		if method == http.MethodPut {
			q.body = map[string]any{"drain": true, "takeDown": true, "reason": "a new disk"}
		}
		return h.boss.ask(q)
	}
	h.boss.get("/nodes").want(t, http.StatusOK, `"name":"worker-1"`, `"closed":false`)
	h.boss.get(at+"/pods").want(t, http.StatusOK, `"site":"jo.example"`)
	keep(http.MethodPut).want(t, http.StatusAccepted, `"drain":true`, `"takeDown":true`, `"done":false`)
	left := int32(3)
	h.yard["worker-1"].Status = v1alpha1.NodeMaintenanceStatus{Pods: 4, PodsLeft: &left, Conditions: []metav1.Condition{
		{Type: v1alpha1.ConditionNodeClosed, Status: metav1.ConditionTrue}, {Type: v1alpha1.ConditionNodeDrained, Status: metav1.ConditionFalse, Message: "three are left"},
		{Type: v1alpha1.ConditionReady, Status: metav1.ConditionFalse}}}
	h.boss.get(at).want(t, http.StatusOK, `"pods":4`, `"left":3`, `"message":"three are left"`, `"done":false`, `"reason":"a new disk"`)
	left = 0
	for i := range h.yard["worker-1"].Status.Conditions {
		h.yard["worker-1"].Status.Conditions[i].Status = metav1.ConditionTrue
	}
	drained := &h.yard["worker-1"].Status.Conditions[1]
	drained.Reason, drained.Message = v1alpha1.ReasonSomeStay, "the panel stays"
	h.boss.get(at).want(t, http.StatusOK, `"left":0`, `"done":true`, `"message":"the panel stays"`)
	keep(http.MethodDelete).want(t, http.StatusNoContent)
	keep(http.MethodDelete).problem(t, http.StatusConflict, hosting.Conflict, "")
	h.boss.get("/nodes/nobody").problem(t, http.StatusNotFound, hosting.NotFound, "")
}

func TestWhatASiteUsed(t *testing.T) {
	h := newHouse(t)
	now := h.now().UTC()
	h.must(h.db.Write(t.Context(), func(tx hosting.Tx) error {
		if _, err := tx.TakeTurn(t.Context(), "here", now, now.Add(time.Minute)); err != nil {
			return err
		}
		for i, used := range []int64{100, 300} {
			at := now.Add(time.Duration(i-2) * time.Hour)
			s := map[string]hosting.Sample{"jo.example": {At: at, Use: hosting.Use{CPU: used, Memory: 1 << 20}, Storage: 5}}
			for _, span := range []hosting.Span{hosting.SpanDay, hosting.SpanMonth} {
				if err := tx.AddSamples(t.Context(), span, s); err != nil {
					return err
				}
			}
		}
		return nil
	}))
	for span, seconds := range map[string]int64{"day": 300, "month": 3600} {
		u := read[rest.SiteUsage](t, h.jo.get("/sites/jo.example/usage?span="+span).want(t, http.StatusOK, fmt.Sprintf(`"seconds":%d`, seconds)))
		if len(u.Samples) != 2 || u.Samples[0].CPU != 100 || u.Samples[1].CPU != 300 || u.Samples[1].Storage != 5 || u.Samples[0].At.Before(u.Since) {
			t.Errorf("a %s has %+v, want two samples since its beginning", span, u)
		}
	}
	h.jo.get("/sites/jo.example/usage?span=year").problem(t, http.StatusUnprocessableEntity, hosting.Invalid, "span")
}
