package domain_test

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// podAddress stands for a pod: the operator asks it at its web port.
const podAddress = "127.0.77.1"

// keepers play a pod's nginx, which passes on what the keepers wrote.
type keepers struct {
	mu       sync.Mutex
	outcomes map[string]string
	asked    atomic.Int64
}

func startKeepers(t *testing.T) *keepers {
	t.Helper()
	k := &keepers{outcomes: map[string]string{}}
	listener, err := net.Listen("tcp", podAddress+":8080")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{ReadHeaderTimeout: time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		k.asked.Add(1)
		k.mu.Lock()
		defer k.mu.Unlock()
		text, ok := k.outcomes[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		_, _ = fmt.Fprint(w, text)
	})}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	return k
}

// say answers for both programs; verdict and message are nginx'.
func (k *keepers) say(nginx, app, verdict string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.outcomes["/.kubepanel/config/nginx"] = nginx + "\n" + verdict + "\n"
	k.outcomes["/.kubepanel/config/app"] = app + "\naccepted\n\n"
}

// revisions reads what is wanted, once it differs from before.
func revisions(t *testing.T, ns, before string) (nginx, app string) {
	t.Helper()
	eventually(t, func() error {
		var web, own corev1.ConfigMap
		for name, c := range map[string]*corev1.ConfigMap{"nginx-config": &web, "app-config": &own} {
			if err := cluster.Client.Get(t.Context(), client.ObjectKey{Namespace: ns, Name: name}, c); err != nil {
				return err
			}
		}
		if nginx, app = web.Data["revision"], own.Data["revision"]; nginx == before || nginx == "" {
			return errorf("the revision is still %q", nginx)
		}
		return nil
	})
	return nginx, app
}

func takesConfigurationOver(t *testing.T, w *world) {
	const name, ns, site = "reload.example", "dom-reload-example", "reload-example"
	k := startKeepers(t)
	w.create(t, newDomain(name))
	first, app := revisions(t, ns, "")
	k.say(first, app, "accepted\n")
	w.servesAt(t, name, podAddress)
	w.inForce(t, name, first)
	template := get(t, &appsv1.Deployment{}, ns, site).Generation

	w.change(t, name, func(d *v1alpha1.Domain) { d.Spec.Webserver.CustomConfig = "nonsense;" })
	w.condition(t, name, v1alpha1.ConditionConfigMapReady, metav1.ConditionFalse, "Reloading")
	second, app := revisions(t, ns, first)
	w.told(t, ns, second)
	k.say(second, app, "refused\nunknown directive \x1b[31m\"nonsense\" in custom.conf:1")
	c := w.condition(t, name, v1alpha1.ConditionConfigMapReady, metav1.ConditionFalse, "ConfigRefused")
	for _, want := range []string{`unknown directive`, `"nonsense" in custom.conf:1`, "spec.webserver.customConfig", "The site serves"} {
		if !strings.Contains(c.Message, want) {
			t.Errorf("message = %q, want %q in it", c.Message, want)
		}
	}
	if strings.Contains(c.Message, "\x1b") {
		t.Errorf("message = %q would colour a terminal", c.Message)
	}
	if got := get(t, &v1alpha1.Domain{}, "", name).Status.Phase; got != v1alpha1.DomainDegraded {
		t.Errorf("phase of a site that serves without a change = %s, want Degraded", got)
	}

	w.change(t, name, func(d *v1alpha1.Domain) { d.Spec.Webserver.CustomConfig = "" })
	third, app := revisions(t, ns, second)
	k.say(third, app, "accepted\n")
	w.inForce(t, name, third)
	w.condition(t, name, v1alpha1.ConditionReady, metav1.ConditionTrue, "")
	if now := get(t, &appsv1.Deployment{}, ns, site).Generation; now != template {
		t.Errorf("the Deployment went from generation %d to %d: the pod is restarted", template, now)
	}
	// What nobody reports about has to get there as soon.
	before := get(t, &v1alpha1.Domain{}, "", name).Status.Configuration.Revision
	w.change(t, name, func(d *v1alpha1.Domain) { d.Spec.SFTP.AuthorizedKeys = []string{"ssh-ed25519 AAAA own@laptop"} })
	eventually(t, func() error {
		wanted := get(t, &corev1.Pod{}, ns, "pod").Annotations[v1alpha1.AnnotationConfigWanted]
		have := get(t, &v1alpha1.Domain{}, "", name).Status.Configuration.Revision
		if wanted != have || have == before {
			return errorf("after another key the pod's annotation is %q, the status says %q, before it was %q", wanted, have, before)
		}
		return nil
	})
	asked := k.asked.Load()
	w.change(t, name, func(d *v1alpha1.Domain) { d.Spec.Title = "Another" })
	w.condition(t, name, v1alpha1.ConditionReady, metav1.ConditionTrue, "")
	if more := k.asked.Load() - asked; more != 0 {
		t.Errorf("a change of nothing that the pod reads asked it %d times", more)
	}
}

// inForce waits until the status says that the pod runs with a revision.
func (w *world) inForce(t *testing.T, name, revision string) {
	t.Helper()
	eventually(t, func() error {
		d := get(t, &v1alpha1.Domain{}, "", name)
		if c := d.Status.Configuration; c == nil || c.Pod != "pod" || !strings.HasPrefix(c.Revision, revision) {
			return errorf("status.configuration = %+v, want %s; %s", c, revision, conditions(d))
		}
		return nil
	})
}

// A new operator believes the status and asks no pod.
func asksNobodyAgain(t *testing.T, w *world) {
	k := startKeepers(t)
	w.startOperator(t)
	w.change(t, "reload.example", func(d *v1alpha1.Domain) { d.Spec.Title = "After the restart" })
	w.condition(t, "reload.example", v1alpha1.ConditionReady, metav1.ConditionTrue, "")
	if asked := k.asked.Load(); asked != 0 {
		t.Errorf("a new operator asked %d times what the status says", asked)
	}
}
