package kube

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kubepanel.io/kubepanel/api/platform"
	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/hosting"
)

// Settings implements hosting.Platform.
func (s Store) Settings(ctx context.Context) (*platform.Settings, error) {
	file := &corev1.ConfigMap{}
	err := s.Client.Get(ctx, client.ObjectKey{Namespace: s.Namespace, Name: platform.ConfigMapName}, file)
	if err != nil {
		err = s.answer(ctx, "read the platform's settings", err)
		if hosting.CodeOf(err) == hosting.NotFound {
			return nil, &hosting.Error{Code: hosting.NotInstalled, Err: err,
				Message: fmt.Sprintf("Kubepanel is not installed in the namespace %s of the cluster at %s.", s.Namespace, s.Server),
				Mend:    "Install the platform with `make up`, or name its namespace with --platform-namespace."}
		}
		return nil, err
	}
	settings, err := platform.Parse([]byte(file.Data[platform.FileName]))
	if err != nil {
		return nil, &hosting.Error{Code: hosting.NotInstalled, Err: err,
			Message: "The platform's settings can't be used: " + err.Error() + ".",
			Mend:    "Use a kubepanel of the platform's version, or mend the chart's values and install it again."}
	}
	return settings, nil
}

// Secret implements hosting.Platform.
func (s Store) Secret(ctx context.Context, namespace, name string) (map[string][]byte, error) {
	secret := &corev1.Secret{}
	if err := s.Client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, secret); err != nil {
		return nil, s.answer(ctx, fmt.Sprintf("read secret %s/%s", namespace, name), err)
	}
	return secret.Data, nil
}

// Events returns what the operator told about a Domain, oldest first.
func (s Store) Events(ctx context.Context, d *v1alpha1.Domain) ([]hosting.Event, error) {
	list := &corev1.EventList{}
	of := fields.Set{"involvedObject.kind": "Domain", "involvedObject.name": d.Name}
	// Events of objects without a namespace are kept in the default one.
	err := s.Client.List(ctx, list, client.InNamespace(metav1.NamespaceDefault), client.MatchingFieldsSelector{Selector: of.AsSelector()})
	if err != nil {
		return nil, s.answer(ctx, "list events of domain "+d.Name, err)
	}
	var events []hosting.Event
	for i := range list.Items {
		e := &list.Items[i]
		if e.InvolvedObject.UID != "" && e.InvolvedObject.UID != d.UID {
			continue // of an earlier site of this name
		}
		events = append(events, hosting.Event{
			Time: lastSeen(e), Count: times(e), Warning: e.Type == corev1.EventTypeWarning, Reason: e.Reason, Message: e.Message,
		})
	}
	slices.SortStableFunc(events, func(a, b hosting.Event) int { return a.Time.Compare(b.Time) })
	return events, nil
}

func times(e *corev1.Event) int32 {
	if e.Series != nil {
		return e.Series.Count
	}
	return max(e.Count, 1)
}

// lastSeen reads the newest of the times that events of different ages of the
// API carry.
func lastSeen(e *corev1.Event) time.Time {
	last := e.EventTime.Time
	if e.LastTimestamp.After(last) {
		last = e.LastTimestamp.Time
	}
	if e.Series != nil && e.Series.LastObservedTime.After(last) {
		last = e.Series.LastObservedTime.Time
	}
	return last
}

// Nodes implements hosting.Machinery.
func (s Store) Nodes(ctx context.Context) ([]hosting.Node, error) {
	list := &corev1.NodeList{}
	if err := s.Client.List(ctx, list); err != nil {
		return nil, s.answer(ctx, "list nodes", err)
	}
	nodes := make([]hosting.Node, 0, len(list.Items))
	for i := range list.Items {
		nodes = append(nodes, node(&list.Items[i]))
	}
	slices.SortFunc(nodes, func(a, b hosting.Node) int { return strings.Compare(a.Name, b.Name) })
	return nodes, nil
}

func node(n *corev1.Node) hosting.Node {
	out := hosting.Node{Name: n.Name, Version: n.Status.NodeInfo.KubeletVersion, Message: "its kubelet has never reported", Closed: n.Spec.Unschedulable,
		CPU: n.Status.Allocatable.Cpu().String(), Memory: n.Status.Allocatable.Memory().String()}
	for _, handler := range n.Status.RuntimeHandlers {
		// The one without a name is what a pod gets that asks for none.
		if handler.Name == "" && handler.Features != nil && ptr.Deref(handler.Features.UserNamespaces, false) {
			out.UserNamespaces = true
		}
	}
	for _, c := range n.Status.Conditions {
		switch {
		case c.Type != corev1.NodeReady && c.Status == corev1.ConditionTrue:
			out.Message = c.Message // memory, disk or process pressure
		case c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue:
			out.Ready = true
		case c.Type == corev1.NodeReady:
			out.Message = c.Message
			return out
		}
	}
	if out.Ready && out.Message == "its kubelet has never reported" {
		out.Message = ""
	}
	return out
}

// Isolation implements hosting.Machinery.
func (s Store) Isolation(ctx context.Context, namespace string) (verdict, message string, err error) {
	kept := &corev1.ConfigMap{}
	if err := s.Client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: platform.ConfigMapIsolation}, kept); err != nil {
		return "", "", s.answer(ctx, "read what was found about network policies", err)
	}
	return kept.Data[platform.KeyNetworkPolicy], kept.Data[platform.KeyMessage], nil
}

// StorageClass implements hosting.Machinery.
func (s Store) StorageClass(ctx context.Context, name string) (string, error) {
	list := &storagev1.StorageClassList{}
	if err := s.Client.List(ctx, list); err != nil {
		return "", s.answer(ctx, "list storage classes", err)
	}
	for _, c := range list.Items {
		if c.Name == name || name == "" && c.Annotations["storageclass.kubernetes.io/is-default-class"] == "true" {
			return c.Name, nil
		}
	}
	return "", &hosting.Error{Code: hosting.NotFound, Message: "There is no such storage class."}
}

// Workload implements hosting.Machinery.
func (s Store) Workload(ctx context.Context, w hosting.WorkloadName) (hosting.Workload, error) {
	obj, err := workloadKind(w.Kind)
	if err != nil {
		return hosting.Workload{}, err
	}
	if err := s.Client.Get(ctx, client.ObjectKey{Namespace: w.Namespace, Name: w.Name}, obj); err != nil {
		return hosting.Workload{}, s.answer(ctx, fmt.Sprintf("read %s %s", w.Kind, w.Name), err)
	}
	state, pods := counts(obj)
	if state.Ready >= state.Want || pods == nil {
		return state, nil
	}
	selector, err := metav1.LabelSelectorAsSelector(pods)
	if err != nil {
		return state, fmt.Errorf("selector of %s %s: %w", w.Kind, w.Name, err)
	}
	state.Problem, err = s.podProblem(ctx, w.Namespace, selector)
	return state, err
}

func workloadKind(kind string) (client.Object, error) {
	switch kind {
	case "Deployment":
		return &appsv1.Deployment{}, nil
	case "DaemonSet":
		return &appsv1.DaemonSet{}, nil
	case "StatefulSet":
		return &appsv1.StatefulSet{}, nil
	}
	return nil, fmt.Errorf("kind %s is no workload", kind)
}

func counts(obj client.Object) (hosting.Workload, *metav1.LabelSelector) {
	switch o := obj.(type) {
	case *appsv1.Deployment:
		return hosting.Workload{Want: *cmp.Or(o.Spec.Replicas, new(int32(1))), Ready: o.Status.ReadyReplicas}, o.Spec.Selector
	case *appsv1.StatefulSet:
		return hosting.Workload{Want: *cmp.Or(o.Spec.Replicas, new(int32(1))), Ready: o.Status.ReadyReplicas}, o.Spec.Selector
	case *appsv1.DaemonSet:
		return hosting.Workload{Want: o.Status.DesiredNumberScheduled, Ready: o.Status.NumberReady}, o.Spec.Selector
	}
	return hosting.Workload{}, nil
}

// podProblem says what keeps the first troubled pod from being ready.
func (s Store) podProblem(ctx context.Context, namespace string, selector labels.Selector) (string, error) {
	pods := &corev1.PodList{}
	if err := s.Client.List(ctx, pods, client.InNamespace(namespace), client.MatchingLabelsSelector{Selector: selector}); err != nil {
		return "", s.answer(ctx, "list pods in "+namespace, err)
	}
	for i := range pods.Items {
		if problem := problemOf(&pods.Items[i]); problem != "" {
			return fmt.Sprintf("pod %s: %s", pods.Items[i].Name, problem), nil
		}
	}
	return "", nil
}

func problemOf(p *corev1.Pod) string {
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse {
			return c.Message
		}
	}
	for _, c := range slices.Concat(p.Status.InitContainerStatuses, p.Status.ContainerStatuses) {
		if w := c.State.Waiting; w != nil && w.Reason != "PodInitializing" {
			return strings.TrimSuffix(strings.Join([]string{w.Reason, w.Message}, ": "), ": ")
		}
		if t := c.State.Terminated; t != nil && t.ExitCode != 0 {
			return fmt.Sprintf("container %s ended with code %d: %s", c.Name, t.ExitCode, t.Reason)
		}
	}
	return ""
}
