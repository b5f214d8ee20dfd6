package desired_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"kubepanel.io/kubepanel/api/platform"
	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/desired"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// separator stands between a golden file's input and each object of its output.
const separator = "---\n"

func settings(t testing.TB) *platform.Settings {
	t.Helper()
	data, err := os.ReadFile("testdata/platform.yaml")
	if err != nil {
		t.Fatal(err)
	}
	s, err := platform.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// cases returns the Domains that the golden files begin with.
func cases(t testing.TB) map[string]desired.Site {
	t.Helper()
	paths, err := filepath.Glob("testdata/site/*.yaml")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no golden files (%v)", err)
	}
	sites := map[string]desired.Site{}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		input, _, _ := bytes.Cut(data, []byte(separator))
		d := &v1alpha1.Domain{}
		if err := yaml.UnmarshalStrict(input, d); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		sites[path] = desired.Site{Domain: d, Platform: settings(t)}
	}
	return sites
}

// TestObjects compares everything that a Domain becomes with the rest of its
// golden file. A new case is a new file with just a Domain in it.
func TestObjects(t *testing.T) {
	for path, site := range cases(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			if err := site.Check(); err != nil {
				t.Fatal(err)
			}
			objects, err := site.Objects(nil)
			if err != nil {
				t.Fatal(err)
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			input, _, _ := strings.Cut(string(want), separator)
			got := input + render(t, objects)
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got != string(want) {
				t.Errorf("%s differs from what is built now; run go test ./internal/desired -update and read the diff", path)
			}
		})
	}
}

func render(t *testing.T, objects []runtime.Object) string {
	t.Helper()
	var b strings.Builder
	for _, o := range objects {
		out, err := yaml.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		b.WriteString(separator + string(out))
	}
	return b.String()
}

func TestBuildersArePure(t *testing.T) {
	for path, site := range cases(t) {
		a, errA := site.Objects(nil)
		b, errB := site.Objects(nil)
		if errA != nil || errB != nil {
			t.Fatal(errA, errB)
		}
		if render(t, a) != render(t, b) {
			t.Errorf("%s: equal input gives two outputs", path)
		}
	}
}

func workloads(t *testing.T) map[string]*appsv1.Deployment {
	t.Helper()
	all := map[string]*appsv1.Deployment{}
	for path, site := range cases(t) {
		w, err := site.Workload()
		if err != nil {
			t.Fatal(err)
		}
		all[path] = w
	}
	return all
}

// containersAtOnce are those of the site's pod, and of one run of a cron job.
func containersAtOnce(t *testing.T, s desired.Site, w *appsv1.Deployment) []corev1.Container {
	t.Helper()
	all := w.Spec.Template.Spec.Containers
	if jobs := s.Domain.Spec.CronJobs; len(jobs) > 0 {
		job, err := s.CronJob(jobs[0])
		if err != nil {
			t.Fatal(err)
		}
		all = slices.Concat(all, job.Spec.JobTemplate.Spec.Template.Spec.Containers)
	}
	return all
}

// The whole pod, with a cron job's, has exactly what the spec says, whatever the
// containers are.
func TestResourcesAddUpToTheSpec(t *testing.T) {
	sites := cases(t)
	for path, w := range workloads(t) {
		limits, requests := corev1.ResourceList{}, corev1.ResourceList{}
		for _, c := range containersAtOnce(t, sites[path], w) {
			for name, q := range c.Resources.Limits {
				sum := limits[name]
				sum.Add(q)
				limits[name] = sum
			}
			for name, q := range c.Resources.Requests {
				sum := requests[name]
				sum.Add(q)
				requests[name] = sum
				if limit := c.Resources.Limits[name]; q.Cmp(limit) > 0 {
					t.Errorf("%s: %s asks for %s %s, more than its limit %s", path, c.Name, q.String(), name, limit.String())
				}
			}
		}
		spec := sites[path].Domain.Spec.Resources.Limits
		if cpu, memory := limits.Cpu().String(), limits.Memory().String(); !limits.Cpu().Equal(quantity(spec.CPU)) || !limits.Memory().Equal(quantity(spec.Memory)) {
			t.Errorf("%s: limits add up to %s and %s, want %s and %s", path, cpu, memory, spec.CPU, spec.Memory)
		}
		quota := sites[path].ResourceQuota().Spec.Hard
		if !requests.Cpu().Equal(quota[corev1.ResourceRequestsCPU]) || !requests.Memory().Equal(quota[corev1.ResourceRequestsMemory]) {
			t.Errorf("%s: requests add up to %v, the quota has %v", path, requests, quota)
		}
		if !limits.StorageEphemeral().Equal(quota[corev1.ResourceLimitsEphemeralStorage]) || !requests.StorageEphemeral().IsZero() {
			t.Errorf("%s: %s of the node's disk may be used and %s is asked for; the quota has %v and nothing", path,
				limits.StorageEphemeral(), requests.StorageEphemeral(), quota)
		}
		for _, v := range w.Spec.Template.Spec.Volumes {
			if v.EmptyDir != nil && v.EmptyDir.SizeLimit.Cmp(*limits.StorageEphemeral()) > 0 {
				t.Errorf("%s: volume %s may hold %s, the pod %s", path, v.Name, v.EmptyDir.SizeLimit, limits.StorageEphemeral())
			}
		}
	}
}

// Faults of the original: service-account tokens in tenants' pods, privileged
// init containers, PHP-FPM open to other tenants.
func TestPodsAreConfined(t *testing.T) {
	for path, w := range workloads(t) {
		pod := w.Spec.Template.Spec
		if pod.AutomountServiceAccountToken == nil || *pod.AutomountServiceAccountToken {
			t.Errorf("%s: the pod gets a token", path)
		}
		if pod.HostUsers == nil || *pod.HostUsers {
			t.Errorf("%s: the pod has the node's users", path)
		}
		if pod.HostNetwork || pod.HostPID || pod.HostIPC {
			t.Errorf("%s: the pod shares a namespace with the node", path)
		}
		for _, c := range append(pod.InitContainers, pod.Containers...) {
			s := c.SecurityContext
			if *s.Privileged || *s.AllowPrivilegeEscalation || !*s.ReadOnlyRootFilesystem || !*s.RunAsNonRoot || s.Capabilities.Drop[0] != "ALL" || s.Capabilities.Add != nil {
				t.Errorf("%s: container %s is not confined", path, c.Name)
			}
			for _, p := range c.Ports {
				if p.ContainerPort != 8080 && p.ContainerPort != 2222 || p.HostPort != 0 {
					t.Errorf("%s: container %s opens port %d", path, c.Name, p.ContainerPort)
				}
			}
			for _, m := range c.VolumeMounts {
				if m.MountPath == "/etc/kubepanel/wordpress-admin" && c.Name != "wordpress-install" {
					t.Errorf("%s: container %s sees the administrator's password", path, c.Name)
				}
			}
		}
		for _, v := range pod.Volumes {
			if v.HostPath != nil || v.Projected != nil {
				t.Errorf("%s: volume %s reaches out of the site", path, v.Name)
			}
		}
	}
	for path, site := range cases(t) {
		config, err := site.Config()
		if err != nil {
			t.Fatal(err)
		}
		if site.Domain.Spec.Workload.Type != v1alpha1.WorkloadTypePHP {
			continue
		}
		if pool := config[1].Data["www.conf"]; !strings.Contains(pool, "\nlisten = /run/kubepanel/php.sock.fpm\n") && !strings.Contains(pool, "\nlisten = /run/kubepanel/php.sock\n") {
			t.Errorf("%s: PHP-FPM does not listen on the pod's own socket", path)
		}
	}
}
