package lab

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// reportedLines of every container's log are shown when a journey fails.
const reportedLines = 15

// report tells what a person would look at first when a site is not as it
// should be: its conditions, its pods, its events, the last lines of its logs
// and of the operator's.
func (s site) report(ctx context.Context, t testing.TB) {
	var out strings.Builder
	defer func() { t.Log(out.String()) }()
	d, err := s.domain(ctx)
	if err != nil {
		fmt.Fprintf(&out, "%s: %v\n", s.name, err)
	} else {
		fmt.Fprintf(&out, "%s: phase %s, %s\n", s.name, d.Status.Phase, d.Status.Message)
		for _, c := range d.Status.Conditions {
			fmt.Fprintf(&out, "  %-20s %-7s %s: %s\n", c.Type, c.Status, c.Reason, c.Message)
		}
		if d.Status.Namespace != "" {
			s.reportPods(ctx, &out, client.InNamespace(d.Status.Namespace))
			s.reportEvents(ctx, &out, d.Status.Namespace)
		}
	}
	s.reportPods(ctx, &out, client.InNamespace(platformNamespace), client.MatchingLabels{"app.kubernetes.io/name": "kubepanel-operator"})
}

func (c *cluster) reportPods(ctx context.Context, out *strings.Builder, which ...client.ListOption) {
	var pods corev1.PodList
	if err := c.List(ctx, &pods, which...); err != nil {
		fmt.Fprintf(out, "  pods: %v\n", err)
		return
	}
	for i := range pods.Items {
		pod := &pods.Items[i]
		fmt.Fprintf(out, "  pod %s/%s: %s %s\n", pod.Namespace, pod.Name, pod.Status.Phase, pod.Status.Message)
		for _, status := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
			fmt.Fprintf(out, "    %s: %s\n", status.Name, describe(status))
			text, err := c.lastLog(ctx, pod, status.Name, reportedLines)
			if err != nil {
				text = err.Error()
			}
			for line := range strings.Lines(text) {
				fmt.Fprintf(out, "      %s\n", strings.TrimRight(line, "\n"))
			}
		}
	}
}

// describe tells a container's state on one line.
func describe(status corev1.ContainerStatus) string {
	state := fmt.Sprintf("ready=%v restarts=%d", status.Ready, status.RestartCount)
	switch {
	case status.State.Waiting != nil:
		state += fmt.Sprintf(" waiting: %s %s", status.State.Waiting.Reason, status.State.Waiting.Message)
	case status.State.Terminated != nil:
		state += fmt.Sprintf(" ended: %s, code %d %s", status.State.Terminated.Reason, status.State.Terminated.ExitCode, status.State.Terminated.Message)
	}
	return state
}

func (c *cluster) reportEvents(ctx context.Context, out *strings.Builder, namespace string) {
	var events corev1.EventList
	if err := c.List(ctx, &events, client.InNamespace(namespace)); err != nil {
		fmt.Fprintf(out, "  events: %v\n", err)
		return
	}
	slices.SortFunc(events.Items, func(a, b corev1.Event) int {
		return cmp.Compare(a.CreationTimestamp.Unix(), b.CreationTimestamp.Unix())
	})
	for _, e := range events.Items {
		fmt.Fprintf(out, "  event %s %s/%s: %s\n", e.Reason, e.InvolvedObject.Kind, e.InvolvedObject.Name, e.Message)
	}
}
