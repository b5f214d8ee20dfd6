package domain

import (
	"fmt"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
)

// finding is why a pod does not serve. Trouble is what does not pass by itself or
// is not expected to pass soon.
type finding struct {
	trouble         bool
	reason, message string
}

// reasonNoNode is that of a pod that the scheduler finds no place for.
const reasonNoNode = "NoNode"

func wrong(reason, format string, args ...any) finding {
	return finding{trouble: true, reason: reason, message: fmt.Sprintf(format, args...)}
}

func starting(reason, message string) finding { return finding{reason: reason, message: message} }

// diagnose says why no pod of the site serves. It is a pure function of what
// Kubernetes reports.
func diagnose(w *appsv1.Deployment, pods []*corev1.Pod) finding {
	for _, c := range w.Status.Conditions {
		if c.Type == appsv1.DeploymentReplicaFailure && c.Status == corev1.ConditionTrue {
			return wrong("PodRefused", "Kubernetes refuses the site's pod: %s", sentence(c.Message))
		}
	}
	pod := newest(pods)
	if pod == nil {
		if len(pods) > 0 {
			return starting("Restarting", "The former pod is ending; the new one starts after it.")
		}
		return starting("Starting", "The pod is being made.")
	}
	if pod.Status.Phase == corev1.PodFailed {
		return wrong(orElse(pod.Status.Reason, "PodFailed"), "The pod was ended: %s A new one takes its place.", sentence(pod.Status.Message))
	}
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse {
			return wrong(reasonNoNode, "No node takes the pod: %s", sentence(c.Message))
		}
	}
	for _, s := range pod.Status.InitContainerStatuses {
		if f, stop := initState(s); stop {
			return f
		}
	}
	for _, s := range pod.Status.ContainerStatuses {
		if f := containerState(s); f.trouble {
			return f
		}
	}
	return notReady(pod)
}

// notReady tells what is still missing of a pod in which nothing is wrong.
func notReady(pod *corev1.Pod) finding {
	for _, s := range pod.Status.ContainerStatuses {
		if s.State.Running == nil {
			return starting("Starting", "The containers are starting.")
		}
	}
	for _, s := range pod.Status.ContainerStatuses {
		if !s.Ready {
			return starting("Starting", fmt.Sprintf("Container %s runs and does not answer yet.", s.Name))
		}
	}
	return starting("Starting", "The pod is starting.")
}

// initState looks at one step of a site's installation. stop says that the later
// steps have not begun.
func initState(s corev1.ContainerStatus) (f finding, stop bool) {
	if t := s.State.Terminated; t != nil && t.ExitCode == 0 {
		return finding{}, false
	}
	if f := containerState(s); f.trouble {
		return f, true
	}
	doing := map[string]string{
		"wordpress-files":   "WordPress' files are being put in place.",
		"wordpress-install": "WordPress is being installed.",
	}
	return starting("Installing", orElse(doing[s.Name], "Step "+s.Name+" is running.")), true
}

// containerState reads the status of one container: why it waits, or why it ended
// last time.
func containerState(s corev1.ContainerStatus) finding {
	if w := s.State.Waiting; w != nil {
		switch w.Reason {
		case "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError":
			return wrong("ImageMissing", "The image %s of container %s can't be had: %s Give an image that the nodes can pull, or load it on them.", s.Image, s.Name, sentence(w.Message))
		case "CreateContainerConfigError", "CreateContainerError", "RunContainerError":
			return wrong(w.Reason, "Container %s can't be started: %s", s.Name, sentence(w.Message))
		}
	}
	if s.State.Running != nil && s.Ready {
		return finding{}
	}
	ended := s.State.Terminated
	if ended == nil {
		ended = s.LastTerminationState.Terminated
	}
	if ended == nil || ended.ExitCode == 0 && s.RestartCount == 0 {
		return finding{}
	}
	return endedState(s, ended)
}

func endedState(s corev1.ContainerStatus, t *corev1.ContainerStateTerminated) finding {
	last := lastLine(t.Message)
	switch {
	case t.Reason == "OOMKilled":
		return wrong("OutOfMemory", "Container %s needed more memory than it may have and was ended. Raise spec.resources.limits.memory, or lower what the site uses at once.", s.Name)
	case strings.Contains(t.Message, "No space left on device") || strings.Contains(t.Message, "Disk quota exceeded"):
		return wrong("DiskFull", "Container %s ended because the site's volume is full: %s Delete files or raise spec.resources.storage.", s.Name, sentence(last))
	case last == "":
		return wrong("Crashing", "Container %s ended with code %d and said nothing; it is started again.", s.Name, t.ExitCode)
	default:
		return wrong("Crashing", "Container %s ended with code %d: %s It is started again.", s.Name, t.ExitCode, sentence(last))
	}
}

// silent tells whether a pod stands as not ready although every container was
// reported ready: that is how it looks when its node has gone.
func silent(pod *corev1.Pod) bool {
	for _, s := range pod.Status.ContainerStatuses {
		if !s.Ready {
			return false
		}
	}
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status != corev1.ConditionTrue && len(pod.Status.ContainerStatuses) > 0
		}
	}
	return false
}

// newest returns the youngest pod that is not ending, nil when there is none.
func newest(pods []*corev1.Pod) *corev1.Pod {
	var n *corev1.Pod
	for _, p := range pods {
		if p.DeletionTimestamp == nil && (n == nil || n.CreationTimestamp.Before(&p.CreationTimestamp)) {
			n = p
		}
	}
	return n
}

// longestWords bounds in bytes what a program's words take of a condition, so that
// ours around them are not cut off.
const longestWords = 400

// lastLine is the last line of a log that says something.
func lastLine(log string) string {
	lines := strings.Split(strings.TrimSpace(log), "\n")
	return strings.ToValidUTF8(strings.TrimSpace(lines[len(lines)-1]), "")
}

// sentence ends a program's words with a full stop, so that another sentence can
// follow.
func sentence(s string) string {
	s = strings.TrimSpace(s)
	if len(s) > longestWords {
		return strings.ToValidUTF8(s[:longestWords], "") + "…"
	}
	if s == "" || strings.HasSuffix(s, ".") {
		return s
	}
	return s + "."
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
