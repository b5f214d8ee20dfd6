package platform_test

import (
	"crypto/tls"
	"crypto/x509"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	settings "kubepanel.io/kubepanel/api/platform"
	"kubepanel.io/kubepanel/internal/authority"
	"kubepanel.io/kubepanel/internal/operator/platform"
)

const namespace = "kubepanel-system"

// signing is the part of the operator that signs, with a clock of the test's own.
type signing struct {
	*testing.T
	*platform.Certificates

	now time.Time
}

func newSigning(t *testing.T) *signing {
	t.Helper()
	api := fake.NewClientBuilder().WithScheme(scheme.Scheme).Build()
	s := &signing{T: t, now: time.Now()}
	s.Certificates = &platform.Certificates{
		Client: api, Direct: api, Namespace: namespace, Now: func() time.Time { return s.now },
		Names: platform.Servers(namespace, []string{"mariadb"}), Clients: platform.Clients(),
	}
	return s
}

func (s *signing) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// authority puts another authority in the place of the one before.
func (s *signing) authority() {
	s.Helper()
	cert, key, err := authority.New(s.now)
	s.must(err)
	ca := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: settings.SecretCA},
		Data:       map[string][]byte{corev1.TLSCertKey: cert, corev1.TLSPrivateKeyKey: key},
	}
	s.must(client.IgnoreNotFound(s.Client.Delete(s.Context(), ca)))
	s.must(s.Client.Create(s.Context(), ca))
}

// signed has the operator look, and returns the certificate in a Secret, which has to be
// of the authority that stands beside it.
func (s *signing) signed(name string) *x509.Certificate {
	s.Helper()
	key := client.ObjectKey{Namespace: namespace, Name: name}
	_, err := s.Reconcile(s.Context(), reconcile.Request{NamespacedName: key})
	s.must(err)
	var secret corev1.Secret
	s.must(s.Client.Get(s.Context(), key, &secret))
	pair, err := tls.X509KeyPair(secret.Data[corev1.TLSCertKey], secret.Data[corev1.TLSPrivateKeyKey])
	s.must(err)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(secret.Data[settings.KeyAuthority])
	if _, err := pair.Leaf.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: s.now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}); err != nil {
		s.Errorf("%s is not of its authority: %v", name, err)
	}
	return pair.Leaf
}

func TestThePanelSignsInAndServesByDifferentCertificates(t *testing.T) {
	s := newSigning(t)
	s.authority()
	signsIn, serves := s.signed(settings.SecretPanelClientTLS), s.signed(settings.SecretPanelTLS)
	if got := signsIn.Subject.String(); got != "CN=kubepanel-panel,O=Kubepanel" || len(signsIn.DNSNames) > 0 {
		t.Errorf("who signs in = %s with the names %v, want the panel and no server's name", got, signsIn.DNSNames)
	}
	usages := map[*x509.Certificate]x509.ExtKeyUsage{signsIn: x509.ExtKeyUsageClientAuth, serves: x509.ExtKeyUsageServerAuth}
	for leaf, want := range usages {
		if len(leaf.ExtKeyUsage) != 1 || leaf.ExtKeyUsage[0] != want {
			t.Errorf("%s may be used as %v, want %v alone", leaf.Subject, leaf.ExtKeyUsage, want)
		}
	}
	if err := s.signed(settings.SecretClamAVTLS).VerifyHostname("clamav.kubepanel-system.svc"); err != nil {
		t.Errorf("the scanner's: %v", err)
	}
}

func TestCertificatesAreRenewedAheadOfTheirEndAndWithTheirAuthority(t *testing.T) {
	const day = 24 * time.Hour
	for _, name := range []string{settings.SecretPanelClientTLS, settings.SecretClamAVTLS} {
		t.Run(name, func(t *testing.T) {
			s := newSigning(t)
			s.authority()
			first := s.signed(name)
			if left := first.NotAfter.Sub(s.now).Round(time.Hour); left != 60*day {
				t.Errorf("it is good for %s, want 60 days", left)
			}
			if s.now = s.now.Add(40*day - time.Hour); !s.signed(name).Equal(first) {
				t.Error("it was renewed more than 20 days ahead")
			}
			s.now = s.now.Add(2 * time.Hour)
			second := s.signed(name)
			if second.Equal(first) {
				t.Error("it was not renewed 20 days ahead")
			}
			if !s.signed(name).Equal(second) {
				t.Error("it was renewed again")
			}
			if s.authority(); s.signed(name).Equal(second) {
				t.Error("it was not renewed with the authority")
			}
		})
	}
}

// A Secret without our label is left alone.
func TestACertificateOfAnAdministratorStays(t *testing.T) {
	s := newSigning(t)
	s.authority()
	cert, key, err := authority.New(s.now)
	s.must(err)
	theirs := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: settings.SecretPanelClientTLS},
		Data:       map[string][]byte{corev1.TLSCertKey: cert, corev1.TLSPrivateKeyKey: key, settings.KeyAuthority: cert},
	}
	s.must(s.Client.Create(s.Context(), theirs))
	if got := s.signed(settings.SecretPanelClientTLS); got.Subject.CommonName != "Kubepanel platform CA" {
		t.Errorf("an administrator's certificate became that of %s", got.Subject)
	}
}
