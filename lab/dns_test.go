package lab

import "testing"

func TestSumOfMetricAddsLabelsUp(t *testing.T) {
	const text = `# TYPE coredns_dns_requests_total counter
coredns_dns_requests_total{proto="udp",type="A"} 1.5e+06
coredns_dns_requests_total{proto="udp",type="AAAA"} 2
coredns_dns_requests_total_other{type="A"} 7
`
	if got, err := sumOfMetric(text, "coredns_dns_requests_total"); got != 1500002 || err != nil {
		t.Errorf("sumOfMetric = %v, %v, want 1500002", got, err)
	}
	if _, err := sumOfMetric(text, "coredns_dns"); err == nil {
		t.Error("sumOfMetric found part of a name")
	}
}
