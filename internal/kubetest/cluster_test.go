package kubetest_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kubepanel.io/kubepanel/internal/kubetest"
)

var cluster *kubetest.Cluster

// hold makes the test program only start a cluster, say where, and wait.
const hold = "KUBETEST_HOLD"

func TestMain(m *testing.M) {
	if os.Getenv(hold) != "" {
		held, err := kubetest.Start()
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println(held.Config.Host)
		select {}
	}
	os.Exit(kubetest.Run(m, &cluster))
}

// A test that is killed cleans nothing up, and so may not need to.
func TestNothingOutlivesAKilledTest(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.CommandContext(t.Context(), self)
	child.Env = append(os.Environ(), hold+"=1", "TMPDIR="+t.TempDir())
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the child started no API server: %v", err)
	}
	address = strings.Trim(strings.TrimPrefix(address, "https://"), "/\n")
	if !answers(address) {
		t.Fatalf("no API server at %s", address)
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for range 100 {
		if !answers(address) {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Errorf("the API server at %s outlived its test by 10 s", address)
}

func answers(address string) bool {
	connection, err := net.Dial("tcp", address)
	if err != nil {
		return false
	}
	return connection.Close() == nil
}

// The API server refuses to establish a kind whose rules cost too much, so this
// is also where the cost of our CEL rules is held.
func TestOurKindsAreServed(t *testing.T) {
	var crds apiextensionsv1.CustomResourceDefinitionList
	if err := cluster.Client.List(t.Context(), &crds); err != nil {
		t.Fatal(err)
	}
	if len(crds.Items) != 11 {
		t.Errorf("%d kinds are installed, want 11", len(crds.Items))
	}
	for _, crd := range crds.Items {
		for _, c := range crd.Status.Conditions {
			if c.Type == apiextensionsv1.NonStructuralSchema && c.Status == apiextensionsv1.ConditionTrue {
				t.Errorf("%s: %s", crd.Name, c.Message)
			}
		}
	}
}

func TestDeletedNamespacesGoAway(t *testing.T) {
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "gone"}}
	left := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "gone", Name: "left"}}
	for _, o := range []client.Object{ns, left} {
		if err := cluster.Client.Create(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	if err := cluster.Client.Delete(t.Context(), ns); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		err := cluster.Client.Get(ctx, client.ObjectKeyFromObject(ns), ns)
		if apierrors.IsNotFound(err) {
			return
		}
		if err != nil {
			t.Fatalf("the namespace is still there: %v", err)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func TestMissingBinariesAreNamedWithTheirMend(t *testing.T) {
	tests := map[string]struct {
		variable, value string
		want            string
	}{
		"empty state folder":     {"KUBEPANEL_STATE", t.TempDir(), "make unit"},
		"assets folder lacks it": {"KUBEBUILDER_ASSETS", t.TempDir(), "unset the variable"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Setenv("KUBEBUILDER_ASSETS", "")
			t.Setenv(tt.variable, tt.value)
			_, err := kubetest.Start()
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Start() = %v, want an error that says %q", err, tt.want)
			}
		})
	}
}

func TestRootHoldsTheModule(t *testing.T) {
	root, err := kubetest.Root()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(root, "go.mod")); err != nil {
		t.Error(err)
	}
}
