package domain

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/desired"
	"kubepanel.io/kubepanel/internal/operator"
)

// A changed configuration is in force within a second or two, so it is asked for
// often at first, and as seldom as everything else when it takes long.
const (
	reloadFirst  = 150 * time.Millisecond
	reloadSoon   = 3 * time.Second
	reloadSeldom = time.Second
)

// nudges is after how long kubelet is asked again to look at a pod.
var nudges = []time.Duration{time.Second, 4 * time.Second, 12 * time.Second}

// takenOver looks whether the site's pod runs with the configuration that was
// just applied, and has it brought there at once when it does not. A pod that was
// seen with it is not asked again, not even by the next operator.
func (r *Reconciler) takenOver(ctx context.Context, d *v1alpha1.Domain, configs []*corev1.ConfigMap) error {
	pods, err := r.pods(ctx, d)
	if err != nil {
		return err
	}
	pod := newest(pods)
	if !answering(pod) {
		return nil // it starts with the newest; another step tells how it does
	}
	wanted := r.site(d).Outcomes(configs)
	want := v1alpha1.ConfigurationStatus{Pod: pod.Name, Revision: revisionOf(wanted)}
	if have := d.Status.Configuration; have != nil && *have == want {
		return nil
	}
	if have := d.Status.Configuration; have != nil && have.Pod == pod.Name {
		// It has another one for certain, so it need not be asked before.
		if err := r.nudge(ctx, pod, want.Revision, 0); err != nil {
			return err
		}
	}
	a := r.Pods.outcomes(ctx, pod.Status.PodIP, wanted)
	if a.silent != nil || a.behind {
		waited := r.Pods.waited(d.Name, want.Revision)
		if a.behind {
			if err := r.nudge(ctx, pod, want.Revision, waited); err != nil {
				return err
			}
		}
		return stillReloading(a, waited)
	}
	r.Pods.settled(d.Name)
	if len(a.refusals) > 0 {
		return operator.Stall("ConfigRefused", "%s The site serves without this change; correct it.", strings.Join(a.refusals, " "))
	}
	d.Status.Configuration = &want
	return nil
}

// knownPod tells whether the site's pod was seen to have the configuration, or can't be
// asked for it.
func (r *Reconciler) knownPod(ctx context.Context, d *v1alpha1.Domain) (bool, error) {
	pods, err := r.pods(ctx, d)
	pod, seen := newest(pods), d.Status.Configuration
	return !answering(pod) || seen != nil && seen.Pod == pod.Name, err
}

// stillReloading says when to ask again, and after a while what is wrong.
func stillReloading(a asked, waited time.Duration) error {
	switch {
	case waited < reloadSoon:
		return operator.Wait(reloadFirst, "Reloading", "The site's pod takes its configuration over.")
	case waited < slow:
		return operator.Wait(reloadSeldom, "Reloading", "The site's pod takes its configuration over.")
	case a.silent != nil:
		return operator.Trouble(recheck, "ConfigUnknown", "Whether the site runs with its newest configuration is not known: its pod does not tell.")
	default:
		return operator.Trouble(recheck, "ConfigBehind", "The site's pod still runs with a former configuration: its node has not brought the new one into it.")
	}
}

// answering tells whether there is a pod whose web server is ready to be asked.
func answering(pod *corev1.Pod) bool {
	if pod == nil || pod.Status.PodIP == "" {
		return false
	}
	for _, s := range pod.Status.ContainerStatuses {
		if s.Name == desired.ContainerNginx {
			return s.Ready
		}
	}
	return false
}

// revisionOf names the configuration of all programs together.
func revisionOf(wanted []desired.Outcome) string {
	revisions := make([]string, len(wanted))
	for i, w := range wanted {
		revisions[i] = w.Revision
	}
	return strings.Join(revisions, "-")
}

// nudge makes kubelet look at the pod now: left alone it brings a changed
// ConfigMap into it after a minute. kubelet may see the pod's change before that
// of the ConfigMap, so there is a second nudge and a third.
func (r *Reconciler) nudge(ctx context.Context, pod *corev1.Pod, revision string, waited time.Duration) error {
	value := revision
	for i, after := range nudges {
		if waited >= after {
			value = fmt.Sprintf("%s-%d", revision, i+2)
		}
	}
	if have := pod.Annotations[v1alpha1.AnnotationConfigWanted]; have == value || waited == 0 && strings.HasPrefix(have, revision) {
		return nil
	}
	body, err := json.Marshal(map[string]any{"metadata": map[string]any{
		"uid": pod.UID, "annotations": map[string]string{v1alpha1.AnnotationConfigWanted: value},
	}})
	if err != nil {
		return fmt.Errorf("encode the pod's annotation: %w", err)
	}
	target := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: pod.Name, Namespace: pod.Namespace}}
	err = r.Kube.Client.Patch(ctx, target, client.RawPatch(types.MergePatchType, body), r.Kube.Owner)
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("have pod %s look at its configuration: %w", pod.Name, err)
	}
	return nil
}
