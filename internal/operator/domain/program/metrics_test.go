package program_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kubepanel.io/kubepanel/api/platform"
	"kubepanel.io/kubepanel/internal/authority"
	"kubepanel.io/kubepanel/internal/kubetest"
	"kubepanel.io/kubepanel/internal/vitals"
	"kubepanel.io/kubepanel/internal/vitals/vitalstest"
)

// An alarm on a metric that is not there never rings.
func TestDocumentedMetricsAreThere(t *testing.T) {
	root, err := kubetest.Root()
	must(t, err)
	guide, err := os.ReadFile(filepath.Join(root, "docs/operator.md"))
	must(t, err)
	_, section, found := strings.Cut(string(guide), "\n## Metrics\n")
	section, _, ends := strings.Cut(section, "\n## ")
	if !found || !ends {
		t.Fatal("docs/operator.md has no section of metrics")
	}
	names := regexp.MustCompile(`\b(kubepanel|controller_runtime|workqueue|rest_client|leader_election|process)_[a-z_]+`).FindAllString(section, -1)
	slices.Sort(names)
	if names = slices.Compact(names); len(names) < 10 {
		t.Fatalf("docs/operator.md tells of %q only", names)
	}

	w := newWorld(t)
	w.startNodes(t)
	ready := w.follow(t)
	operator := w.startOperator(t, users[0])
	w.create(t, 0, 1)
	ready.await(t, 1, time.Minute)
	there := operator.metrics()
	for _, name := range names {
		// Nothing before policies were tried, for which an edge has to run.
		if name == "kubepanel_networkpolicy_enforced" {
			continue
		}
		whole := strings.TrimSuffix(strings.TrimSuffix(name, "_bucket"), "_count")
		if there[name] == nil && there[whole] == nil {
			t.Errorf("docs/operator.md tells of %s, which the operator does not show", name)
		}
	}
	for _, series := range there["workqueue_depth"].GetMetric() {
		t.Errorf("a queue is counted, which wakes the operator twice a second: %v", series.GetLabel())
	}
}

// Prometheus reads the operator that works and the one that waits, by the Secret that the
// first of them makes, over another authority too.
func TestMetricsAreReadByTheSecretOfPrometheus(t *testing.T) {
	w := newWorld(t)
	working := w.startOperator(t, users[0])
	w.eventually(t, time.Minute, func() error {
		if working.metric("leader_election_master_status", nil) != 1 {
			return errors.New("no operator has the lease")
		}
		return nil
	})
	waiting := w.startOperator(t, users[1])
	// scraped reads both as somebody who has these three keys.
	scraped := func(s *corev1.Secret) error {
		shown, err := tls.X509KeyPair(s.Data[corev1.TLSCertKey], s.Data[corev1.TLSPrivateKeyKey])
		if err != nil {
			return err
		}
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(s.Data[platform.KeyAuthority])
		reader := vitalstest.Client(&tls.Config{MinVersion: tls.VersionTLS13, RootCAs: roots, ServerName: vitals.Host(w.settings.Namespace), Certificates: []tls.Certificate{shown}})
		for p, leads := range map[*process]float64{working: 1, waiting: 0} {
			p.reader = reader
			if family := p.metrics()["leader_election_master_status"]; family == nil {
				return errors.New("an operator shows no metrics")
			}
			if got := p.metric("leader_election_master_status", nil); got != leads {
				return fmt.Errorf("leads = %g, want %g", got, leads)
			}
		}
		return nil
	}
	var before, secret, ca corev1.Secret
	key := client.ObjectKey{Namespace: w.settings.Namespace, Name: platform.SecretPrometheusTLS}
	w.eventually(t, time.Minute, func() error {
		if err := w.client.Get(t.Context(), key, &before); err != nil {
			return err
		}
		return scraped(&before)
	})

	must(t, w.client.Get(t.Context(), client.ObjectKey{Namespace: key.Namespace, Name: platform.SecretCA}, &ca))
	cert, private, err := authority.New(time.Now())
	must(t, err)
	ca.Data[corev1.TLSCertKey], ca.Data[corev1.TLSPrivateKeyKey] = cert, private
	must(t, w.client.Update(t.Context(), &ca))
	w.eventually(t, time.Minute, func() error {
		if err := w.client.Get(t.Context(), key, &secret); err != nil {
			return err
		}
		if string(secret.Data[platform.KeyAuthority]) != string(cert) {
			return errors.New("it is of the authority before")
		}
		return scraped(&secret)
	})
	before.Data[platform.KeyAuthority] = cert
	if err := scraped(&before); err != nil {
		t.Errorf("just after, with the certificate of the authority before: %v", err)
	}
}
