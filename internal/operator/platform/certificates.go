package platform

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	settings "kubepanel.io/kubepanel/api/platform"
	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/authority"
	"kubepanel.io/kubepanel/internal/kube"
	"kubepanel.io/kubepanel/internal/operator"
	"kubepanel.io/kubepanel/internal/vitals"
)

// How soon a certificate is looked at again.
const (
	// lookAgain is for what an administrator made: without a label of ours no watch tells
	// of its change.
	lookAgain = time.Minute
	// lookForEnd is for what a watch tells of, and ends all the same.
	lookForEnd = time.Hour
)

// Certificates keeps a certificate of the platform's authority for each server of
// the platform, and for each program that signs in to one, in a Secret of its own. One
// that an administrator put there, without our label, stays as it is.
type Certificates struct {
	Client client.Client
	// Direct reads from the API server: Secrets of administrators are in no cache.
	Direct    client.Reader
	Namespace string
	Now       func() time.Time
	// Names says which names each server has, by its Secret.
	Names map[string][]string
	// Clients says who signs in by the certificate in a Secret. It is no server's.
	Clients map[string]pkix.Name
}

// Servers returns the names that each server of the platform is reached by, by its
// Secret: a Service's is SERVICE.NAMESPACE.svc. Operator and edge, which have the
// authority, sign by themselves.
func Servers(namespace string, database []string) map[string][]string {
	return map[string][]string{
		settings.SecretMariaDBTLS:    database,
		settings.SecretPanelTLS:      {"kubepanel-panel." + namespace + ".svc", vitals.Host(namespace)},
		settings.SecretGatewayTLS:    {vitals.Host(namespace)},
		settings.SecretPHPMyAdminTLS: {"phpmyadmin." + namespace + ".svc"},
		settings.SecretClamAVTLS:     {"clamav." + namespace + ".svc"},
	}
}

// Clients returns who signs in to servers of the platform, by its Secret. The servers
// compare the whole name (images/clamav/nginx.conf, internal/vitals).
func Clients() map[string]pkix.Name {
	return map[string]pkix.Name{
		settings.SecretPanelClientTLS: {Organization: []string{"Kubepanel"}, CommonName: settings.ClientPanel},
		settings.SecretPrometheusTLS:  vitals.Reader(),
	}
}

// DatabaseNames returns the names that MariaDB is reached by, of which the settings
// have one and the operator found the longer one: mariadb.kubepanel-system.svc and
// mariadb.kubepanel-system.svc.cluster.local.
func DatabaseNames(host, full string) []string {
	names := []string{host}
	if full != host {
		names = append(names, full)
	}
	return names
}

// Reconcile makes or renews the certificate in the Secret of that name.
func (c *Certificates) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	if !c.ours(req.Name) || req.Namespace != c.Namespace {
		return reconcile.Result{}, nil
	}
	var ca, have corev1.Secret
	secrets := kube.PastCache{Cache: c.Client, Direct: c.Direct}
	if err := secrets.Get(ctx, client.ObjectKey{Namespace: c.Namespace, Name: settings.SecretCA}, &ca); err != nil {
		return reconcile.Result{}, fmt.Errorf("read the platform's authority: %w", err)
	}
	err := secrets.Get(ctx, req.NamespacedName, &have)
	missing := apierrors.IsNotFound(err)
	if err != nil && !missing {
		return reconcile.Result{}, err
	}
	again := reconcile.Result{RequeueAfter: lookAgain}
	foreign := !missing && !labelled(&have)
	if !foreign && labelled(&ca) {
		again.RequeueAfter = lookForEnd
	}
	if foreign || c.good(&have, &ca) {
		return again, nil
	}
	data, err := c.issue(&ca, req.Name)
	if err != nil {
		return reconcile.Result{}, fmt.Errorf("make a certificate for Secret %s: %w", req.Name, err)
	}
	if err := c.write(ctx, req.NamespacedName, &have, missing, data); err != nil {
		return reconcile.Result{}, fmt.Errorf("write Secret %s: %w", req.Name, err)
	}
	return again, nil
}

// ours tells whether a certificate is kept in the Secret of that name.
func (c *Certificates) ours(secret string) bool {
	_, server := c.Names[secret]
	_, client := c.Clients[secret]
	return server || client
}

// labelled tells whether a Secret is the operator's own, and so in its cache.
func labelled(s *corev1.Secret) bool {
	return s.Labels[v1alpha1.LabelManagedBy] == v1alpha1.ManagedBy
}

// good tells whether the certificate is of this authority, for whom it should be, and
// not near its end.
func (c *Certificates) good(have, ca *corev1.Secret) bool {
	if !bytes.Equal(have.Data[settings.KeyAuthority], ca.Data[corev1.TLSCertKey]) {
		return false
	}
	pair, err := tls.X509KeyPair(have.Data[corev1.TLSCertKey], have.Data[corev1.TLSPrivateKeyKey])
	if err != nil || !authority.Fresh(pair.Leaf, c.Now()) {
		return false
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca.Data[corev1.TLSCertKey])
	if subject, client := c.Clients[have.Name]; client {
		_, err := pair.Leaf.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: c.Now(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
		return err == nil && pair.Leaf.Subject.String() == subject.String()
	}
	for _, name := range c.Names[have.Name] {
		if _, err := pair.Leaf.Verify(x509.VerifyOptions{DNSName: name, Roots: roots, CurrentTime: c.Now()}); err != nil {
			return false
		}
	}
	return true
}

func (c *Certificates) issue(ca *corev1.Secret, secret string) (map[string][]byte, error) {
	signer, err := authority.Read(ca.Data[corev1.TLSCertKey], ca.Data[corev1.TLSPrivateKeyKey])
	if err != nil {
		return nil, err
	}
	var leaf *tls.Certificate
	if subject, client := c.Clients[secret]; client {
		leaf, err = signer.IssueClient(c.Now(), authority.Lifetime, subject)
	} else {
		leaf, err = signer.Issue(c.Now(), c.Names[secret]...)
	}
	if err != nil {
		return nil, err
	}
	// The root goes with it: libmariadb, when it is told no authority, proves a server by
	// the password that both know, but only where it has seen that the root is private.
	leaf.Certificate = leaf.Certificate[:1]
	cert, key, err := authority.Encode(leaf)
	cert = append(cert, ca.Data[corev1.TLSCertKey]...)
	return map[string][]byte{
		corev1.TLSCertKey: cert, corev1.TLSPrivateKeyKey: key, settings.KeyAuthority: ca.Data[corev1.TLSCertKey],
	}, err
}

func (c *Certificates) write(ctx context.Context, name client.ObjectKey, have *corev1.Secret, missing bool, data map[string][]byte) error {
	if missing {
		return c.Client.Create(ctx, &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{
				Name: name.Name, Namespace: name.Namespace,
				Labels: map[string]string{v1alpha1.LabelManagedBy: v1alpha1.ManagedBy},
			},
			Type: corev1.SecretTypeTLS, Data: data,
		}, fieldOwner)
	}
	before := have.DeepCopy()
	have.Data = data
	// The lock keeps us from a Secret that an administrator puts there meanwhile.
	return c.Client.Patch(ctx, have, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}), fieldOwner)
}

// Setup adds the reconciler to a manager. It looks at every certificate at start, when it
// or the authority changes, and now and then.
func (c *Certificates) Setup(mgr ctrl.Manager) error {
	atStart := source.Func(func(_ context.Context, q workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
		for _, r := range c.requests() {
			q.Add(r)
		}
		return nil
	})
	changed := handler.EnqueueRequestsFromMapFunc(func(_ context.Context, o client.Object) []reconcile.Request {
		if o.GetNamespace() != c.Namespace || !c.ours(o.GetName()) && o.GetName() != settings.SecretCA {
			return nil
		}
		return c.requests()
	})
	return ctrl.NewControllerManagedBy(mgr).Named("platform-certificates").
		Watches(&corev1.Secret{}, changed).
		WatchesRawSource(atStart).
		WithOptions(controller.Options{
			NewQueue:    operator.NewQuietQueue,
			RateLimiter: workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](retryFirst, retryLast),
		}).
		Complete(c)
}

func (c *Certificates) requests() []reconcile.Request {
	var all []reconcile.Request
	for _, name := range slices.Concat(slices.Sorted(maps.Keys(c.Names)), slices.Sorted(maps.Keys(c.Clients))) {
		all = append(all, reconcile.Request{NamespacedName: client.ObjectKey{Namespace: c.Namespace, Name: name}})
	}
	return all
}
