package platform_test

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	settings "kubepanel.io/kubepanel/api/platform"
	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/authority"
	"kubepanel.io/kubepanel/internal/kubetest"
	"kubepanel.io/kubepanel/internal/operator/platform"
	"kubepanel.io/kubepanel/internal/vitals"
)

// cluster is the real API server of this package's tests.
var cluster *kubetest.Cluster

func TestMain(m *testing.M) { os.Exit(kubetest.Run(m, &cluster)) }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// newNamespace makes the platform's namespace, of one test.
func newNamespace(t *testing.T, name string) {
	t.Helper()
	must(t, cluster.Client.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}))
}

// putAuthority writes another authority of the platform, and returns it.
func putAuthority(t *testing.T, namespace string) *authority.Authority {
	t.Helper()
	cert, key, err := authority.New(time.Now())
	must(t, err)
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: settings.SecretCA, Labels: map[string]string{v1alpha1.LabelManagedBy: v1alpha1.ManagedBy}},
		Type:       corev1.SecretTypeTLS, Data: map[string][]byte{corev1.TLSCertKey: cert, corev1.TLSPrivateKeyKey: key},
	}
	err = cluster.Client.Create(t.Context(), secret.DeepCopy())
	if apierrors.IsAlreadyExists(err) {
		err = cluster.Client.Update(t.Context(), secret)
	}
	must(t, err)
	ca, err := authority.Read(cert, key)
	must(t, err)
	return ca
}

func secretOf(t *testing.T, namespace, name string) *corev1.Secret {
	t.Helper()
	var s corev1.Secret
	must(t, cluster.Client.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: name}, &s))
	return &s
}

func TestPrometheusHasACertificateThatReadsAndServesNothing(t *testing.T) {
	const namespace = "with-prometheus"
	newNamespace(t, namespace)
	now := time.Now()
	c := &platform.Certificates{
		Client: cluster.Client, Direct: cluster.Client, Namespace: namespace, Now: func() time.Time { return now },
		Clients: platform.Clients(),
	}
	look := func() *x509.Certificate {
		t.Helper()
		_, err := c.Reconcile(t.Context(), reconcile.Request{NamespacedName: client.ObjectKey{Namespace: namespace, Name: settings.SecretPrometheusTLS}})
		must(t, err)
		s := secretOf(t, namespace, settings.SecretPrometheusTLS)
		pair, err := tls.X509KeyPair(s.Data[corev1.TLSCertKey], s.Data[corev1.TLSPrivateKeyKey])
		must(t, err)
		return pair.Leaf
	}
	signed := func(leaf *x509.Certificate, by *authority.Authority, as x509.ExtKeyUsage) bool {
		roots := x509.NewCertPool()
		roots.AddCert(by.Cert)
		_, err := leaf.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{as}})
		return err == nil
	}
	ours := putAuthority(t, namespace)
	first := look()
	if first.Subject.String() != vitals.Reader().String() || !signed(first, ours, x509.ExtKeyUsageClientAuth) || signed(first, ours, x509.ExtKeyUsageServerAuth) {
		t.Errorf("a certificate of %s that reads: %v, that serves: %v", first.Subject, signed(first, ours, x509.ExtKeyUsageClientAuth), signed(first, ours, x509.ExtKeyUsageServerAuth))
	}
	if !look().Equal(first) {
		t.Error("a good certificate was made anew")
	}
	now = now.Add(authority.Lifetime - authority.RenewBefore)
	second := look()
	if second.Equal(first) || !signed(second, ours, x509.ExtKeyUsageClientAuth) {
		t.Error("in its last third it was not renewed")
	}
	theirs := putAuthority(t, namespace)
	third := look()
	if !signed(third, theirs, x509.ExtKeyUsageClientAuth) || string(secretOf(t, namespace, settings.SecretPrometheusTLS).Data[settings.KeyAuthority]) != string(secretOf(t, namespace, settings.SecretCA).Data[corev1.TLSCertKey]) {
		t.Error("with another authority it was not made anew")
	}

	// A server's certificate in its place opens nothing, so it is none.
	s := secretOf(t, namespace, settings.SecretPrometheusTLS)
	wrong, err := theirs.Issue(now, "prometheus")
	must(t, err)
	s.Data[corev1.TLSCertKey], s.Data[corev1.TLSPrivateKeyKey], err = authority.Encode(wrong)
	must(t, err)
	must(t, cluster.Client.Update(t.Context(), s))
	if fourth := look(); !signed(fourth, theirs, x509.ExtKeyUsageClientAuth) {
		t.Error("a server's certificate in its place was left there")
	}

	// An administrator's own stays.
	s = secretOf(t, namespace, settings.SecretPrometheusTLS)
	s.Labels = nil
	own, err := theirs.IssueClient(now, authority.Lifetime/10, vitals.Reader())
	must(t, err)
	s.Data[corev1.TLSCertKey], s.Data[corev1.TLSPrivateKeyKey], err = authority.Encode(own)
	must(t, err)
	must(t, cluster.Client.Update(t.Context(), s))
	now = now.Add(authority.Lifetime)
	if !look().Equal(own.Leaf) {
		t.Error("an administrator's own certificate was replaced")
	}
}

// Each server that gets its certificate by a Secret has one for every name that it is
// asked for by.
func TestServersOfMetricsAreKnownByThatName(t *testing.T) {
	const namespace = "with-servers"
	newNamespace(t, namespace)
	ca := putAuthority(t, namespace)
	c := &platform.Certificates{Client: cluster.Client, Direct: cluster.Client, Namespace: namespace, Now: time.Now, Names: platform.Servers(namespace, []string{"mariadb." + namespace + ".svc"})}
	roots := x509.NewCertPool()
	roots.AddCert(ca.Cert)
	for name, names := range c.Names {
		_, err := c.Reconcile(t.Context(), reconcile.Request{NamespacedName: client.ObjectKey{Namespace: namespace, Name: name}})
		must(t, err)
		s := secretOf(t, namespace, name)
		pair, err := tls.X509KeyPair(s.Data[corev1.TLSCertKey], s.Data[corev1.TLSPrivateKeyKey])
		must(t, err)
		_, err = pair.Leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: vitals.Host(namespace)})
		want := name == settings.SecretPanelTLS || name == settings.SecretGatewayTLS
		if (err == nil) != want || slices.Contains(names, vitals.Host(namespace)) != want {
			t.Errorf("%s is for %s: %v, want %v", name, vitals.Host(namespace), err, want)
		}
	}
}

// An operator that waits for the lease has metrics too, and goes on with the authority that
// it has read while the API server is away.
func TestAuthorityIsReadWhenSomebodyAsks(t *testing.T) {
	const namespace = "with-authority"
	newNamespace(t, namespace)
	now := time.Now()
	a := &platform.Authority{Direct: cluster.Client, Namespace: namespace, Now: func() time.Time { return now }}
	if _, _, err := a.Current(t.Context()); err == nil {
		t.Error("before there is an authority one is told of")
	}
	is := func(step string, want *authority.Authority, trusted ...*authority.Authority) {
		t.Helper()
		got, roots, err := a.Current(t.Context())
		must(t, err)
		pool := x509.NewCertPool()
		for _, ca := range trusted {
			pool.AddCert(ca.Cert)
		}
		if !got.Cert.Equal(want.Cert) || !roots.Equal(pool) {
			t.Errorf("%s: another authority, or others are trusted", step)
		}
	}
	ours := putAuthority(t, namespace)
	is("the first", ours, ours)
	theirs := putAuthority(t, namespace)
	is("another, a moment later", ours, ours)
	now = now.Add(10 * time.Second)
	is("another", theirs, theirs, ours)
	must(t, cluster.Client.Delete(t.Context(), secretOf(t, namespace, settings.SecretCA)))
	now = now.Add(authority.Overlap)
	is("gone", theirs, theirs)
}
