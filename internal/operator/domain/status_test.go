package domain_test

import (
	"errors"
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kubepanel.io/kubepanel/api/platform"
	"kubepanel.io/kubepanel/api/v1alpha1"
)

// tellsTheTruth breaks what a condition speaks of and mends it again: the condition
// and Ready fall back, and both return.
func tellsTheTruth(t *testing.T, w *world) {
	const name, ns, site = "ready.example", "dom-ready-example", "ready-example"
	tests := []struct {
		what, condition, reason string
		wound, mend             func(*testing.T)
	}{{
		what: "a lost volume", condition: v1alpha1.ConditionPVCReady, reason: "VolumeLost",
		wound: func(t *testing.T) { volume(t, ns, corev1.ClaimLost) },
		mend:  func(t *testing.T) { volume(t, ns, corev1.ClaimBound) },
	}, {
		what: "a route that no edge serves", condition: v1alpha1.ConditionIngressReady, reason: "WaitingForEdge",
		wound: func(t *testing.T) { route(t, ns, site, nil) },
		mend: func(t *testing.T) {
			route(t, ns, site, []networkingv1.IngressLoadBalancerIngress{{IP: "192.0.2.1"}})
		},
	}, {
		what: "an SFTP server that ended", condition: v1alpha1.ConditionSFTPReady, reason: "Starting",
		wound: func(t *testing.T) { sftpServer(t, w, name, false) },
		mend:  func(t *testing.T) { sftpServer(t, w, name, true) },
	}, {
		what: "a stranger's certificate", condition: v1alpha1.ConditionCertificateReady,
		// A new authority makes the operator look at what the edge shows.
		wound: func(t *testing.T) { w.stranger.Store(true); newCA(t, w) },
		mend:  func(*testing.T) { w.stranger.Store(false) },
	}}
	w.serve(t, name)
	for _, tt := range tests {
		t.Run(tt.what, func(t *testing.T) {
			w.condition(t, name, v1alpha1.ConditionReady, metav1.ConditionTrue, "")
			tt.wound(t)
			w.condition(t, name, tt.condition, metav1.ConditionFalse, tt.reason)
			w.condition(t, name, v1alpha1.ConditionReady, metav1.ConditionFalse, "")
			tt.mend(t)
			w.condition(t, name, tt.condition, metav1.ConditionTrue, "")
			w.condition(t, name, v1alpha1.ConditionReady, metav1.ConditionTrue, "")
		})
	}
	eventually(t, func() error { return toldOf(t, name, "NotReady") })
}

// toldOf looks for an event of a Domain.
func toldOf(t *testing.T, name, reason string) error {
	t.Helper()
	var list corev1.EventList
	if err := cluster.Client.List(t.Context(), &list); err != nil {
		return err
	}
	for _, e := range list.Items {
		if e.InvolvedObject.Kind == "Domain" && e.InvolvedObject.Name == name && e.Reason == reason && e.Message != "" {
			return nil
		}
	}
	return errorf("no event %s of %s among %d", reason, name, len(list.Items))
}

func volume(t *testing.T, ns string, phase corev1.PersistentVolumeClaimPhase) {
	t.Helper()
	pvc := get(t, &corev1.PersistentVolumeClaim{}, ns, "data")
	pvc.Status.Phase = phase
	if err := cluster.Client.Status().Update(t.Context(), pvc); err != nil {
		t.Fatal(err)
	}
}

func route(t *testing.T, ns, site string, served []networkingv1.IngressLoadBalancerIngress) {
	t.Helper()
	ingress := get(t, &networkingv1.Ingress{}, ns, site)
	ingress.Status.LoadBalancer.Ingress = served
	if err := cluster.Client.Status().Update(t.Context(), ingress); err != nil {
		t.Fatal(err)
	}
}

func sftpServer(t *testing.T, w *world, name string, runs bool) {
	t.Helper()
	w.pod(t, name, func(p *corev1.Pod) {
		for i := range p.Status.ContainerStatuses {
			s := &p.Status.ContainerStatuses[i]
			s.Ready, s.State = true, corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}
			if s.Name == "sftp" && !runs {
				s.Ready, s.State = false, corev1.ContainerState{}
			}
		}
	})
}

// newCA deletes the platform's authority and waits for the operator's new one.
func newCA(t *testing.T, w *world) {
	t.Helper()
	was := get(t, &corev1.Secret{}, w.settings.Namespace, platform.SecretCA)
	if err := cluster.Client.Delete(t.Context(), was); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		var is corev1.Secret
		if err := cluster.Client.Get(t.Context(), client.ObjectKeyFromObject(was), &is); err != nil {
			return err
		}
		if is.UID == was.UID {
			return errors.New("the deleted authority is still there")
		}
		return nil
	})
}
