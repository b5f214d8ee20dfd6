package build

import (
	"fmt"
	"path/filepath"
	"strings"
)

// component is a set of programs built together and kept in one folder.
type component struct {
	// module holds the pins: its folder below the checkout.
	module string
	// programs maps the name of each program to the package it is built from.
	programs map[string]string
	// links gives a program more names, by hard links: what it does depends on
	// the name it is called by.
	links map[string][]string
	// stamp lists linker variables. "{module}" stands for the version of that
	// module in go.mod, so that no version is written twice.
	stamp map[string]string
	// native programs need the C compiler; they are linked statically all the same.
	native bool
	tags   string
	// copies takes folders out of modules, by the name they get here.
	copies map[string]moduleFolder
	// own programs are those of the main module: their sources are keyed one by one.
	own bool
	// c is a program of one C file that lies in a module.
	c *cProgram
}

type moduleFolder struct{ module, folder string }

// cProgram is compiled by gcc out of files of a Go module, which carries them along.
type cProgram struct {
	name    string
	source  moduleFolder
	files   []string
	defines map[string]string
}

const (
	moduleKubernetes = "k8s.io/kubernetes"
	moduleContainerd = "github.com/containerd/containerd/v2"
	modulePlugins    = "github.com/containernetworking/plugins"
	moduleCalico     = "github.com/projectcalico/calico"
	moduleHelm       = "helm.sh/helm/v4"
	moduleCoreDNS    = "github.com/coredns/coredns"
	moduleMetrics    = "sigs.k8s.io/metrics-server"
	moduleSnapshots  = "github.com/kubernetes-csi/external-snapshotter/client/v8"

	// pauseVersion is the one that the pinned Kubernetes' build/pause/Makefile names.
	pauseVersion = "3.10.2"
)

// components is the table of everything that is compiled. What each one's
// version is stands in the go.mod of its folder.
func components() map[string]component {
	return map[string]component{
		"kubernetes":      kubernetes(),
		"etcd":            upstream("etcd", map[string]string{"etcd": "go.etcd.io/etcd/server/v3"}),
		"containerd":      containerd(),
		"runc":            runc(),
		"cni":             cni(),
		"coredns":         coredns(),
		"calico":          calico(),
		"helm":            helm(),
		"metrics-server":  metricsServer(),
		"csi-driver":      upstream("csi-driver", map[string]string{"csi-driver": "."}),
		"csi-controllers": csiControllers(),
		"pause":           pause(),
		"kubepanel":       {programs: map[string]string{"kubepanel": "./cmd/kubepanel"}, own: true},
		"edge":            {programs: map[string]string{"edge": "./cmd/edge"}, own: true},
		"panel":           {programs: map[string]string{"panel": "./cmd/panel"}, own: true},
		"toolbox":         {programs: map[string]string{"toolbox": "./cmd/toolbox"}, own: true},
		"keeper":          {programs: map[string]string{"keeper": "./cmd/keeper"}, own: true},
	}
}

func upstream(name string, programs map[string]string) component {
	return component{module: filepath.Join("node", "components", name), programs: programs}
}

func kubernetes() component {
	c := upstream("kubernetes", map[string]string{"hyperkube": ".", "kubeadm": moduleKubernetes + "/cmd/kubeadm"})
	c.links = map[string][]string{"hyperkube": {
		"kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy", "kubelet", "kubectl",
	}}
	// kubeadm refuses to work with a control plane whose version it can't read.
	// The commit is told by its tag: the module proxy doesn't carry the hash.
	const v = "k8s.io/component-base/version."
	c.stamp = map[string]string{
		v + "gitVersion":   "{" + moduleKubernetes + "}",
		v + "gitMajor":     "{" + moduleKubernetes + ".major}",
		v + "gitMinor":     "{" + moduleKubernetes + ".minor}",
		v + "gitTreeState": "clean",
		v + "gitCommit":    "{" + moduleKubernetes + "}",
		v + "buildDate":    "1970-01-01T00:00:00Z",
	}
	return c
}

func containerd() component {
	c := upstream("containerd", map[string]string{
		"containerd":              moduleContainerd + "/cmd/containerd",
		"containerd-shim-runc-v2": moduleContainerd + "/cmd/containerd-shim-runc-v2",
		"ctr":                     moduleContainerd + "/cmd/ctr",
	})
	c.stamp = map[string]string{moduleContainerd + "/version.Version": "{" + moduleContainerd + "}"}
	return c
}

func runc() component {
	c := upstream("runc", map[string]string{"runc": "github.com/opencontainers/runc"})
	c.native = true // libseccomp is a C library
	c.tags = "seccomp,netgo,osusergo"
	return c
}

func cni() component {
	c := upstream("cni", map[string]string{
		"bridge":     modulePlugins + "/plugins/main/bridge",
		"host-local": modulePlugins + "/plugins/ipam/host-local",
		"loopback":   modulePlugins + "/plugins/main/loopback",
		"portmap":    modulePlugins + "/plugins/meta/portmap",
		"tuning":     modulePlugins + "/plugins/meta/tuning",
	})
	c.stamp = map[string]string{modulePlugins + "/pkg/utils/buildversion.BuildVersion": "{" + modulePlugins + "}"}
	return c
}

func coredns() component {
	c := upstream("coredns", map[string]string{"coredns": "."})
	c.stamp = map[string]string{moduleCoreDNS + "/coremain.GitCommit": "{" + moduleCoreDNS + "}"}
	return c
}

func metricsServer() component {
	c := upstream("metrics-server", map[string]string{"metrics-server": moduleMetrics + "/cmd/metrics-server"})
	c.stamp = map[string]string{"k8s.io/client-go/pkg/version.gitVersion": "{" + moduleMetrics + "}"}
	return c
}

func calico() component {
	c := upstream("calico", map[string]string{
		"calico-felix":     moduleCalico + "/felix/cmd/calico-felix",
		"calico":           moduleCalico + "/cni-plugin/cmd/calico",
		"kube-controllers": moduleCalico + "/kube-controllers/cmd/kube-controllers",
	})
	c.links = map[string][]string{"calico": {"calico-ipam"}}
	version := "{" + moduleCalico + "}"
	c.stamp = map[string]string{moduleCalico + "/felix/buildinfo.GitVersion": version, "main.VERSION": version}
	c.copies = map[string]moduleFolder{"crd": {moduleCalico, "libcalico-go/config/crd"}}
	return c
}

func csiControllers() component {
	c := upstream("csi-controllers", map[string]string{"csi-controllers": "."})
	c.copies = map[string]moduleFolder{"crd": {moduleSnapshots, "config/crd"}}
	return c
}

func helm() component {
	c := upstream("helm", map[string]string{"helm": moduleHelm + "/cmd/helm"})
	c.stamp = map[string]string{moduleHelm + "/internal/version.version": "{" + moduleHelm + "}"}
	return c
}

// pause is the C program that holds a pod's namespaces. The published module of
// Kubernetes carries its source, so no copy of it lies here.
func pause() component {
	return component{
		module: filepath.Join("node", "components", "kubernetes"),
		c: &cProgram{
			name:    "pause",
			source:  moduleFolder{moduleKubernetes, "build/pause/linux"},
			files:   []string{"pause.c"},
			defines: map[string]string{"VERSION": pauseVersion},
		},
	}
}

// files are the names that a component's folder holds when it is built.
func (c component) files() []string {
	var all []string
	for name := range c.programs {
		all = append(all, name)
		all = append(all, c.links[name]...)
	}
	if c.c != nil {
		all = append(all, c.c.name)
	}
	return all
}

func findComponent(name string) (component, error) {
	c, ok := components()[name]
	if !ok {
		return component{}, fmt.Errorf("there is no component %q", name)
	}
	return c, nil
}

// fill replaces "{module}", "{module.major}" and "{module.minor}" by what
// versions says. A stamp that names an unknown module is a mistake in the table.
func fill(stamp string, versions map[string]string) (string, error) {
	open := strings.IndexByte(stamp, '{')
	if open < 0 {
		return stamp, nil
	}
	name := strings.Trim(stamp[open:], "{}")
	part := -1
	for i, suffix := range []string{".major", ".minor"} {
		if cut, ok := strings.CutSuffix(name, suffix); ok {
			name, part = cut, i
		}
	}
	version, ok := versions[name]
	if !ok {
		return "", fmt.Errorf("go.mod requires no %s", name)
	}
	if part < 0 {
		return version, nil
	}
	numbers := strings.Split(strings.TrimPrefix(version, "v"), ".")
	if len(numbers) < 3 {
		return "", fmt.Errorf("version %s of %s has no major and minor number", version, name)
	}
	return numbers[part], nil
}
