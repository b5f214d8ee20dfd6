package lab

import (
	"bufio"
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"
)

// dnsQuestions is how many questions the cluster's DNS has answered, whoever asked.
func (c *cluster) dnsQuestions(t testing.TB) float64 {
	t.Helper()
	pod, err := c.runningPod(t.Context(), "kube-system", client.MatchingLabels{"k8s-app": "kube-dns"})
	if err != nil {
		t.Fatalf("find the cluster's DNS: %v", err)
	}
	text, err := c.metrics(t.Context(), pod.Namespace, pod.Name, "9153")
	if err != nil {
		t.Fatalf("ask CoreDNS for its metrics: %v", err)
	}
	count, err := sumOfMetric(text, "coredns_dns_requests_total")
	if err != nil {
		t.Fatal(err)
	}
	return count
}

// metrics reads a pod's page of metrics by way of the API server.
func (c *cluster) metrics(ctx context.Context, namespace, pod, port string) (string, error) {
	text, err := c.clientset.CoreV1().Pods(namespace).ProxyGet("http", pod, port, "metrics", nil).DoRaw(ctx)
	return string(text), err
}

// sumOfMetric adds up a counter over all of its labels, in Prometheus' text format.
func sumOfMetric(text, name string) (float64, error) {
	sum, found := 0.0, false
	scanner := bufio.NewScanner(strings.NewReader(text))
	for scanner.Scan() {
		rest, ours := strings.CutPrefix(scanner.Text(), name+"{")
		if !ours {
			continue
		}
		value, err := strconv.ParseFloat(rest[strings.LastIndexByte(rest, ' ')+1:], 64)
		if err != nil {
			return 0, err
		}
		sum, found = sum+value, true
	}
	if !found {
		return 0, errors.New("no metric " + name)
	}
	return sum, scanner.Err()
}
