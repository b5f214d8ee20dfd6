package domain

import (
	"context"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// mostNodes bounds what is read and told when no node takes a pod: the first few
// troubles tell what is wrong with a cluster.
const mostNodes = 500

// nodeTrouble says whether the pod's node is out of reach, "" when it is well.
func (r *Reconciler) nodeTrouble(ctx context.Context, pod *corev1.Pod) string {
	if pod.Spec.NodeName == "" {
		return ""
	}
	var node corev1.Node
	if err := r.Direct.Get(ctx, client.ObjectKey{Name: pod.Spec.NodeName}, &node); err != nil {
		return "" // the condition says less then, and not a wrong thing
	}
	for _, c := range node.Status.Conditions {
		if c.Type == corev1.NodeReady && c.Status != corev1.ConditionTrue {
			return "Node " + node.Name + " is not ready: " + sentence(c.Message) +
				" The site comes back with the node, or on another one after Kubernetes gives this one up."
		}
	}
	return ""
}

// nodesTrouble says what the nodes report that keeps pods away, "" when nothing.
func (r *Reconciler) nodesTrouble(ctx context.Context) string {
	var list corev1.NodeList
	if err := r.Direct.List(ctx, &list, client.Limit(mostNodes)); err != nil {
		return "" // as above
	}
	return pressed(list.Items)
}

// pressed tells in sentences which nodes take no pods, and what mends them.
func pressed(nodes []corev1.Node) string {
	const most = 5
	var told []string
	for i := range nodes {
		for _, what := range complaints(&nodes[i]) {
			if len(told) == most {
				return " " + strings.Join(append(told, "There is more."), " ")
			}
			told = append(told, what)
		}
	}
	if len(told) == 0 {
		return ""
	}
	return " " + strings.Join(told, " ")
}

func complaints(node *corev1.Node) []string {
	var all []string
	if node.Spec.Unschedulable {
		all = append(all, "Node "+node.Name+" is closed for new pods (kubectl uncordon "+node.Name+").")
	}
	for _, c := range node.Status.Conditions {
		on := c.Status == corev1.ConditionTrue
		switch {
		case c.Type == corev1.NodeReady && !on:
			all = append(all, "Node "+node.Name+" is not ready: "+sentence(c.Message))
		case c.Type == corev1.NodeDiskPressure && on:
			all = append(all, "The disk of node "+node.Name+" is full: free space on it.")
		case c.Type == corev1.NodeMemoryPressure && on:
			all = append(all, "Node "+node.Name+" is out of memory.")
		case c.Type == corev1.NodePIDPressure && on:
			all = append(all, "Node "+node.Name+" runs too many processes.")
		}
	}
	return all
}
