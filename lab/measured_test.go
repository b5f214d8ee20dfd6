package lab

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

// TestTheNodeMeasuresItsPods: `kubectl top` has figures, and who asks the kubelet for
// them knows by the cluster's authority that it is one.
func TestTheNodeMeasuresItsPods(t *testing.T) {
	c := openCluster(t)
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(c.config.CAData) {
		t.Fatal("the kubeconfig has no authority")
	}
	dialer := tls.Dialer{Config: &tls.Config{RootCAs: roots}}
	kubelet, err := dialer.DialContext(t.Context(), "tcp", net.JoinHostPort(c.address, "10250"))
	if err != nil {
		t.Fatalf("ask the kubelet: %v", err)
	}
	kubelet.Close()
	eventually(t, "figures of the API server's pod", 2*time.Minute, func(ctx context.Context) error {
		said, err := ask(ctx, "kubectl", "top", "pods", "--namespace", "kube-system", "--no-headers")
		if err == nil && !strings.Contains(said.stdout, "kube-apiserver-"+c.node) {
			err = fmt.Errorf("%s%s", said.stdout, said.stderr)
		}
		return err
	})
}
