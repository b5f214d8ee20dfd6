package lab

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/portforward"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// TestMetricsAreForPrometheusAlone reads what every program counts with the keys of the
// Secret that a Prometheus has, and without them.
func TestMetricsAreForPrometheusAlone(t *testing.T) {
	t.Parallel()
	c := openCluster(t)
	var secret corev1.Secret
	if err := c.Get(t.Context(), client.ObjectKey{Namespace: platformNamespace, Name: "prometheus-tls"}, &secret); err != nil {
		t.Fatal(err)
	}
	shown, err := tls.X509KeyPair(secret.Data[corev1.TLSCertKey], secret.Data[corev1.TLSPrivateKeyKey])
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(secret.Data["ca.crt"])
	config := &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: roots, ServerName: "metrics." + platformNamespace + ".svc"}
	nobody := &http.Client{Transport: &http.Transport{TLSClientConfig: config}, Timeout: 10 * time.Second}
	config = config.Clone()
	config.Certificates = []tls.Certificate{shown}
	prometheus := &http.Client{Transport: &http.Transport{TLSClientConfig: config}, Timeout: 10 * time.Second}
	for _, program := range []string{"edge", "operator", "gateway", "panel"} {
		pod, err := c.runningPod(t.Context(), platformNamespace, client.MatchingLabels{"app.kubernetes.io/name": "kubepanel-" + program})
		if err != nil {
			t.Fatal(err)
		}
		url := fmt.Sprintf("https://127.0.0.1:%d/metrics", c.forward(t, pod, 8085))
		text, err := scrape(prometheus, url)
		if err != nil {
			t.Errorf("%s, as Prometheus: %v", program, err)
		}
		if value, err := sumOfMetric(text, "go_info"); err != nil || value != 1 {
			t.Errorf("%s shows go_info %g (%v), want 1", program, value, err)
		}
		if text, err := scrape(nobody, url); err == nil {
			t.Errorf("%s, as nobody: %.60q, want no answer", program, text)
		}
	}
}

// scrape reads a page of metrics.
func scrape(by *http.Client, url string) (string, error) {
	answer, err := by.Get(url)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close() // it was only read
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = errors.New(answer.Status)
	}
	return string(text), err
}

// forward leads from a port of 127.0.0.1, which it returns, to one of a pod until the test
// ends, like kubectl port-forward.
func (c *cluster) forward(t *testing.T, pod *corev1.Pod, port int) uint16 {
	t.Helper()
	url := c.clientset.CoreV1().RESTClient().Post().Resource("pods").Namespace(pod.Namespace).Name(pod.Name).SubResource("portforward").URL()
	dialer, err := portforward.NewSPDYOverWebsocketDialer(url, c.config)
	if err != nil {
		t.Fatal(err)
	}
	stop, ready, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	way, err := portforward.NewOnAddresses(dialer, []string{"127.0.0.1"}, []string{fmt.Sprintf("0:%d", port)}, stop, ready, io.Discard, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	go func() { ended <- way.ForwardPorts() }()
	select {
	case <-ready:
	case err := <-ended:
		t.Fatalf("forward port %d of %s: %v", port, pod.Name, err)
	}
	t.Cleanup(func() {
		close(stop)
		<-ended // what it could not bring was seen by who asked
	})
	ports, err := way.GetPorts()
	if err != nil {
		t.Fatal(err)
	}
	return ports[0].Local
}
