package phase

import (
	"context"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"

	"kubepanel.io/kubepanel/node/manifests"
)

const metricsServing = "/etc/kubernetes/pki/metrics-server"

// metrics tells what pods use, by metrics-server.
func (n *Node) metrics(ctx context.Context) (string, error) {
	if err := n.metricsSecret(ctx); err != nil {
		return "", err
	}
	values, err := n.values()
	if err != nil {
		return "", err
	}
	ca, err := os.ReadFile(n.path(authority + ".crt"))
	if err != nil {
		return "", fmt.Errorf("read the cluster's authority: %w", err)
	}
	values.Authority = base64.StdEncoding.EncodeToString(ca)
	objects, err := manifests.Render("metrics.yaml", values)
	if err != nil {
		return "", err
	}
	return "metrics-server, asking kubelets every 15 s", n.apply(ctx, objects)
}

// metricsSecret holds what metrics-server shows to the API server.
func (n *Node) metricsSecret(ctx context.Context) error {
	const host = "metrics-server.kube-system.svc"
	certificate, key, err := n.serverPair(metricsServing, server{subject: pkix.Name{CommonName: host}, names: []string{host}})
	if err != nil {
		return err
	}
	secret, err := json.Marshal(map[string]any{
		"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls",
		"metadata": map[string]string{"name": "metrics-server", "namespace": "kube-system"},
		"data":     map[string][]byte{"tls.crt": certificate, "tls.key": key},
	})
	if err != nil {
		return fmt.Errorf("write metrics-server's secret: %w", err)
	}
	return n.apply(ctx, secret)
}
