package main

import (
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kubepanel.io/kubepanel/internal/authority"
	"kubepanel.io/kubepanel/internal/kubetest"
	"kubepanel.io/kubepanel/internal/operator"
	"kubepanel.io/kubepanel/internal/proctest"
	"kubepanel.io/kubepanel/internal/vitals"
	"kubepanel.io/kubepanel/internal/vitals/vitalstest"
)

// The gateway serves whoever comes before it has a certificate for metrics, and takes that
// when it comes.
func TestGatewayServesBeforeItHasACertificate(t *testing.T) {
	cluster, err := kubetest.Start()
	must(t, err)
	t.Cleanup(func() { _ = cluster.Stop() }) // nothing of it is needed any more
	root, err := kubetest.Root()
	must(t, err)
	keys, folder, health, metrics := t.TempDir(), t.TempDir(), proctest.Address(t), proctest.Address(t)
	for _, name := range []string{"hostKey", "authority"} {
		key, _, err := operator.NewSSHKey()
		must(t, err)
		must(t, os.WriteFile(filepath.Join(keys, name), key, 0o600))
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		cmd := newGatewayCommand()
		cmd.SetArgs([]string{"--kubeconfig", cluster.Kubeconfig, "--settings", filepath.Join(root, "api/platform/testdata/platform.yaml"), "--log-level", "error",
			"--keys", keys, "--certificate", folder, "--listen", proctest.Address(t), "--health-listen", health, "--metrics-listen", metrics})
		ended <- cmd.ExecuteContext(ctx)
	}()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("the gateway ended with %v", err)
		}
	})
	eventually(t, "a gateway that is ready without a certificate", func() bool {
		answer, err := http.Get("http://" + health + "/readyz")
		if err != nil {
			return false
		}
		answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	})

	certPEM, keyPEM, err := authority.New(time.Now())
	must(t, err)
	ca, err := authority.Read(certPEM, keyPEM)
	must(t, err)
	reader := vitalstest.Reader(t, ca, "kubepanel-system")
	read := func() bool {
		answer, err := reader.Get("https://" + metrics + "/metrics")
		if err != nil {
			return false
		}
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		must(t, err)
		return answer.StatusCode == http.StatusOK && strings.Contains(string(text), "kubepanel_gateway_sites 0")
	}
	if read() {
		t.Error("without a certificate metrics are served")
	}
	leaf, err := ca.Issue(time.Now(), vitals.Host("kubepanel-system"))
	must(t, err)
	shown, private, err := authority.Encode(leaf)
	must(t, err)
	for file, data := range map[string][]byte{"tls.crt": shown, "tls.key": private, "ca.crt": certPEM} {
		must(t, os.WriteFile(filepath.Join(folder, file), data, 0o600))
	}
	eventually(t, "metrics with the certificate", read)
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !is(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never came: %s", what)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
