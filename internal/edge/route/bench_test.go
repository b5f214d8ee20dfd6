package route

import (
	"fmt"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

const manySites = 10_000

func manyRoutes() *Registry {
	r := NewRegistry("kubepanel")
	for i := range manySites {
		r.PutIngress(ingress(fmt.Sprintf("dom-s%d/site", i), time.Hour, fmt.Sprintf("s%d.test / s:80", i)))
	}
	r.Publish()
	return r
}

// BenchmarkChange adds and removes one site beside ten thousand others.
func BenchmarkChange(b *testing.B) {
	r := manyRoutes()
	for b.Loop() {
		r.PutIngress(ingress("dom-new/site", 0, "new.test / s:80"))
		r.Publish()
		r.DeleteIngress(types.NamespacedName{Namespace: "dom-new", Name: "site"})
		r.Publish()
	}
}

// BenchmarkMatch looks one of ten thousand sites up, as each request does.
func BenchmarkMatch(b *testing.B) {
	r := manyRoutes()
	b.ReportAllocs()
	for b.Loop() {
		if r.Table().Site(NormalHost("s4711.test:443")).Backend("/wp-admin/index.php") == nil {
			b.Fatal("no backend")
		}
	}
}
