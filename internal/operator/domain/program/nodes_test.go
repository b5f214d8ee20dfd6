package program_test

import (
	"context"
	"sync"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/utils/ptr"
)

// reporters is how many reports are under way at once.
const reporters = 4

// nodes plays kubelet, the controller of Deployments, the volumes' provisioner and
// the edge: each object gets the status that they would give it, at once.
type nodes struct {
	api   kubernetes.Interface
	turns chan struct{}
	all   sync.WaitGroup
}

// startNodes runs until the test ends.
func (w *world) startNodes(t testing.TB) {
	t.Helper()
	config := w.config()
	config.ContentType = runtime.ContentTypeProtobuf
	api, err := kubernetes.NewForConfig(config)
	must(t, err)
	n := &nodes{api: api, turns: make(chan struct{}, reporters)}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(func() { cancel(); n.all.Wait() })
	anything := metav1.ListOptions{}
	for _, open := range []func() (watch.Interface, error){
		func() (watch.Interface, error) { return api.AppsV1().Deployments("").Watch(ctx, anything) },
		func() (watch.Interface, error) {
			return api.CoreV1().PersistentVolumeClaims("").Watch(ctx, anything)
		},
		func() (watch.Interface, error) { return api.NetworkingV1().Ingresses("").Watch(ctx, anything) },
	} {
		n.all.Go(func() { n.follow(ctx, open) })
	}
}

// follow reports on everything that a watch tells of, and begins anew when the API
// server ends the watch.
func (n *nodes) follow(ctx context.Context, open func() (watch.Interface, error)) {
	for ctx.Err() == nil {
		news, err := open()
		if err != nil {
			continue
		}
		for event := range news.ResultChan() {
			if event.Type != watch.Added && event.Type != watch.Modified {
				continue
			}
			n.turns <- struct{}{}
			n.all.Go(func() { n.report(ctx, event.Object); <-n.turns })
		}
		news.Stop()
	}
}

// report does not look at errors: who changed the object meanwhile makes another
// event of it.
func (n *nodes) report(ctx context.Context, o runtime.Object) {
	none := metav1.UpdateOptions{}
	switch o := o.(type) {
	case *appsv1.Deployment:
		if o.Status.ObservedGeneration == o.Generation || o.DeletionTimestamp != nil {
			return
		}
		n.run(ctx, o)
		replicas := *o.Spec.Replicas
		o.Status = appsv1.DeploymentStatus{
			ObservedGeneration: o.Generation, Replicas: replicas, UpdatedReplicas: replicas, ReadyReplicas: replicas, AvailableReplicas: replicas,
		}
		_, _ = n.api.AppsV1().Deployments(o.Namespace).UpdateStatus(ctx, o, none)
	case *corev1.PersistentVolumeClaim:
		if o.Status.Phase == corev1.ClaimBound {
			return
		}
		o.Status.Phase, o.Status.Capacity = corev1.ClaimBound, o.Spec.Resources.Requests
		_, _ = n.api.CoreV1().PersistentVolumeClaims(o.Namespace).UpdateStatus(ctx, o, none)
	case *networkingv1.Ingress:
		if len(o.Status.LoadBalancer.Ingress) > 0 {
			return
		}
		o.Status.LoadBalancer.Ingress = []networkingv1.IngressLoadBalancerIngress{{IP: "192.0.2.1"}}
		_, _ = n.api.NetworkingV1().Ingresses(o.Namespace).UpdateStatus(ctx, o, none)
	}
}

// run makes the pod of a Deployment, once, with everything in it ready.
func (n *nodes) run(ctx context.Context, d *appsv1.Deployment) {
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: d.Name + "-pod", Namespace: d.Namespace,
			Labels: d.Spec.Template.Labels, Annotations: d.Spec.Template.Annotations,
			OwnerReferences: []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "Deployment", Name: d.Name, UID: d.UID}},
		},
		Spec: d.Spec.Template.Spec,
	}
	pod, err := n.api.CoreV1().Pods(d.Namespace).Create(ctx, pod, metav1.CreateOptions{})
	if err != nil {
		return
	}
	now := metav1.Now()
	pod.Status = corev1.PodStatus{
		Phase: corev1.PodRunning, HostIP: "192.0.2.10", StartTime: &now,
		Conditions: []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionTrue}, {Type: corev1.PodReady, Status: corev1.ConditionTrue}},
	}
	for _, c := range pod.Spec.Containers {
		pod.Status.ContainerStatuses = append(pod.Status.ContainerStatuses, corev1.ContainerStatus{
			Name: c.Name, Image: c.Image, Ready: true, Started: ptr.To(true),
			State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: now}},
		})
	}
	_, _ = n.api.CoreV1().Pods(pod.Namespace).UpdateStatus(ctx, pod, metav1.UpdateOptions{})
}
