package kube

import (
	"testing"

	"kubepanel.io/kubepanel/internal/hosting"
)

func TestUsesAreSummedByNamespace(t *testing.T) {
	got, err := usesOf([]byte(`{"kind":"PodMetricsList","items":[
		{"metadata":{"name":"a","namespace":"dom-a"},"containers":[{"name":"app","usage":{"cpu":"12500000n","memory":"100Ki"}},{"name":"nginx","usage":{"cpu":"1m","memory":"1Ki"}}]},
		{"metadata":{"name":"b","namespace":"dom-a"},"containers":[{"name":"cron","usage":{"cpu":"1","memory":"1Mi"}}]}]}`))
	if want := (hosting.Use{CPU: 1014, Memory: 101<<10 + 1<<20}); err != nil || len(got) != 1 || got["dom-a"] != want {
		t.Errorf("usesOf = %v, %v; want %v", got, err, want)
	}
}

func FuzzUses(f *testing.F) {
	f.Add([]byte(`{"items":[{"containers":[{"usage":{"cpu":"1n","memory":"x"}}]}]}`))
	f.Fuzz(func(_ *testing.T, data []byte) {
		usesOf(data) // it is enough that it ends
	})
}
