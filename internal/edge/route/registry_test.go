package route

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

func TestOlderIngressHasTheHost(t *testing.T) {
	r := NewRegistry("kubepanel")
	owner := func(host string) string {
		t.Helper()
		s := r.Table().Site(host)
		if s == nil {
			return ""
		}
		return s.Ingress.String()
	}
	check := func(want string, rejected ...string) {
		t.Helper()
		var got []string
		for _, rejection := range r.Publish().Rejected {
			got = append(got, rejection.Ingress.String()+" "+rejection.Host)
		}
		slices.Sort(got)
		if !slices.Equal(got, rejected) {
			t.Errorf("new rejections = %q, want %q", got, rejected)
		}
		if have := owner("x.test"); have != want {
			t.Errorf("owner of x.test = %q, want %q", have, want)
		}
	}
	young := ingress("b/young", 0, "x.test / s:80", "y.test / s:80")
	r.PutIngress(young)
	check("b/young")
	r.PutIngress(ingress("a/old", time.Hour, "x.test / s:80"))
	check("a/old", "b/young x.test")
	if got := owner("y.test"); got != "b/young" {
		t.Errorf("owner of y.test = %q, want b/young: only the contested host is lost", got)
	}
	r.PutIngress(annotated(young.DeepCopy(), "kubepanel.io/suspended", "true"))
	check("a/old") // known already: no second rejection
	r.PutIngress(ingress("c/same-age-as-old", time.Hour, "x.test / s:80"))
	check("a/old", "c/same-age-as-old x.test")
	r.DeleteIngress(types.NamespacedName{Namespace: "a", Name: "old"})
	check("c/same-age-as-old", "b/young x.test")
	r.DeleteIngress(types.NamespacedName{Namespace: "c", Name: "same-age-as-old"})
	check("b/young")
	r.DeleteIngress(types.NamespacedName{Namespace: "b", Name: "young"})
	if removed := r.Publish().Removed; len(removed) != 2 {
		t.Errorf("removed hosts = %q, want x.test and y.test", removed)
	}
	if got := r.Table().Len(); got != 0 {
		t.Errorf("hosts = %d, want 0", got)
	}
	if len(r.backends)+len(r.hosts)+len(r.rejected)+len(r.ingresses) != 0 {
		t.Errorf("left over: %d backends, %d hosts, %d rejections, %d ingresses, want none",
			len(r.backends), len(r.hosts), len(r.rejected), len(r.ingresses))
	}
}

func TestOnlyOurClassesAreServed(t *testing.T) {
	class := func(name, controller string) *networkingv1.IngressClass {
		return &networkingv1.IngressClass{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: networkingv1.IngressClassSpec{Controller: controller}}
	}
	r := NewRegistry("kubepanel")
	put := func(name, className, legacy string) {
		ing := ingress("a/"+name, 0, name+".test / s:80")
		ing.Spec.IngressClassName = nil
		if className != "" {
			ing.Spec.IngressClassName = &className
		}
		if legacy != "" {
			annotated(ing, "kubernetes.io/ingress.class", legacy)
		}
		r.PutIngress(ing)
	}
	put("ours", "kubepanel", "")
	put("legacy", "", "kubepanel")
	put("field-wins", "nginx", "kubepanel")
	put("unnamed", "", "")
	put("second", "second", "")
	check := func(step string, want ...string) {
		t.Helper()
		r.Publish()
		var got []string
		for _, name := range []string{"ours", "legacy", "field-wins", "unnamed", "second"} {
			if r.Table().Site(name+".test") != nil {
				got = append(got, name)
			}
			if ours := r.Ours(types.NamespacedName{Namespace: "a", Name: name}); ours != slices.Contains(want, name) {
				t.Errorf("%s: Ours(%s) = %v", step, name, ours)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: served = %q, want %q", step, got, want)
		}
	}
	check("no class objects", "ours", "legacy")
	r.PutClass(class("kubepanel", Controller))
	r.PutClass(class("second", Controller))
	check("two classes of ours", "ours", "legacy", "second")
	r.PutClass(class("kubepanel", "example.com/other"))
	check("the name belongs to another controller", "second")
	r.DeleteClass(types.NamespacedName{Name: "kubepanel"})
	r.DeleteClass(types.NamespacedName{Name: "second"})
	check("both classes deleted", "ours", "legacy")
}

func TestPodsChangeWithoutANewTable(t *testing.T) {
	r := NewRegistry("kubepanel")
	r.PutService(service("a/s", corev1.ServicePort{Name: "http", Port: 80}))
	r.PutIngress(ingress("a/site", 0, "x.test / s:80"))
	r.Publish()
	table := r.Table()
	backend := table.Site("x.test").Backend("/")
	check := func(step string, want ...string) {
		t.Helper()
		if got := backend.Endpoints().Addresses; !slices.Equal(got, want) {
			t.Errorf("%s: addresses = %q, want %q", step, got, want)
		}
	}
	r.PutSlice(endpoints("a/s-1", "s", httpPort, discoveryv1.Endpoint{Addresses: []string{"10.0.0.1"}}))
	check("pod came", "10.0.0.1:8080")
	r.PutSlice(endpoints("a/s-1", "other", httpPort, discoveryv1.Endpoint{Addresses: []string{"10.0.0.1"}}))
	check("slice moved to another Service")
	r.PutSlice(endpoints("a/s-1", "s", httpPort, discoveryv1.Endpoint{Addresses: []string{"10.0.0.2"}}))
	check("and back", "10.0.0.2:8080")
	r.DeleteSlice(types.NamespacedName{Namespace: "a", Name: "s-1"})
	check("slice deleted")
	r.PutSlice(endpoints("a/s-1", "s", httpPort, discoveryv1.Endpoint{Addresses: []string{"10.0.0.2"}}))
	r.DeleteService(types.NamespacedName{Namespace: "a", Name: "s"})
	check("Service deleted")
	r.Publish()
	if r.Table() != table {
		t.Error("pods came and went: the table is another one, want the same")
	}
	ing := ingress("a/site", 0, "x.test / s:80")
	ing.Status.LoadBalancer.Ingress = []networkingv1.IngressLoadBalancerIngress{{IP: "192.0.2.1"}}
	r.PutIngress(ing)
	r.Publish()
	if r.Table() != table {
		t.Error("only the Ingress's status changed: the table is another one, want the same")
	}
}

func TestTablesOfReadersStayWhole(t *testing.T) {
	r := NewRegistry("kubepanel")
	r.PutIngress(ingress("a/fixed", 0, "fixed.test / s:80"))
	r.Publish()
	done := make(chan struct{})
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if s := r.Table().Site("fixed.test"); s == nil || s.Backend("/") == nil {
					t.Error("fixed.test is gone while others change")
					return
				}
			}
		})
	}
	for i := range 300 {
		r.PutIngress(ingress(fmt.Sprintf("a/site-%d", i), 0, fmt.Sprintf("s%d.test / s:80", i)))
		r.Publish()
		if i%2 == 0 {
			r.DeleteIngress(types.NamespacedName{Namespace: "a", Name: fmt.Sprintf("site-%d", i)})
			r.Publish()
		}
	}
	close(done)
	readers.Wait()
	if got := r.Table().Len(); got != 151 {
		t.Errorf("hosts = %d, want 151", got)
	}
}

func TestTLSSecretOfAHost(t *testing.T) {
	tests := map[string]struct {
		tls  []networkingv1.IngressTLS
		want string
	}{
		"none":            {nil, ""},
		"named":           {[]networkingv1.IngressTLS{{Hosts: []string{"x.test"}, SecretName: "own"}}, "own"},
		"another host's":  {[]networkingv1.IngressTLS{{Hosts: []string{"y.test"}, SecretName: "own"}}, ""},
		"second entry":    {[]networkingv1.IngressTLS{{Hosts: []string{"y.test"}, SecretName: "no"}, {Hosts: []string{"x.test"}, SecretName: "own"}}, "own"},
		"no hosts: all":   {[]networkingv1.IngressTLS{{SecretName: "own"}}, "own"},
		"no secret":       {[]networkingv1.IngressTLS{{Hosts: []string{"x.test"}}}, ""},
		"wildcard covers": {[]networkingv1.IngressTLS{{Hosts: []string{"*.test"}, SecretName: "own"}}, "own"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := NewRegistry("kubepanel")
			ing := ingress("a/site", 0, "x.test / s:80")
			ing.Spec.TLS = tt.tls
			r.PutIngress(ing)
			changes := r.Publish()
			if got := r.Table().Site("x.test").TLSSecret; got.Name != tt.want || tt.want != "" && got.Namespace != "a" {
				t.Errorf("TLSSecret = %v, want %q of namespace a", got, tt.want)
			}
			if listed := changes.TLSSecrets[types.NamespacedName{Namespace: "a", Name: tt.want}]; (listed == 1) != (tt.want != "") {
				t.Errorf("TLSSecrets = %v, want %q once", changes.TLSSecrets, tt.want)
			}
			r.PutIngress(annotated(ing, "kubepanel.io/suspended", "true"))
			if changes := r.Publish(); changes.TLSSecrets != nil {
				t.Errorf("TLSSecrets after another change = %v, want nil", changes.TLSSecrets)
			}
			r.DeleteIngress(types.NamespacedName{Namespace: "a", Name: "site"})
			if changes := r.Publish(); (changes.TLSSecrets != nil) != (tt.want != "") || len(changes.TLSSecrets) != 0 {
				t.Errorf("TLSSecrets after the Ingress is gone = %v, want none", changes.TLSSecrets)
			}
		})
	}
}

func TestDefaultBackendServesWhatNoPathDoes(t *testing.T) {
	r := NewRegistry("kubepanel")
	ing := ingress("a/site", 0, "x.test /api api:80")
	ing.Spec.DefaultBackend = backendOf("rest:80")
	ing.Spec.Rules = append(ing.Spec.Rules, networkingv1.IngressRule{Host: "bare.test"})
	hostless := ingress("a/hostless", 0, "x.test / s:80")
	hostless.Spec.Rules[0].Host = ""
	r.PutIngress(ing)
	r.PutIngress(hostless)
	r.Publish()
	for url, want := range map[string]string{"x.test/api": "api", "x.test/else": "rest", "bare.test/": "rest"} {
		host, path, _ := strings.Cut(url, "/")
		if got := r.Table().Site(host).Backend("/" + path); got == nil || got.Ref.Service.Name != want {
			t.Errorf("backend of %s = %v, want %s", url, got, want)
		}
	}
	if got := r.Table().Len(); got != 2 {
		t.Errorf("hosts = %d, want 2: a rule without a host claims none", got)
	}
}
