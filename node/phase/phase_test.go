package phase

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"kubepanel.io/kubepanel/node/build"
	"kubepanel.io/kubepanel/node/machine"
)

func good() facts {
	return facts{
		Root: true, Memory: 8 * gibibyte, Disk: 50 * gibibyte, Cold: true, State: "/var/lib/kubepanel",
		Filesystems: "nodev\toverlay\n\text4\n",
		Namespaces:  []string{"cgroup", "ipc", "mnt", "net", "pid", "pid_for_children", "user", "uts"},
	}
}

func TestPreflightListsAllThatIsWrongWithItsMend(t *testing.T) {
	tests := map[string]struct {
		change func(*facts)
		want   []string
	}{
		"all well":           {change: func(*facts) {}},
		"not root":           {change: func(f *facts) { f.Root = false }, want: []string{"run it with sudo"}},
		"little memory":      {change: func(f *facts) { f.Memory = 3 * gibibyte }, want: []string{"3.0 GiB of memory are free and 4 GiB are needed"}},
		"little disk, cold":  {change: func(f *facts) { f.Disk = 11 * gibibyte }, want: []string{"11.0 GiB are free where /var/lib/kubepanel lies and 12.0 GiB are needed"}},
		"same disk, warm":    {change: func(f *facts) { f.Disk, f.Cold = 11*gibibyte, false }},
		"little disk, warm":  {change: func(f *facts) { f.Disk, f.Cold = 3*gibibyte, false }, want: []string{"4.0 GiB are needed"}},
		"up, using the room": {change: func(f *facts) { f.Disk, f.Memory, f.Up = gibibyte, gibibyte, true }},
		"no overlay":         {change: func(f *facts) { f.Filesystems = "nodev\toverlayish\n" }, want: []string{"modprobe overlay"}},
		"no namespaces":      {change: func(f *facts) { f.Namespaces = []string{"mnt", "pid", "ipc", "net", "cgroup"} }, want: []string{"no user namespaces", "no uts namespaces"}},
		"everything": {
			change: func(f *facts) { *f = facts{Cold: true} },
			want:   []string{"sudo", "memory", "disk", "modprobe", "cgroup", "ipc", "mnt", "net", "pid", "user", "uts"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := good()
			tt.change(&f)
			got := f.problems()
			for _, want := range tt.want {
				if !strings.Contains(strings.Join(got, "\n"), want) && want != "disk" {
					t.Errorf("problems() = %q, want one about %q", got, want)
				}
			}
			if len(tt.want) != len(got) {
				t.Errorf("problems() = %q, want %d of them", got, len(tt.want))
			}
		})
	}
}

func TestAvailableMemoryIsRead(t *testing.T) {
	got, err := parseAvailable("MemTotal:       24684084 kB\nMemFree:  1 kB\nMemAvailable:   22008000 kB\n")
	if want := uint64(22008000 << 10); got != want || err != nil {
		t.Errorf("parseAvailable() = %d, %v; want %d", got, err, want)
	}
	if _, err := parseAvailable("MemTotal: 1 kB\n"); err == nil {
		t.Error("parseAvailable() without MemAvailable = nil, want an error")
	}
}

func TestFreeDiskAsksTheNearestFolder(t *testing.T) {
	here, err := freeDisk(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if there, err := freeDisk(filepath.Join(t.TempDir(), "not", "there")); err != nil || there == 0 || here == 0 {
		t.Errorf("freeDisk(folder to come) = %d, %v; want what is free above it", there, err)
	}
}

func TestKubeletFlagsAreRead(t *testing.T) {
	got := parseFlags("# comment\nKUBELET_KUBEADM_ARGS=\"--node-ip=10.213.1.2 --v=2\"\n")
	if want := []string{"--node-ip=10.213.1.2", "--v=2"}; !reflect.DeepEqual(got, want) {
		t.Errorf("parseFlags() = %q, want %q", got, want)
	}
	if got := parseFlags("OTHER=1\n"); len(got) != 0 {
		t.Errorf("parseFlags(other) = %q, want none", got)
	}
}

func TestPortmapUsesNftOnlyWhereItReadsKubeProxysRules(t *testing.T) {
	for version, want := range map[string]string{
		"nftables v1.0.6 (Lester Gooch #5)":      "iptables",
		"nftables v1.1.3 (Commodore Bullmoose)":  "nftables",
		"nftables v1.2":                          "nftables",
		"nftables v2.0.0 (of some day)":          "nftables",
		"":                                       "iptables",
		"nftables vX.Y":                          "iptables",
		"another program altogether, without it": "iptables",
	} {
		if got := portmapBackend(version); got != want {
			t.Errorf("portmapBackend(%q) = %s, want %s", version, got, want)
		}
	}
}

func TestWorkloadServesWhenAllItsNewestPodsDo(t *testing.T) {
	tests := map[string]struct {
		json, kind, want string
	}{
		"deployment serves":       {kind: "deployments", json: `{metadata: {name: a, generation: 2}, spec: {replicas: 2}, status: {observedGeneration: 2, readyReplicas: 2, updatedReplicas: 2}}`},
		"old pods serve still":    {kind: "deployments", json: `{metadata: {name: a, generation: 2}, spec: {replicas: 2}, status: {observedGeneration: 2, readyReplicas: 2, updatedReplicas: 1}}`, want: "a: 1 of 2 pods are ready"},
		"not looked at":           {kind: "deployments", json: `{metadata: {name: a, generation: 2}, status: {observedGeneration: 1, readyReplicas: 1, updatedReplicas: 1}}`, want: "a: not yet looked at"},
		"daemon set serves":       {kind: "daemonsets", json: `{metadata: {name: a, generation: 1}, status: {observedGeneration: 1, desiredNumberScheduled: 1, updatedNumberScheduled: 1, numberReady: 1}}`},
		"daemon set has no nodes": {kind: "daemonsets", json: `{metadata: {name: a, generation: 1}, status: {observedGeneration: 1}}`, want: "a: 0 of 0 pods are ready"},
		"scaled to nothing":       {kind: "statefulsets", json: `{metadata: {name: a, generation: 1}, spec: {replicas: 0}, status: {observedGeneration: 1}}`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w, err := decodeWorkload(tt.json)
			if err != nil {
				t.Fatal(err)
			}
			w.Kind = tt.kind
			if got := w.waiting(); got != tt.want {
				t.Errorf("waiting() = %q, want %q", got, tt.want)
			}
		})
	}
}

func decodeWorkload(text string) (workload, error) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		var value any
		if err := yaml.Unmarshal([]byte(text), &value); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		fmt.Fprint(w, toJSON(value))
	}))
	defer server.Close()
	return read[workload](context.Background(), &client{server: server.URL, http: server.Client()}, "/")
}

func toJSON(value any) string {
	switch value := value.(type) {
	case map[string]any:
		var parts []string
		for name, part := range value {
			parts = append(parts, fmt.Sprintf("%q: %s", name, toJSON(part)))
		}
		return "{" + strings.Join(parts, ",") + "}"
	case string:
		return fmt.Sprintf("%q", value)
	default:
		return fmt.Sprint(value)
	}
}

func TestClientTellsWhatIsNotThere(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/there":
			fmt.Fprint(w, "{}")
		case "/broken":
			w.WriteHeader(http.StatusInternalServerError)
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	c := &client{server: server.URL, http: server.Client()}
	if _, err := c.get(t.Context(), "/there"); err != nil {
		t.Errorf("get(/there) = %v, want nil", err)
	}
	if _, err := c.get(t.Context(), "/missing"); !errors.Is(err, errNotFound) {
		t.Errorf("get(/missing) = %v, want %v", err, errNotFound)
	}
	if _, err := c.get(t.Context(), "/broken"); err == nil || errors.Is(err, errNotFound) {
		t.Errorf("get(/broken) = %v, want another error", err)
	}
}

// A certificate is shown and the server's is checked: kubeadm's file is enough.
func TestClientReadsAKubeconfig(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	ca := base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	certificate, key := pair(t)
	file := fmt.Sprintf("clusters: [{cluster: {server: %q, certificate-authority-data: %s}}]\nusers: [{user: {client-certificate-data: %s, client-key-data: %s}}]\n",
		server.URL, ca, certificate, key)
	c, err := newClient([]byte(file))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.get(t.Context(), "/readyz"); err != nil {
		t.Errorf("get(/readyz) = %v, want nil", err)
	}
	for what, broken := range map[string]string{
		"no YAML": ":\t", "empty": "", "no user": strings.Split(file, "\n")[0],
		"no certificate": strings.ReplaceAll(file, ca, "AAAA"), "no base64": strings.ReplaceAll(file, key, "=!"),
	} {
		if _, err := newClient([]byte(broken)); err == nil {
			t.Errorf("newClient(%s) = nil, want an error", what)
		}
	}
}

func TestChartValuesNameWhatWasBuilt(t *testing.T) {
	images := []build.Image{
		{Name: "php", Version: "8.4", Ref: "kubepanel.io/php:8.4-a"}, {Name: "php", Version: "7.4", Ref: "kubepanel.io/php:7.4-b"},
		{Name: "nginx", Ref: "kubepanel.io/nginx:1.26-c"}, {Name: "etcd", Ref: "kubepanel.io/etcd:v3"},
	}
	got, err := yaml.Marshal(valuesOf(images, machine.Settings{Number: 7, HTTPPort: 8080, HTTPSPort: 8443}))
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("testdata/values.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("valuesOf() =\n%s\nwant\n%s", got, want)
	}
}

func node(t *testing.T) *Node {
	t.Helper()
	m, err := machine.New("test", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return New(m, nil, Options{}, &bytes.Buffer{})
}

func TestMarkHoldsForItsInputsAlone(t *testing.T) {
	n := node(t)
	if n.everMarked("a b") {
		t.Error("everMarked() before mark() = true")
	}
	if err := n.mark("a b", "x", "y"); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		inputs []string
		want   bool
	}{{[]string{"x", "y"}, true}, {[]string{"xy", ""}, false}, {[]string{"x"}, false}, {nil, false}} {
		if got := n.marked("a b", tt.inputs...); got != tt.want {
			t.Errorf("marked(%q) = %t, want %t", tt.inputs, got, tt.want)
		}
	}
	if err := errors.Join(n.unmark("a b"), n.unmark("a b")); err != nil || n.everMarked("a b") {
		t.Errorf("unmark() = %v, still marked = %t", err, n.everMarked("a b"))
	}
}

func TestLinkIsMovedInOneStep(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "programs")
	for _, target := range []string{"/one", "/one", "/two"} {
		if err := link(folder, "name", target); err != nil {
			t.Fatal(err)
		}
		if got, err := os.Readlink(filepath.Join(folder, "name")); got != target || err != nil {
			t.Errorf("link leads to %q, %v; want %q", got, err, target)
		}
	}
}

func TestAwaitGivesTheRealCause(t *testing.T) {
	cause, tries := errors.New("cause"), 0
	err := await(t.Context(), 250*time.Millisecond, func(ctx context.Context) error {
		tries++
		return cause
	})
	if !errors.Is(err, cause) || tries < 2 {
		t.Errorf("await() = %v after %d tries, want the cause after some", err, tries)
	}
	if err := await(t.Context(), time.Minute, func(context.Context) error { return nil }); err != nil {
		t.Errorf("await() = %v, want nil", err)
	}
}

func TestOnlyWorkIsShown(t *testing.T) {
	n := node(t)
	fmt.Fprint(n.progress(), "etcd: cached\nbuilt kub", "ernetes in 5m\n")
	if got := n.out.(*bytes.Buffer).String(); got != "    built kubernetes in 5m\n" {
		t.Errorf("shown = %q, want the built one alone", got)
	}
}

func TestNewestLogOfEachComponentIsFound(t *testing.T) {
	n := node(t)
	old := filepath.Join(n.machine.Disk(), "var/log/pods/kube-system_etcd-x_1/etcd/0.log")
	fresh := filepath.Join(n.machine.Disk(), "var/log/pods/kube-system_etcd-x_1/etcd/1.log")
	kubelet := filepath.Join(n.machine.Logs(), "kubelet.log")
	for i, file := range []string{old, fresh, kubelet} {
		if err := machine.WriteFile(file, []byte("one\ntwo\nthree\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		when := time.Now().Add(time.Duration(i) * time.Minute)
		if err := os.Chtimes(file, when, when); err != nil {
			t.Fatal(err)
		}
	}
	files, err := LogFiles(n.machine)
	if want := map[string]string{"etcd": fresh, "kubelet": kubelet}; !reflect.DeepEqual(files, want) || err != nil {
		t.Errorf("LogFiles() = %v, %v; want %v", files, err, want)
	}
	if got, err := tail(fresh, 2); got != "two\nthree" || err != nil {
		t.Errorf("tail(2) = %q, %v; want the last two lines", got, err)
	}
}

func TestStatusOfAMachineThatNeverWas(t *testing.T) {
	n := node(t)
	status, err := Look(t.Context(), n.machine)
	if err != nil || status.Running || status.Message != "never brought up" {
		t.Errorf("Look() = %+v, %v; want one that never was up", status, err)
	}
	if text := status.String(); !strings.Contains(text, "test, down") {
		t.Errorf("String() = %q, want that it is down", text)
	}
}
