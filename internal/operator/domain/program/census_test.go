package program_test

import (
	"fmt"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/metadata"

	"kubepanel.io/kubepanel/internal/desired"
)

// kinds are those of the objects that a Domain becomes.
var kinds = []schema.GroupVersionResource{
	{Version: "v1", Resource: "namespaces"}, {Version: "v1", Resource: "resourcequotas"},
	{Version: "v1", Resource: "persistentvolumeclaims"}, {Version: "v1", Resource: "secrets"}, {Version: "v1", Resource: "configmaps"},
	{Version: "v1", Resource: "services"}, {Group: "apps", Version: "v1", Resource: "deployments"},
	{Group: "networking.k8s.io", Version: "v1", Resource: "networkpolicies"}, {Group: "networking.k8s.io", Version: "v1", Resource: "ingresses"},
}

// census counts objects without reading them.
type census struct {
	world *world
	api   metadata.Interface
	// before and each are how many there were without a Domain, and are for one.
	before, each map[schema.GroupVersionResource]int64
}

// newCensus takes the first Domain, which is ready, as what every other has to get.
func (w *world) newCensus(t testing.TB, first string) *census {
	t.Helper()
	api, err := metadata.NewForConfig(w.config())
	must(t, err)
	c := &census{world: w, api: api, before: map[schema.GroupVersionResource]int64{}, each: map[schema.GroupVersionResource]int64{}}
	for _, kind := range kinds {
		c.each[kind] = 1
		if kind.Resource != "namespaces" {
			c.each[kind] = c.count(t, kind, desired.Namespace(first))
		}
		c.before[kind] = c.count(t, kind, "") - c.each[kind]
	}
	return c
}

// count is cheap: the API server answers with one object and how many more there are.
func (c *census) count(t testing.TB, kind schema.GroupVersionResource, namespace string) int64 {
	t.Helper()
	list, err := c.api.Resource(kind).Namespace(namespace).List(t.Context(), metav1.ListOptions{Limit: 1})
	must(t, err)
	n := int64(len(list.Items))
	if more := list.RemainingItemCount; more != nil {
		n += *more
	}
	return n
}

// perDomain is how many objects a Domain becomes.
func (c *census) perDomain() int64 {
	sum := int64(0)
	for _, n := range c.each {
		sum += n
	}
	return sum
}

// await waits until all objects of n Domains exist.
func (c *census) await(t testing.TB, n int, patience time.Duration) {
	t.Helper()
	for _, kind := range kinds {
		want := c.before[kind] + int64(n)*c.each[kind]
		c.world.eventually(t, patience, func() error {
			got := c.count(t, kind, "")
			if got >= want {
				return nil
			}
			// Counting costs the API server time too: seldom while much is missing.
			time.Sleep(min(max(time.Duration(want-got)*10*time.Millisecond, 200*time.Millisecond), 2*time.Second))
			return fmt.Errorf("%d of %d %s exist", got, want, kind.Resource)
		})
	}
}
