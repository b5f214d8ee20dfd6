package domain_test

import (
	"context"
	"crypto/tls"
	"errors"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kubepanel.io/kubepanel/api/platform"
	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/authority"
	"kubepanel.io/kubepanel/internal/desired"
	"kubepanel.io/kubepanel/internal/operator/domain/mariadb"
	"kubepanel.io/kubepanel/internal/operator/domain/mariadb/mariadbtest"
)

// TestMariaDBIsSpokenToEncryptedFromTheDayItCan is an upgrade: the operator is new
// first, MariaDB next, and after that nobody in its place is believed.
func TestMariaDBIsSpokenToEncryptedFromTheDayItCan(t *testing.T) {
	w := newWorld(t)
	forgetCertificate(t, w)
	w.only = "encrypted.example"
	w.startOperator(t)
	w.create(t, newDomain(w.only))
	w.condition(t, w.only, v1alpha1.ConditionDatabaseProvisioned, metav1.ConditionTrue, "")
	first := w.certificate(t, func(s *corev1.Secret) bool { return len(s.Data[corev1.TLSCertKey]) > 0 })
	if first.Annotations[platform.AnnotationProven] != "" {
		t.Error("a server without TLS is noted as one that was met with its certificate")
	}

	// One that has not got its certificate yet.
	w.mariadb.Stop()
	present(t, w, stranger(t, w.settings.Database.Host))
	w.mariadb.StartAgain()
	w.condition(t, w.only, v1alpha1.ConditionDatabaseReady, metav1.ConditionTrue, "")

	w.mariadb.Present(first.Data[corev1.TLSCertKey], first.Data[corev1.TLSPrivateKeyKey])
	w.certificate(t, func(s *corev1.Secret) bool { return s.Annotations[platform.AnnotationProven] != "" })
	eventually(t, func() error {
		if w.mariadb.As(mariadbtest.OperatorUser, mariadbtest.OperatorPassword, "").Ping() == nil {
			return errorf("the operator's account is let in in clear")
		}
		return nil
	})
	w.condition(t, w.only, v1alpha1.ConditionDatabaseReady, metav1.ConditionTrue, "")

	// Somebody in its place, encrypted or not, learns nothing.
	w.mariadb.Stop()
	present(t, w, stranger(t, w.settings.Database.Host))
	w.mariadb.StartAgain()
	w.condition(t, w.only, v1alpha1.ConditionDatabaseReady, metav1.ConditionFalse, "NotTrusted")
	w.mariadb.Stop()
	w.mariadb.Conceal()
	w.mariadb.StartAgain()
	w.condition(t, w.only, v1alpha1.ConditionDatabaseReady, metav1.ConditionFalse, "NotTrusted")

	w.mariadb.Stop()
	w.mariadb.Present(first.Data[corev1.TLSCertKey], first.Data[corev1.TLSPrivateKeyKey])
	w.mariadb.StartAgain()
	w.condition(t, w.only, v1alpha1.ConditionDatabaseReady, metav1.ConditionTrue, "")
}

// TestStolenAccountOpensNothingOnceMariaDBKnowsTheAuthority is an upgrade in either
// order, a way back, and an authority of another name, with the operator at work.
func TestStolenAccountOpensNothingOnceMariaDBKnowsTheAuthority(t *testing.T) {
	w := newWorld(t)
	forgetCertificate(t, w)
	w.only, w.resync = "certified.example", time.Second
	stop := w.startOperator(t)
	w.create(t, newDomain(w.only))
	shown := w.certificate(t, func(s *corev1.Secret) bool { return len(s.Data[corev1.TLSCertKey]) > 0 })
	certPEM, keyPEM := shown.Data[corev1.TLSCertKey], shown.Data[corev1.TLSPrivateKeyKey]
	ca := get(t, &corev1.Secret{}, w.settings.Namespace, platform.SecretCA)
	restart := func(authority []byte) {
		w.mariadb.Stop()
		w.mariadb.Present(certPEM, keyPEM)
		w.mariadb.Trust(authority)
		w.mariadb.StartAgain()
	}
	// stolen is what the account is good for without its certificate, over TLS.
	stolen := func() error {
		thief, err := mariadb.Open(mariadb.Account{
			Host: w.settings.Database.Host, Port: w.mariadb.Port, User: mariadbtest.OperatorUser, Password: mariadbtest.OperatorPassword,
			Authority: string(shown.Data[platform.KeyAuthority]),
		})
		if err != nil {
			t.Fatal(err)
		}
		defer thief.Close() // nothing was written
		return thief.Ping(t.Context())
	}
	closes := func() {
		t.Helper()
		eventually(t, func() error {
			if err := stolen(); !errors.Is(err, mariadb.ErrRefused) {
				return errorf("the operator's password alone: %v, want ErrRefused", err)
			}
			return nil
		})
		w.condition(t, w.only, v1alpha1.ConditionDatabaseReady, metav1.ConditionTrue, "")
		w.mends(t)
	}

	// An operator of now, a MariaDB of an older release.
	restart(nil)
	w.certificate(t, func(s *corev1.Secret) bool { return s.Annotations[platform.AnnotationProven] != "" })
	w.mends(t)
	if err := stolen(); err != nil {
		t.Errorf("a MariaDB that knows no authority: %v", err)
	}
	restart(ca.Data[corev1.TLSCertKey])
	closes()

	// Another operator signs a certificate of its own.
	stop()
	w.startOperator(t)
	closes()

	// Another authority, of which MariaDB hears a little later.
	newCert, newKey, err := authority.New(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	before := ca.DeepCopy()
	ca.Data[corev1.TLSCertKey], ca.Data[corev1.TLSPrivateKeyKey] = newCert, newKey
	if err := cluster.Client.Patch(t.Context(), ca, client.MergeFrom(before)); err != nil {
		t.Fatal(err)
	}
	shown = w.certificate(t, func(s *corev1.Secret) bool { return string(s.Data[platform.KeyAuthority]) == string(newCert) })
	certPEM, keyPEM = shown.Data[corev1.TLSCertKey], shown.Data[corev1.TLSPrivateKeyKey]
	w.mariadb.Present(certPEM, keyPEM)
	w.condition(t, w.only, v1alpha1.ConditionDatabaseReady, metav1.ConditionFalse, "AccountRefused")
	w.mariadb.Trust(newCert)
	closes()

	// MariaDB goes back to the older release, whose start requires nothing.
	root := w.mariadb.Root()
	defer root.Close() // what it wrote was answered
	if _, err := root.ExecContext(t.Context(), "ALTER USER '"+mariadbtest.OperatorUser+"'@'%' REQUIRE NONE"); err != nil {
		t.Fatal(err)
	}
	restart(nil)
	w.mends(t)
}

// mends waits until the operator has given the site back the user that it lost. It is
// made to look, since no watch tells of that.
func (w *world) mends(t *testing.T) {
	t.Helper()
	root := w.mariadb.Root()
	defer root.Close() // what it wrote was answered
	name := desired.DatabaseName(w.only)
	if _, err := root.ExecContext(t.Context(), "DROP USER IF EXISTS `"+name+"`@'%'"); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		w.change(t, w.only, func(d *v1alpha1.Domain) {
			metav1.SetMetaDataAnnotation(&d.ObjectMeta, "kubepanel.test/look", time.Now().String())
		})
		time.Sleep(200 * time.Millisecond)
		var users int
		if err := root.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM mysql.user WHERE User = ?", name).Scan(&users); err != nil {
			return err
		}
		if users != 1 {
			return errorf("the site's user is not there again")
		}
		return nil
	})
}

func TestCertificateOfMariaDBFollowsItsAuthority(t *testing.T) {
	w := newWorld(t)
	forgetCertificate(t, w)
	w.only = "knowing.example"
	w.startOperator(t)
	w.create(t, newDomain(w.only))
	first := w.certificate(t, func(s *corev1.Secret) bool { return len(s.Data[corev1.TLSCertKey]) > 0 })
	w.knowsMariaDBBy(t, w.only, first.Data[platform.KeyAuthority])
	pair, err := tls.X509KeyPair(first.Data[corev1.TLSCertKey], first.Data[corev1.TLSPrivateKeyKey])
	if err != nil {
		t.Fatal(err)
	}
	if left := time.Until(pair.Leaf.NotAfter); left < 30*24*time.Hour || pair.Leaf.IsCA {
		t.Errorf("the certificate lives another %s, is a CA: %v", left, pair.Leaf.IsCA)
	}

	// Nearly ended, as one that was made long ago.
	ca := get(t, &corev1.Secret{}, w.settings.Namespace, platform.SecretCA)
	signer, err := authority.Read(ca.Data[corev1.TLSCertKey], ca.Data[corev1.TLSPrivateKeyKey])
	if err != nil {
		t.Fatal(err)
	}
	old, err := signer.Issue(time.Now().Add(10*time.Minute-authority.Lifetime), w.settings.Database.Host)
	if err != nil {
		t.Fatal(err)
	}
	metav1.SetMetaDataAnnotation(&first.ObjectMeta, platform.AnnotationProven, "true")
	if first.Data[corev1.TLSCertKey], first.Data[corev1.TLSPrivateKeyKey], err = authority.Encode(old); err != nil {
		t.Fatal(err)
	}
	if err := cluster.Client.Update(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	renewed := w.certificate(t, func(s *corev1.Secret) bool {
		pair, err := tls.X509KeyPair(s.Data[corev1.TLSCertKey], s.Data[corev1.TLSPrivateKeyKey])
		return err == nil && time.Until(pair.Leaf.NotAfter) > time.Hour
	})
	if renewed.Annotations[platform.AnnotationProven] == "" {
		t.Error("with the old certificate it is forgotten that the server was met")
	}

	// Another authority counts at once.
	newCert, newKey, err := authority.New(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	ca = get(t, ca, w.settings.Namespace, platform.SecretCA)
	before := ca.DeepCopy()
	ca.Data[corev1.TLSCertKey], ca.Data[corev1.TLSPrivateKeyKey] = newCert, newKey
	if err := cluster.Client.Patch(t.Context(), ca, client.MergeFrom(before)); err != nil {
		t.Fatal(err)
	}
	w.certificate(t, func(s *corev1.Secret) bool { return string(s.Data[platform.KeyAuthority]) == string(newCert) })
	w.knowsMariaDBBy(t, w.only, newCert)

	// An administrator's own is left alone.
	own := w.certificate(t, func(*corev1.Secret) bool { return true })
	delete(own.Labels, v1alpha1.LabelManagedBy)
	own.Data[corev1.TLSCertKey] = []byte("mine")
	if err := cluster.Client.Update(t.Context(), own); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Second)
	if got := get(t, own, own.Namespace, own.Name); string(got.Data[corev1.TLSCertKey]) != "mine" {
		t.Error("an administrator's certificate was overwritten")
	}
}

// knowsMariaDBBy waits until a site's program finds that authority beside its password.
func (w *world) knowsMariaDBBy(t *testing.T, site string, authority []byte) {
	t.Helper()
	eventually(t, func() error {
		secret := &corev1.Secret{}
		if err := cluster.Client.Get(t.Context(), client.ObjectKey{Namespace: desired.Namespace(site), Name: desired.SecretDatabase}, secret); err != nil {
			return err
		}
		if got := secret.Data["ca.crt"]; len(got) == 0 || string(got) != string(authority) {
			return errorf("the site knows MariaDB by %q, want %q", got, authority)
		}
		return nil
	})
}

// certificate waits until MariaDB's Secret is as it should be.
func (w *world) certificate(t *testing.T, good func(*corev1.Secret) bool) *corev1.Secret {
	t.Helper()
	secret := &corev1.Secret{}
	eventually(t, func() error {
		if err := cluster.Client.Get(t.Context(), client.ObjectKey{Namespace: w.settings.Namespace, Name: platform.SecretMariaDBTLS}, secret); err != nil {
			return err
		}
		if !good(secret) {
			return errorf("Secret %s is not as it should be: %v", secret.Name, secret.Annotations)
		}
		return nil
	})
	return secret
}

// forgetCertificate removes what an earlier test left on the one API server, and
// again at the end: each test has a MariaDB of its own.
func forgetCertificate(t *testing.T, w *world) {
	t.Helper()
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: w.settings.Namespace, Name: platform.SecretMariaDBTLS}}
	remove := func(ctx context.Context) {
		if err := cluster.Client.Delete(ctx, secret.DeepCopy()); client.IgnoreNotFound(err) != nil {
			t.Error(err)
		}
	}
	remove(t.Context())
	t.Cleanup(func() { remove(context.Background()) })
}

// stranger is a certificate that nobody trusts.
func stranger(t *testing.T, name string) *tls.Certificate {
	t.Helper()
	cert, key, err := authority.New(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	signer, err := authority.Read(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := signer.Issue(time.Now(), name)
	if err != nil {
		t.Fatal(err)
	}
	return leaf
}

func present(t *testing.T, w *world, leaf *tls.Certificate) {
	t.Helper()
	cert, key, err := authority.Encode(leaf)
	if err != nil {
		t.Fatal(err)
	}
	w.mariadb.Present(cert, key)
}
