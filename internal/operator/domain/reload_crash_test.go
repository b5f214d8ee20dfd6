package domain_test

import (
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// Wherever an operator dies in the middle of a change, the next one ends it, tells
// what came of it, and restarts nothing.
func TestTheNextOperatorEndsAChangeOfConfiguration(t *testing.T) {
	const name, ns, site = "dying.example", "dom-dying-example", "dying-example"
	w := newWorld(t)
	k := startKeepers(t)
	stop := w.startOperator(t)
	w.create(t, newDomain(name))
	nginx, app := revisions(t, ns, "")
	k.say(nginx, app, "accepted\n")
	w.servesAt(t, name, podAddress)
	w.inForce(t, name, nginx)
	template := get(t, &appsv1.Deployment{}, ns, site).Generation
	lines := func(text string) {
		w.change(t, name, func(d *v1alpha1.Domain) { d.Spec.Webserver.CustomConfig = text })
	}

	// Nobody ran when it was asked for.
	stop()
	before := nginx
	lines("gzip off;")
	stop = w.startOperator(t)
	nginx, app = revisions(t, ns, before)
	k.say(nginx, app, "accepted\n")
	w.inForce(t, name, nginx)

	// The pod was told, and had not answered yet.
	before = nginx
	lines("gzip on;")
	nginx, app = revisions(t, ns, before)
	w.told(t, ns, nginx)
	stop()
	k.say(nginx, app, "accepted\n")
	stop = w.startOperator(t)
	w.inForce(t, name, nginx)

	// The pod had refused, and nobody knew.
	before = nginx
	lines("nonsense;")
	nginx, app = revisions(t, ns, before)
	w.told(t, ns, nginx)
	stop()
	k.say(nginx, app, "refused\nunknown directive \"nonsense\" in custom.conf:1")
	stop = w.startOperator(t)
	if c := w.condition(t, name, v1alpha1.ConditionConfigMapReady, metav1.ConditionFalse, "ConfigRefused"); !strings.Contains(c.Message, "custom.conf:1") {
		t.Errorf("message = %q, want nginx' own words", c.Message)
	}

	// The files were written, and nothing else was done.
	before = nginx
	lines("")
	nginx, app = revisions(t, ns, before)
	stop()
	w.startOperator(t)
	w.told(t, ns, nginx)
	k.say(nginx, app, "accepted\n")
	w.inForce(t, name, nginx)
	w.condition(t, name, v1alpha1.ConditionConfigMapReady, metav1.ConditionTrue, "")
	if now := get(t, &appsv1.Deployment{}, ns, site).Generation; now != template {
		t.Errorf("the Deployment went from generation %d to %d: the pod is restarted", template, now)
	}
}

// told waits until kubelet is asked to bring a revision into the pod.
func (w *world) told(t *testing.T, ns, revision string) {
	t.Helper()
	eventually(t, func() error {
		wanted := get(t, &corev1.Pod{}, ns, "pod").Annotations[v1alpha1.AnnotationConfigWanted]
		if !strings.HasPrefix(wanted, revision) {
			return errorf("the pod's annotation is %q, want %s: kubelet does not look", wanted, revision)
		}
		return nil
	})
}

// servesAt has the site's pod run and answer at an address.
func (w *world) servesAt(t *testing.T, name, address string) {
	t.Helper()
	w.serve(t, name)
	w.pod(t, name, func(p *corev1.Pod) {
		p.Status.PodIP, p.Status.PodIPs = address, []corev1.PodIP{{IP: address}}
		for i := range p.Status.ContainerStatuses {
			p.Status.ContainerStatuses[i].Ready = true
		}
	})
}
