package phase

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"kubepanel.io/kubepanel/node/build"
	"kubepanel.io/kubepanel/node/machine"
)

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

func TestChartValuesNameWhatWasBuilt(t *testing.T) {
	images := []build.Image{
		{Name: "php", Version: "8.4", Ref: "kubepanel.io/php:8.4-a"}, {Name: "php", Version: "7.4", Ref: "kubepanel.io/php:7.4-b"},
		{Name: "nginx", Ref: "kubepanel.io/nginx:1.26-c"}, {Name: "etcd", Ref: "kubepanel.io/etcd:v3"},
	}
	got, err := yaml.Marshal(valuesOf(images, machine.Settings{Number: 7, HTTPPort: 8080, HTTPSPort: 8443, SSHPort: 12222}))
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
	n, err := New(m, nil, Options{}, &bytes.Buffer{})
	if err != nil {
		t.Fatal(err)
	}
	return n
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
