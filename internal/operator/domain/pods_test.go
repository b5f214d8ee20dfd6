package domain

import (
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func waits(reason, message string) corev1.ContainerStatus {
	return corev1.ContainerStatus{Name: "app", Image: "img:1", State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}}
}

func ended(reason, message string, code int32) corev1.ContainerStatus {
	s := waits("CrashLoopBackOff", "back-off")
	s.RestartCount = 2
	s.LastTerminationState.Terminated = &corev1.ContainerStateTerminated{Reason: reason, Message: message, ExitCode: code}
	return s
}

func pod(edit func(*corev1.Pod)) []*corev1.Pod {
	p := corev1.Pod{}
	if edit != nil {
		edit(&p)
	}
	return []*corev1.Pod{&p}
}

func containers(s ...corev1.ContainerStatus) []*corev1.Pod {
	return pod(func(p *corev1.Pod) { p.Status.ContainerStatuses = s })
}

func inits(s ...corev1.ContainerStatus) []*corev1.Pod {
	return pod(func(p *corev1.Pod) { p.Status.InitContainerStatuses = s })
}

// Every trouble that a site's pod can have is told with its cause and its mend.
func TestDiagnose(t *testing.T) {
	old := metav1.NewTime(time.Now().Add(-time.Hour))
	running := corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}
	files := corev1.ContainerStatus{Name: "wordpress-files", State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{}}}
	install := corev1.ContainerStatus{Name: "wordpress-install", State: running}
	tests := map[string]struct {
		pods    []*corev1.Pod
		trouble bool
		reason  string
		says    string
	}{
		"no pod yet":      {nil, false, "Starting", "being made"},
		"former pod ends": {pod(func(p *corev1.Pod) { p.DeletionTimestamp = &old }), false, "Restarting", "former"},
		"evicted": {pod(func(p *corev1.Pod) {
			p.Status = corev1.PodStatus{Phase: corev1.PodFailed, Reason: "Evicted", Message: "Usage of EmptyDir volume exceeds"}
		}), true, "Evicted", "EmptyDir"},
		"no room": {pod(func(p *corev1.Pod) {
			p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Message: "0/1 nodes: Insufficient cpu."}}
		}), true, "NoNode", "Insufficient cpu."},
		"image missing":      {containers(waits("ErrImagePull", "not found")), true, "ImageMissing", "img:1"},
		"image never pulled": {containers(waits("ErrImageNeverPull", "not present")), true, "ImageMissing", "not present"},
		"bad config":         {containers(waits("CreateContainerConfigError", `secret "x" not found`)), true, "CreateContainerConfigError", "not found"},
		"crash":              {containers(ended("Error", "first\nnginx: [emerg] bad\n", 1)), true, "Crashing", "code 1: nginx: [emerg] bad."},
		"silent crash":       {containers(ended("Error", "", 139)), true, "Crashing", "139 and said nothing"},
		"memory":             {containers(ended("OOMKilled", "", 137)), true, "OutOfMemory", "spec.resources.limits.memory"},
		"disk":               {containers(ended("Error", "write: No space left on device", 1)), true, "DiskFull", "spec.resources.storage"},
		"quota of the disk":  {containers(ended("Error", "write: Disk quota exceeded", 1)), true, "DiskFull", "spec.resources.storage"},
		"installing":         {inits(files, install), false, "Installing", "WordPress is being installed"},
		"installer failed":   {inits(files, ended("Error", "can't reach the database", 1)), true, "Crashing", "can't reach the database"},
		"creating":           {containers(waits("ContainerCreating", "")), false, "Starting", "starting"},
		"not answering":      {containers(corev1.ContainerStatus{Name: "nginx", State: running}), false, "Starting", "nginx runs and does not answer"},
		"recovered":          {containers(corev1.ContainerStatus{Name: "nginx", State: running, Ready: true, RestartCount: 3, LastTerminationState: ended("Error", "x", 1).LastTerminationState}), false, "Starting", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := diagnose(&appsv1.Deployment{}, tt.pods)
			if f.trouble != tt.trouble || f.reason != tt.reason || !strings.Contains(f.message, tt.says) {
				t.Errorf("diagnose = %+v, want %v %s with %q", f, tt.trouble, tt.reason, tt.says)
			}
		})
	}
	refused := &appsv1.Deployment{Status: appsv1.DeploymentStatus{Conditions: []appsv1.DeploymentCondition{{
		Type: appsv1.DeploymentReplicaFailure, Status: corev1.ConditionTrue, Message: "exceeded quota",
	}}}}
	if f := diagnose(refused, nil); f.reason != "PodRefused" || !strings.Contains(f.message, "exceeded quota") {
		t.Errorf("diagnose of a refused pod = %+v", f)
	}
}

func TestPressedNodesAreTold(t *testing.T) {
	node := func(name string, unschedulable bool, conditions ...corev1.NodeCondition) corev1.Node {
		return corev1.Node{
			ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: corev1.NodeSpec{Unschedulable: unschedulable},
			Status: corev1.NodeStatus{Conditions: conditions},
		}
	}
	is := func(typ corev1.NodeConditionType, status corev1.ConditionStatus) corev1.NodeCondition {
		return corev1.NodeCondition{Type: typ, Status: status, Message: "said so"}
	}
	well := is(corev1.NodeReady, corev1.ConditionTrue)
	tests := map[string]struct {
		nodes []corev1.Node
		want  string
	}{
		"well":      {[]corev1.Node{node("a", false, well, is(corev1.NodeDiskPressure, corev1.ConditionFalse))}, ""},
		"full disk": {[]corev1.Node{node("a", false, well, is(corev1.NodeDiskPressure, corev1.ConditionTrue))}, " The disk of node a is full: free space on it."},
		"closed":    {[]corev1.Node{node("a", true, well)}, " Node a is closed for new pods (kubectl uncordon a)."},
		"two": {
			[]corev1.Node{node("a", false, is(corev1.NodeReady, corev1.ConditionUnknown)), node("b", false, well, is(corev1.NodeMemoryPressure, corev1.ConditionTrue))},
			" Node a is not ready: said so. Node b is out of memory.",
		},
	}
	for name, tt := range tests {
		if got := pressed(tt.nodes); got != tt.want {
			t.Errorf("%s: pressed = %q, want %q", name, got, tt.want)
		}
	}
	if got := pressed(make([]corev1.Node, 9)); got != "" {
		t.Errorf("pressed = %q", got)
	}
	many := make([]corev1.Node, 9)
	for i := range many {
		many[i] = node("n", true)
	}
	if got := pressed(many); strings.Count(got, "closed") != 5 || !strings.HasSuffix(got, "There is more.") {
		t.Errorf("pressed = %q, want five and that there is more", got)
	}
}
