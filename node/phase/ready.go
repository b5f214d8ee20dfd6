package phase

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// workload is what of a Deployment, DaemonSet or StatefulSet tells whether it serves.
type workload struct {
	Kind     string `json:"-"`
	Metadata struct {
		Name       string            `json:"name"`
		Generation int64             `json:"generation"`
		Labels     map[string]string `json:"labels"`
	} `json:"metadata"`
	Spec struct {
		Replicas *int `json:"replicas"`
	} `json:"spec"`
	Status struct {
		ObservedGeneration int64 `json:"observedGeneration"`
		// Deployments and StatefulSets:
		ReadyReplicas   int `json:"readyReplicas"`
		UpdatedReplicas int `json:"updatedReplicas"`
		// DaemonSets:
		DesiredNumberScheduled int `json:"desiredNumberScheduled"`
		UpdatedNumberScheduled int `json:"updatedNumberScheduled"`
		NumberReady            int `json:"numberReady"`
	} `json:"status"`
}

// waiting says what is still missing; "" means that all of it serves.
func (w workload) waiting() string {
	if w.Status.ObservedGeneration < w.Metadata.Generation {
		return w.Metadata.Name + ": not yet looked at"
	}
	want, ready, updated := w.Status.DesiredNumberScheduled, w.Status.NumberReady, w.Status.UpdatedNumberScheduled
	if w.Kind != "daemonsets" {
		want, ready, updated = 1, w.Status.ReadyReplicas, w.Status.UpdatedReplicas
		if w.Spec.Replicas != nil {
			want = *w.Spec.Replicas
		}
	}
	if ready < want || updated < want || (w.Kind == "daemonsets" && want == 0) {
		return fmt.Sprintf("%s: %d of %d pods are ready", w.Metadata.Name, min(ready, updated), want)
	}
	return ""
}

// workloads lists all of a namespace.
func workloads(ctx context.Context, c *client, namespace string) ([]workload, error) {
	var all []workload
	for _, kind := range []string{"deployments", "daemonsets", "statefulsets"} {
		list, err := read[struct{ Items []workload }](ctx, c, "/apis/apps/v1/namespaces/"+namespace+"/"+kind)
		if err != nil {
			return nil, err
		}
		for _, item := range list.Items {
			item.Kind = kind
			all = append(all, item)
		}
	}
	return all, nil
}

// serving waits until everything in a namespace serves, but for the scanner: it waits for the network.
func (n *Node) serving(ctx context.Context, namespace string, patience time.Duration) (int, error) {
	count := 0
	err := await(ctx, patience, func(ctx context.Context) error {
		all, err := workloads(ctx, n.api, namespace)
		if err != nil {
			return err
		}
		missing, err := n.unheard(ctx, namespace)
		if err != nil {
			return err
		}
		if err := n.noRoom(ctx, namespace); err != nil {
			return err
		}
		for _, w := range all {
			if w.Metadata.Labels[componentLabel] == scanner {
				continue
			}
			if waits := w.waiting(); waits != "" {
				missing = append(missing, waits)
			}
		}
		count = len(all)
		if len(missing) > 0 {
			return fmt.Errorf("%s (kubectl -n %s get pods)", strings.Join(missing, "; "), namespace)
		}
		return nil
	})
	return count, err
}

// nodeReady waits for the kubelet's word that pods can run.
func (n *Node) nodeReady(ctx context.Context) error {
	return await(ctx, 3*time.Minute, func(ctx context.Context) error {
		ready, message, err := readiness(ctx, n.api, n.place.Hostname())
		if err == nil && !ready {
			err = fmt.Errorf("node %s is not ready: %s", n.place.Hostname(), message)
		}
		return err
	})
}

func readiness(ctx context.Context, c *client, name string) (ready bool, message string, err error) {
	type node struct {
		Status struct {
			Conditions []struct{ Type, Status, Message string }
		}
	}
	found, err := read[node](ctx, c, "/api/v1/nodes/"+name)
	if err != nil {
		return false, "", err
	}
	for _, condition := range found.Status.Conditions {
		if condition.Type == "Ready" {
			return condition.Status == "True", condition.Message, nil
		}
	}
	return false, "it has not reported yet", nil
}

func (n *Node) ready(ctx context.Context) (string, error) {
	if err := n.nodeReady(ctx); err != nil {
		return "", err
	}
	count, err := n.serving(ctx, "kube-system", 3*time.Minute)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("node %s is Ready, %d system workloads serve", n.place.Hostname(), count), nil
}
