package phase

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"kubepanel.io/kubepanel/node/build"
	"kubepanel.io/kubepanel/node/machine"
)

// object is one of the chart's, with what these tests look at.
type object struct {
	Kind     string
	Metadata struct{ Name string }
	Spec     struct {
		PodSelector struct {
			MatchLabels map[string]string `yaml:"matchLabels"`
		} `yaml:"podSelector"`
		PolicyTypes []string `yaml:"policyTypes"`
		Ingress     []any
		Egress      []any
		Template    struct{ Spec podSpec }
	}
}

type podSpec struct {
	HostUsers        *bool `yaml:"hostUsers"`
	Token            *bool `yaml:"automountServiceAccountToken"`
	SecurityContext  map[string]any
	ImagePullSecrets []map[string]string `yaml:"imagePullSecrets"`
	Affinity         map[string]any
	Containers       []struct {
		Name            string
		Image           string
		Command, Args   []string
		Env             []struct{ Name, Value string }
		Ports           []any
		SecurityContext map[string]any `yaml:"securityContext"`
		VolumeMounts    []struct {
			Name      string
			MountPath string `yaml:"mountPath"`
			ReadOnly  bool   `yaml:"readOnly"`
		} `yaml:"volumeMounts"`
	}
	Volumes []map[string]any
}

// chartOf has helm write the chart's objects for these values over those of a node with ClamAV's image.
func chartOf(t *testing.T, values string) (map[string]object, error) {
	t.Helper()
	const helm = "helm"
	state := os.Getenv("KUBEPANEL_STATE")
	if state == "" {
		state = "/var/lib/kubepanel"
	}
	builder, err := build.Open(build.Options{State: state})
	if err != nil {
		t.Fatal(err)
	}
	programs, err := builder.Binaries(t.Context(), helm)
	if err != nil {
		t.Fatal(err)
	}
	var images []build.Image
	for _, name := range []string{"kubepanel", "mariadb", "nginx", "toolbox", "redis", "wordpress", "clamav"} {
		images = append(images, build.Image{Name: name, Ref: "kubepanel.io/" + name + ":1"})
	}
	images = append(images, build.Image{Name: "php", Version: "8.4", Ref: "kubepanel.io/php:8.4"})
	text, err := yaml.Marshal(valuesOf(images, machine.Settings{Number: 7, HTTPPort: 80, HTTPSPort: 443, SSHPort: 2222}))
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	node, more := filepath.Join(folder, "node.yaml"), filepath.Join(folder, "more.yaml")
	if err := errors.Join(os.WriteFile(node, text, 0o600), os.WriteFile(more, []byte(values), 0o600)); err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), filepath.Join(programs[helm], helm), "template", "kubepanel", "../../"+chart,
		"--namespace", platformNamespace, "--values", node, "--values", more)
	command.Env = []string{"HOME=" + folder}
	var out, said bytes.Buffer
	command.Stdout, command.Stderr = &out, &said
	if err := command.Run(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, said.String())
	}
	objects := map[string]object{}
	for d := yaml.NewDecoder(&out); ; {
		var o object
		err := d.Decode(&o)
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			t.Fatalf("read what helm wrote: %v", err)
		}
		objects[o.Kind+"/"+o.Metadata.Name] = o
	}
}

// render is chartOf with values that are taken.
func render(t *testing.T, values string) map[string]object {
	t.Helper()
	objects, err := chartOf(t, values)
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

// scannerOf is the scanner that the panel asks; "" is none.
func scannerOf(objects map[string]object) string {
	for _, c := range objects["StatefulSet/kubepanel-panel"].Spec.Template.Spec.Containers {
		for _, arg := range c.Args {
			if address, ok := strings.CutPrefix(arg, "--scanner="); ok {
				return address
			}
		}
	}
	return ""
}

func TestThePanelAsksTheScannerThatThereIs(t *testing.T) {
	const ours = "tls://clamav.kubepanel-system.svc:3310"
	tests := map[string]struct {
		values, asks string
		runs         bool
	}{
		"its own":          {"", ours, true},
		"none":             {"images: {clamav: ''}", "", false},
		"another":          {"panel: {scanner: 'tcp://clamd.scan.svc:3310'}", "tcp://clamd.scan.svc:3310", false},
		"another by TLS":   {"panel: {scanner: 'tls://clamd.example.com:3310'}", "tls://clamd.example.com:3310", false},
		"another alone":    {"{images: {clamav: ''}, panel: {scanner: 'tcp://clamd.scan.svc:3310'}}", "tcp://clamd.scan.svc:3310", false},
		"there's no panel": {"panel: {host: ''}", "", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			objects := render(t, test.values)
			if got := scannerOf(objects); got != test.asks {
				t.Errorf("the panel asks %q, want %q", got, test.asks)
			}
			for _, part := range []string{"Service/clamav", "Deployment/clamav", "NetworkPolicy/clamav", "Deployment/clamav-signatures",
				"NetworkPolicy/clamav-signatures", "PersistentVolumeClaim/clamav-signatures"} {
				if _, ok := objects[part]; ok != test.runs {
					t.Errorf("%s is there: %t, want %t", part, ok, test.runs)
				}
			}
		})
	}
}

// mounted is the Secret that a container has at a folder, read-only; "" is none.
func mounted(pod podSpec, container int, folder string) string {
	for _, m := range pod.Containers[container].VolumeMounts {
		if m.MountPath != folder || !m.ReadOnly {
			continue
		}
		for _, v := range pod.Volumes {
			if secret, ok := v["secret"].(map[string]any); ok && v["name"] == m.Name {
				return fmt.Sprint(secret["secretName"])
			}
		}
	}
	return ""
}

func TestThePanelShowsTheScannerWhoItIs(t *testing.T) {
	const folder = "/etc/kubepanel-scanner"
	for values, want := range map[string]string{
		"": "panel-client-tls", "images: {clamav: ''}": "", "panel: {scanner: 'tcp://clamd:3310'}": "", "panel: {scanner: 'tls://clamd:3310'}": "",
		"panel: {scanner: 'tls://clamd:3310', scannerSecret: mine}": "mine",
	} {
		pod := render(t, values)["StatefulSet/kubepanel-panel"].Spec.Template.Spec
		told := slices.Contains(pod.Containers[0].Args, "--scanner-certificates="+folder)
		if got := mounted(pod, 0, folder); got != want || told != (want != "") {
			t.Errorf("%s: it has %q and is told of it: %t, want %q", values, got, told, want)
		}
	}
	for _, scanner := range []string{"", "tcp://clamd:3310"} {
		if _, err := chartOf(t, "panel: {scanner: '"+scanner+"', scannerSecret: mine}"); err == nil || !strings.Contains(err.Error(), "tls://") {
			t.Errorf("a certificate for the scanner %q: %v, want that it asks for tls://", scanner, err)
		}
	}
}

// What looks at files has no key, and what has the key has no files.
func TestOnlyWhatAdmitsToClamdHasAPortAndAKey(t *testing.T) {
	pod := render(t, "")["Deployment/clamav"].Spec.Template.Spec
	const folder = "/run/secrets/clamav-tls"
	for i, want := range []struct{ name, secret, command string }{{"clamd", "", "[]"}, {"nginx", "clamav-tls", "[/usr/local/bin/clamav-admit]"}} {
		c := pod.Containers[i]
		if got := mounted(pod, i, folder); c.Name != want.name || got != want.secret || fmt.Sprint(c.Command) != want.command || (len(c.Ports) > 0) != (want.secret != "") {
			t.Errorf("container %s has %q, the ports %v and runs %v, want %+v", c.Name, got, c.Ports, c.Command, want)
		}
		for _, m := range c.VolumeMounts {
			if files := m.Name == "signatures" || m.Name == "tmp"; files && want.secret != "" {
				t.Errorf("%s has %s", c.Name, m.Name)
			}
		}
	}
}

func TestThePanelSignsInToPostgreSQLByTheCertificateThatIsNamed(t *testing.T) {
	without := render(t, "panel: {databaseSecret: url}")["StatefulSet/kubepanel-panel"].Spec.Template.Spec
	for _, e := range without.Containers[0].Env {
		if strings.HasPrefix(e.Name, "PGSSL") {
			t.Errorf("%s=%s without a certificate", e.Name, e.Value)
		}
	}
	pod := render(t, "panel: {databaseSecret: url, databaseTLSSecret: certificate}")["StatefulSet/kubepanel-panel"].Spec.Template.Spec
	const folder = "/etc/kubepanel-database"
	want := map[string]string{
		"PANEL_DATABASE": "", "PGSSLMODE": "verify-full", "PGSSLROOTCERT": folder + "/ca.crt", "PGSSLCERT": folder + "/tls.crt", "PGSSLKEY": folder + "/tls.key",
	}
	got := map[string]string{}
	for _, e := range pod.Containers[0].Env {
		got[e.Name] = e.Value
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("environment = %v, want %v", got, want)
	}
	mounted := false
	for _, m := range pod.Containers[0].VolumeMounts {
		mounted = mounted || m.Name == "database" && m.MountPath == folder && m.ReadOnly
	}
	if !mounted {
		t.Errorf("mounts = %+v, want database at %s", pod.Containers[0].VolumeMounts, folder)
	}
	if _, err := chartOf(t, "panel: {databaseTLSSecret: certificate}"); err == nil || !strings.Contains(err.Error(), "panel.databaseSecret") {
		t.Errorf("a certificate for no PostgreSQL: %v, want it to name panel.databaseSecret", err)
	}
}

// MariaDB's pod has the authority of the operator's certificate, and can't sign with it.
func TestMariaDBHasTheAuthorityWithoutItsKey(t *testing.T) {
	found := false
	for _, v := range render(t, "")["StatefulSet/mariadb"].Spec.Template.Spec.Volumes {
		secret, ok := v["secret"].(map[string]any)
		if !ok || secret["secretName"] != "kubepanel-ca" {
			continue
		}
		found = true
		if want := []any{map[string]any{"key": "tls.crt", "path": "ca.crt"}}; !reflect.DeepEqual(secret["items"], want) || secret["optional"] != true {
			t.Errorf("volume = %v, want %v, optional", secret, want)
		}
	}
	if !found {
		t.Error("no volume of kubepanel-ca")
	}
}

func TestTheScannersPodsMayDoLittle(t *testing.T) {
	objects := render(t, "images: {pullSecrets: [registry]}")
	writes := map[string]bool{"clamav": false, "clamav-signatures": true}
	for name, mayWrite := range writes {
		pod := objects["Deployment/"+name].Spec.Template.Spec
		if pod.HostUsers == nil || *pod.HostUsers || pod.Token == nil || *pod.Token || len(pod.ImagePullSecrets) != 1 || pod.Affinity == nil {
			t.Errorf("pod of %s = %+v, want a user namespace, no token, the registry's secret and the volume's node", name, pod)
		}
		for _, c := range pod.Containers {
			want := map[string]any{"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": map[string]any{"drop": []any{"ALL"}}}
			if !reflect.DeepEqual(c.SecurityContext, want) {
				t.Errorf("%s: securityContext = %v, want %v", name, c.SecurityContext, want)
			}
			for _, m := range c.VolumeMounts {
				if m.Name == "signatures" && m.ReadOnly == mayWrite {
					t.Errorf("%s may write signatures: %t, want %t", name, !m.ReadOnly, mayWrite)
				}
			}
		}
	}
	without := render(t, "userNamespaces: false")
	if pod := without["Deployment/clamav"].Spec.Template.Spec; pod.HostUsers != nil {
		t.Errorf("hostUsers without user namespaces = %t, want it left out", *pod.HostUsers)
	}
}

func TestOnlyThePanelReachesTheScannerWhichReachesNobody(t *testing.T) {
	policy := render(t, "")["NetworkPolicy/clamav"].Spec
	panel := []any{map[string]any{
		"ports": []any{map[string]any{"port": "clamd", "protocol": "TCP"}},
		"from":  []any{map[string]any{"podSelector": map[string]any{"matchLabels": map[string]any{"app.kubernetes.io/name": "kubepanel-panel"}}}},
	}}
	if !reflect.DeepEqual(policy.Ingress, panel) || len(policy.Egress) != 0 || !slices.Equal(policy.PolicyTypes, []string{"Ingress", "Egress"}) ||
		!reflect.DeepEqual(policy.PodSelector.MatchLabels, map[string]string{"app.kubernetes.io/name": "clamav"}) {
		t.Errorf("policy = %+v, want the panel in and nobody out", policy)
	}
}

func TestSignaturesComeFromTheMirrorThatIsNamed(t *testing.T) {
	outside := func(cidr string, except ...any) map[string]any {
		return map[string]any{"ipBlock": map[string]any{"cidr": cidr, "except": except}}
	}
	world := []any{outside("0.0.0.0/0", "169.254.0.0/16", "10.244.0.0/16"), outside("::/0", "fe80::/10", "fd00:1::/56")}
	tests := map[string]struct {
		mirror string
		port   int
		to     any
	}{
		"ClamAV's own":    {"", 443, world},
		"by HTTPS":        {"https://clamav.example.com/signatures", 443, nil},
		"by HTTP":         {"http://clamav.example.com", 80, nil},
		"at another port": {"http://clamav.mirror.svc:8080/", 8080, nil},
		"by an address":   {"https://[fd00::1]:8443/x", 8443, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			objects := render(t, fmt.Sprintf("{clusterCIDRs: ['10.244.0.0/16', 'fd00:1::/56'], clamav: {mirror: '%s'}}", test.mirror))
			var got string
			for _, e := range objects["Deployment/clamav-signatures"].Spec.Template.Spec.Containers[0].Env {
				got = e.Value
			}
			if got != test.mirror {
				t.Errorf("MIRROR = %q, want %q", got, test.mirror)
			}
			policy := objects["NetworkPolicy/clamav-signatures"].Spec
			if len(policy.Ingress) != 0 || !slices.Equal(policy.PolicyTypes, []string{"Ingress", "Egress"}) || len(policy.Egress) != 2 {
				t.Fatalf("policy = %+v, want nobody in, and out to the mirror and DNS", policy)
			}
			want := map[string]any{"ports": []any{map[string]any{"port": test.port, "protocol": "TCP"}}}
			if test.to != nil {
				want["to"] = test.to
			}
			if !reflect.DeepEqual(policy.Egress[0], want) {
				t.Errorf("egress = %v, want %v", policy.Egress[0], want)
			}
		})
	}
}

func TestSettingsOfTheScannerThatCanNotBeAreRefused(t *testing.T) {
	for values, want := range map[string]string{
		"clamav: {mirror: 'ftp://clamav.example.com'}":                 "/clamav/mirror",
		"clamav: {mirror: 'https://user:password@clamav.example.com'}": "/clamav/mirror",
		"clamav: {mirror: \"https://clamav.example.com/\\nx\"}":        "/clamav/mirror",
		"clamav: {largestFile: 3Gi}":                                   "/clamav/largestFile",
		"clamav: {largestFile: 2049Mi}":                                "/clamav/largestFile",
		"clamav: {largestFile: 0Mi}":                                   "/clamav/largestFile",
		"images: {clamav: '-x'}":                                       "/images/clamav",
	} {
		if _, err := chartOf(t, values); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want an error at %s", values, err, want)
		}
	}
}

func TestTheScannerIsAskedForOnce(t *testing.T) {
	n := node(t)
	on, off := true, false
	for i, step := range []struct {
		told *bool
		want bool
	}{{nil, false}, {&on, true}, {nil, true}, {&off, false}, {nil, false}} {
		n.options.Scanner = step.told
		if got := n.scans(); got != step.want {
			t.Errorf("step %d: scans() = %t, want %t", i, got, step.want)
		}
		if n.scans() {
			if err := n.mark(scanner); err != nil {
				t.Fatal(err)
			}
		} else if err := n.unmark(scanner); err != nil {
			t.Fatal(err)
		}
	}
}
