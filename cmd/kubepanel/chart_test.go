package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/yaml"

	"kubepanel.io/kubepanel/api/platform"
	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/kubetest"
	platformsecrets "kubepanel.io/kubepanel/internal/operator/platform"
	"kubepanel.io/kubepanel/internal/vitals"
)

const chartNamespace = "kubepanel-system"

// chart is what helm makes of the chart, by kind and name.
type chart struct {
	*testing.T

	documents map[string][]byte
}

func renderChart(t *testing.T, values ...string) chart {
	t.Helper()
	helm, err := kubetest.Program("helm")
	if err != nil {
		t.Fatal(err)
	}
	root, err := kubetest.Root()
	if err != nil {
		t.Fatal(err)
	}
	// A copy: what helm reads itself, go test does not know of, and would take an old outcome for this one.
	folder := t.TempDir()
	if err := os.CopyFS(folder, os.DirFS(filepath.Join(root, "deploy/kubepanel"))); err != nil {
		t.Fatal(err)
	}
	args := []string{"template", "kubepanel", folder, "--namespace", chartNamespace}
	for _, image := range []string{"kubepanel", "mariadb", "nginx", "toolbox", "redis", "wordpress", "phpmyadmin"} {
		values = append(values, "images."+image+"=registry.example/"+image)
	}
	cmd := exec.CommandContext(t.Context(), helm, append(args, "--set", strings.Join(values, ","))...)
	for _, home := range []string{"CACHE", "CONFIG", "DATA"} {
		cmd.Env = append(cmd.Env, "HELM_"+home+"_HOME="+t.TempDir())
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("helm template: %v: %s", err, out)
	}
	c := chart{t, map[string][]byte{}}
	for document := range strings.SplitSeq(string(out), "\n---\n") {
		var of struct {
			Kind     string
			Metadata struct{ Name string }
		}
		if err := yaml.Unmarshal([]byte(document), &of); err != nil {
			t.Fatalf("read %q: %v", document, err)
		}
		c.documents[of.Kind+"/"+of.Metadata.Name] = []byte(document)
	}
	return c
}

// read decodes one object of the chart.
func (c chart) read(name string, into any) {
	c.Helper()
	if err := yaml.UnmarshalStrict(c.documents[name], into); err != nil || c.documents[name] == nil {
		c.Fatalf("read %s of the chart: %v", name, err)
	}
}

// workload returns the pods behind a Service of the chart.
func (c chart) workload(service *corev1.Service) *corev1.PodSpec {
	c.Helper()
	name := service.Spec.Selector["app.kubernetes.io/name"]
	if c.documents["StatefulSet/"+name] != nil {
		var set appsv1.StatefulSet
		c.read("StatefulSet/"+name, &set)
		return &set.Spec.Template.Spec
	}
	var deployment appsv1.Deployment
	c.read("Deployment/"+name, &deployment)
	return &deployment.Spec.Template.Spec
}

// Every Service that says it speaks TLS has pods that do, with a certificate that the
// operator makes for its name, and that those who may come can reach.
func TestWhatSpeaksTLSHasItsCertificate(t *testing.T) {
	c := renderChart(t, "panel.host=panel.example")
	names := platformsecrets.Servers(chartNamespace, nil)
	found := 0
	for name := range c.documents {
		if !strings.HasPrefix(name, "Service/") {
			continue
		}
		var service corev1.Service
		c.read(name, &service)
		for _, port := range service.Spec.Ports {
			if port.AppProtocol == nil || *port.AppProtocol != "https" {
				continue
			}
			found++
			pod := c.workload(&service)
			host := service.Name + "." + chartNamespace + ".svc"
			mounted := slices.ContainsFunc(pod.Volumes, func(v corev1.Volume) bool {
				return v.Secret != nil && slices.Contains(names[v.Secret.SecretName], host)
			})
			if !mounted {
				t.Errorf("%s: no pod has a certificate for %s", name, host)
			}
			number := int32(0)
			for _, container := range pod.Containers {
				for _, p := range container.Ports {
					if p.Name == port.TargetPort.String() {
						number = p.ContainerPort
					}
				}
			}
			var policy networkingv1.NetworkPolicy
			c.read("NetworkPolicy/"+service.Name, &policy)
			open := slices.ContainsFunc(policy.Spec.Ingress, func(rule networkingv1.NetworkPolicyIngressRule) bool {
				return len(rule.From) > 0 && slices.ContainsFunc(rule.Ports, func(p networkingv1.NetworkPolicyPort) bool { return p.Port.IntVal == number })
			})
			if number == 0 || !open {
				t.Errorf("%s: its policy does not let those in who come by TLS, at port %d of the pod", name, number)
			}
		}
	}
	if found == 0 {
		t.Error("no Service of the chart speaks TLS")
	}
}

// An edge of the release before goes where the rule says, a new one by the annotation: the
// panel is there for both.
func TestThePanelIsThereForTheEdgeBeforeToo(t *testing.T) {
	c := renderChart(t, "panel.host=panel.example")
	var ingress networkingv1.Ingress
	c.read("Ingress/kubepanel-panel", &ingress)
	var service corev1.Service
	c.read("Service/kubepanel-panel", &service)
	protocol := map[string]string{}
	for _, p := range service.Spec.Ports {
		protocol[p.Name] = "plain"
		if p.AppProtocol != nil {
			protocol[p.Name] = *p.AppProtocol
		}
	}
	if got := protocol[ingress.Annotations[v1alpha1.AnnotationHTTPSPort]]; got != "https" {
		t.Errorf("a new edge speaks %q with the panel, want https", got)
	}
	for _, rule := range ingress.Spec.Rules {
		for _, path := range rule.HTTP.Paths {
			if got := protocol[path.Backend.Service.Port.Name]; got != "plain" {
				t.Errorf("%s: an edge before speaks %q with the panel, want plain HTTP, which is all it can", rule.Host, got)
			}
		}
	}
	for _, container := range c.workload(&service).Containers {
		at := slices.IndexFunc(container.VolumeMounts, func(m corev1.VolumeMount) bool { return m.Name == "tls" })
		if at < 0 || !slices.Contains(container.Args, "--certificate="+container.VolumeMounts[at].MountPath) {
			t.Errorf("the panel is not told where its certificate (Secret %s) is: %q", platform.SecretPanelTLS, container.Args)
		}
	}
}

// What every program counts is at a port named metrics, whose certificate it signs itself or
// gets by a Secret that the operator makes for the name that Prometheus asks for; the
// kubelet has another port, in clear.
func TestMetricsHaveACertificateEverywhere(t *testing.T) {
	c := renderChart(t, "panel.host=panel.example")
	servers := platformsecrets.Servers(chartNamespace, nil)
	host := vitals.Host(chartNamespace)
	for name, secret := range map[string]string{
		"Deployment/kubepanel-operator": "", "DaemonSet/kubepanel-edge": "",
		"Deployment/kubepanel-gateway": platform.SecretGatewayTLS, "StatefulSet/kubepanel-panel": platform.SecretPanelTLS,
	} {
		var of struct {
			Spec struct{ Template corev1.PodTemplateSpec }
		}
		if err := yaml.Unmarshal(c.documents[name], &of); err != nil || len(of.Spec.Template.Spec.Containers) != 1 {
			t.Fatalf("read %s of the chart: %v", name, err)
		}
		pod := of.Spec.Template.Spec
		container := pod.Containers[0]
		ports := map[string]string{}
		for _, p := range container.Ports {
			ports[p.Name] = fmt.Sprintf(":%d", p.ContainerPort)
		}
		if ports["metrics"] != vitals.MetricsAddress || ports["health"] != vitals.HealthAddress {
			t.Errorf("%s has ports %v, want metrics at %s and health at %s", name, ports, vitals.MetricsAddress, vitals.HealthAddress)
		}
		for _, probe := range []*corev1.Probe{container.LivenessProbe, container.ReadinessProbe} {
			if probe.HTTPGet.Port.String() != "health" {
				t.Errorf("%s: the kubelet asks port %s, where it would have to show a certificate", name, probe.HTTPGet.Port.String())
			}
		}
		if secret == "" {
			continue
		}
		volume := slices.IndexFunc(pod.Volumes, func(v corev1.Volume) bool { return v.Secret != nil && v.Secret.SecretName == secret })
		if volume < 0 || !slices.Contains(servers[secret], host) {
			t.Errorf("%s: no Secret %s with a certificate for %s", name, secret, host)
			continue
		}
		mount := slices.IndexFunc(container.VolumeMounts, func(m corev1.VolumeMount) bool { return m.Name == pod.Volumes[volume].Name })
		if mount < 0 || !slices.Contains(container.Args, "--certificate="+container.VolumeMounts[mount].MountPath) {
			t.Errorf("%s is not told where its certificate is: %q", name, container.Args)
		}
	}
	var gateway appsv1.Deployment
	c.read("Deployment/kubepanel-gateway", &gateway)
	for _, v := range gateway.Spec.Template.Spec.Volumes {
		if v.Secret != nil && v.Secret.SecretName == platform.SecretGatewayTLS && !ptr.Deref(v.Secret.Optional, false) {
			t.Error("a gateway without a certificate for metrics does not start, and nobody gets to his files")
		}
	}
	for _, name := range []string{"edge", "panel"} {
		var policy networkingv1.NetworkPolicy
		c.read("NetworkPolicy/kubepanel-"+name, &policy)
		open := slices.ContainsFunc(policy.Spec.Ingress, func(rule networkingv1.NetworkPolicyIngressRule) bool {
			return len(rule.From) == 0 && slices.ContainsFunc(rule.Ports, func(p networkingv1.NetworkPolicyPort) bool { return ":"+p.Port.String() == vitals.MetricsAddress })
		})
		if !open {
			t.Errorf("Prometheus does not get to the %s", name)
		}
	}
}
