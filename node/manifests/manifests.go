// Package manifests renders the configuration of a node's own parts: runtime,
// kubeadm, network, DNS, storage, metrics. It is pure: values go in, text comes out, golden
// files prove it. It must never read a file of the machine or ask a cluster.
package manifests

import (
	"bytes"
	"embed"
	"fmt"
	"strings"
	"text/template"
)

//go:embed *.yaml *.toml *.conflist patches
var files embed.FS

// Values is all that a node's configuration depends on.
type Values struct {
	Hostname string
	// Address is the node's, DNSAddress that of the cluster's DNS Service.
	Address    string
	DNSAddress string
	// Address6, PodCIDR6 and ServiceCIDR6 are those of the second family, all empty without it.
	Address6, PodCIDR6, ServiceCIDR6 string
	// FilterIPv6: pods have IPv6 addresses of their link at least, as whenever the kernel has the family.
	FilterIPv6 bool
	// Resolvers answer what the cluster's DNS does not know.
	Resolvers []string
	PodCIDR   string
	// ServiceCIDR holds DNSAddress.
	ServiceCIDR string
	// MTU of pods' interfaces: that of the node's way out.
	MTU int
	// PortmapBackend is nftables or iptables.
	PortmapBackend string

	KubernetesVersion string
	// ImageRepository is what kubeadm puts before its images' names.
	ImageRepository string
	EtcdTag         string

	PauseImage   string
	CalicoImage  string
	CoreDNSImage string
	CSIImage     string
	MetricsImage string
	// Authority is the cluster's, in base64; known once kubeadm has made it.
	Authority string
	// Pool is the driver's word on where volumes are.
	Pool Pool

	// Some images have upstream's tags, which stay when the content changes; these tell the content.
	KubernetesContent, EtcdContent, CoreDNSContent string

	// Runc is the path of the low-level runtime.
	Runc string
	// Patches is a folder of kubeadm's patches.
	Patches       string
	CgroupDriver  string
	SystemdCgroup bool
	// RestrictOOM: this computer lacks the right to lower oom_score_adj.
	RestrictOOM bool
}

// Pool says where volumes are, as a person chose it; nothing is a file that grows as far as the disk has room.
type Pool struct {
	// Device is an empty disk, partition or logical volume.
	Device string `json:"device,omitempty"`
	// GiB is the most that the file may grow to.
	GiB int `json:"gib,omitempty"`
}

// Render fills one of the templates.
func Render(name string, values Values) ([]byte, error) {
	text, err := files.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("render %s: %w", name, err)
	}
	parsed, err := template.New(name).Option("missingkey=error").
		Funcs(template.FuncMap{"join": strings.Join}).Parse(string(text))
	if err != nil {
		return nil, fmt.Errorf("render %s: %w", name, err)
	}
	var out bytes.Buffer
	if err := parsed.Execute(&out, values); err != nil {
		return nil, fmt.Errorf("render %s: %w", name, err)
	}
	return out.Bytes(), nil
}

// Patches are kubeadm's patches by file name.
func Patches(values Values) (map[string][]byte, error) {
	entries, err := files.ReadDir("patches")
	if err != nil {
		return nil, fmt.Errorf("list patches: %w", err)
	}
	all := map[string][]byte{}
	for _, entry := range entries {
		if all[entry.Name()], err = Render("patches/"+entry.Name(), values); err != nil {
			return nil, err
		}
	}
	return all, nil
}
