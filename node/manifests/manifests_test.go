package manifests

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"testing"

	"go.yaml.in/yaml/v3"
)

var update = flag.Bool("update", false, "write the golden files anew")

func example() Values {
	return Values{
		Hostname: "kubepanel-main", Address: "10.213.1.2", DNSAddress: "10.96.0.10",
		Resolvers: []string{"192.0.2.53", "192.0.2.54"}, PodCIDR: "10.244.0.0/16", ServiceCIDR: "10.96.0.0/12",
		MTU: 1400, PortmapBackend: "nftables",
		KubernetesVersion: "v1.36.3", ImageRepository: "kubepanel.io", EtcdTag: "v3.6.12",
		PauseImage: "kubepanel.io/pause:3.10.2", CalicoImage: "kubepanel.io/calico:v3.28-0123456789ab",
		CoreDNSImage: "kubepanel.io/coredns:v1.15.0", CSIImage: "kubepanel.io/csi:v0.1.0-0123456789ab",
		MetricsImage: "kubepanel.io/metrics-server:v0.9.0-0123456789ab", Authority: "LS0tLS1CRUdJTg==",
		KubernetesContent: "kubernetes-0123456789ab", EtcdContent: "etcd-0123456789ab", CoreDNSContent: "coredns-0123456789ab",
		FilterIPv6: true,
		Runc:       "/state/cache/bin/runc-0123456789ab/runc", Patches: "/etc/kubernetes/patches", CgroupDriver: "cgroupfs",
	}
}

func TestRenderedTextIsTheGoldenOne(t *testing.T) {
	limited := example()
	limited.RestrictOOM, limited.Resolvers, limited.PortmapBackend = true, nil, "iptables"
	limited.FilterIPv6 = false
	both := example()
	both.Address6, both.PodCIDR6, both.ServiceCIDR6 = "fd4b:7562:6570:1::2", "fd4b:7562:6570:1000::/56", "fd4b:7562:6570:2000::/108"
	server := example()
	server.CgroupDriver, server.SystemdCgroup = "systemd", true
	for computer, values := range map[string]Values{"full": example(), "limited": limited, "systemd": server, "dual": both} {
		for _, name := range []string{"containerd.toml", "kubeadm.yaml", "cni.conflist", "network.yaml", "dns.yaml", "storage.yaml", "metrics.yaml", "patches/etcd0+strategic.yaml"} {
			t.Run(computer+"/"+name, func(t *testing.T) {
				got, err := Render(name, values)
				if err != nil {
					t.Fatal(err)
				}
				golden := filepath.Join("testdata", computer, name)
				if *update {
					if err := errors.Join(os.MkdirAll(filepath.Dir(golden), 0o755), os.WriteFile(golden, got, 0o644)); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(golden)
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(got, want) {
					t.Errorf("Render(%s) differs from %s; run the test with -update and read the diff. Got:\n%s", name, golden, got)
				}
			})
		}
	}
}

func TestRenderedTextIsWellFormed(t *testing.T) {
	for _, name := range []string{"kubeadm.yaml", "network.yaml", "dns.yaml", "storage.yaml", "metrics.yaml"} {
		text, err := Render(name, example())
		if err != nil {
			t.Fatal(err)
		}
		decoder := yaml.NewDecoder(bytes.NewReader(text))
		documents := 0
		for {
			var document map[string]any
			err := decoder.Decode(&document)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if document["kind"] == nil || document["apiVersion"] == nil {
				t.Errorf("%s: a document without kind or apiVersion: %v", name, document)
			}
			documents++
		}
		if documents == 0 {
			t.Errorf("%s: no documents", name)
		}
	}
	text, err := Render("cni.conflist", example())
	if err != nil {
		t.Fatal(err)
	}
	if !json.Valid(text) {
		t.Errorf("cni.conflist is no JSON:\n%s", text)
	}
}

func TestUnknownTemplateIsAnError(t *testing.T) {
	if _, err := Render("none.yaml", example()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Render(none.yaml) = %v, want %v", err, os.ErrNotExist)
	}
}

func TestPatchesNameTheirPod(t *testing.T) {
	patches, err := Patches(example())
	if err != nil {
		t.Fatal(err)
	}
	if len(patches) != 4 {
		t.Errorf("Patches() gives %d files, want 4", len(patches))
	}
	for name, text := range patches {
		var pod struct {
			Metadata struct{ Name string }
			Spec     struct{ Containers []struct{ Name string } }
		}
		if err := yaml.Unmarshal(text, &pod); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if want := pod.Metadata.Name + "0+strategic.yaml"; name != want || pod.Spec.Containers[0].Name != pod.Metadata.Name {
			t.Errorf("patch %s is for %s, container %s; want all alike", name, pod.Metadata.Name, pod.Spec.Containers[0].Name)
		}
	}
}
