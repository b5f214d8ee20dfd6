package platform

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	settings "kubepanel.io/kubepanel/api/platform"
	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/authority"
	"kubepanel.io/kubepanel/internal/operator"
)

const (
	// operatorAccount is the user name in mariadb-operator.
	operatorAccount = "kubepanel-operator"
	// fieldOwner is this reconciler's name in managedFields.
	fieldOwner = client.FieldOwner("kubepanel-operator/platform")

	// panelKeySize is that of an AES-256 key, in octets.
	panelKeySize = 32

	retryFirst = 200 * time.Millisecond
	retryLast  = 30 * time.Second
)

// Secrets keeps the platform's Secrets there.
type Secrets struct {
	Client    client.Client
	Namespace string
	// Now is the clock that the authority's lifetime starts from.
	Now func() time.Time
}

// contents says what each Secret holds when it is made.
func (s *Secrets) contents() map[string]func() (corev1.SecretType, map[string][]byte, error) {
	return map[string]func() (corev1.SecretType, map[string][]byte, error){
		settings.SecretMariaDBRoot: func() (corev1.SecretType, map[string][]byte, error) {
			return corev1.SecretTypeOpaque, map[string][]byte{"password": []byte(operator.NewPassword())}, nil
		},
		settings.SecretMariaDBOperator: func() (corev1.SecretType, map[string][]byte, error) {
			return corev1.SecretTypeOpaque, map[string][]byte{
				"username": []byte(operatorAccount), "password": []byte(operator.NewPassword()),
			}, nil
		},
		settings.SecretCA: func() (corev1.SecretType, map[string][]byte, error) {
			cert, key, err := authority.New(s.Now())
			return corev1.SecretTypeTLS, map[string][]byte{corev1.TLSCertKey: cert, corev1.TLSPrivateKeyKey: key}, err
		},
		settings.SecretGateway: func() (corev1.SecretType, map[string][]byte, error) {
			data, err := newGateway()
			return corev1.SecretTypeOpaque, data, err
		},
		settings.SecretPanel: func() (corev1.SecretType, map[string][]byte, error) {
			key := make([]byte, panelKeySize)
			_, err := rand.Read(key)
			return corev1.SecretTypeOpaque, map[string][]byte{settings.KeyPanel: key}, err
		},
		settings.SecretDoor: func() (corev1.SecretType, map[string][]byte, error) {
			key, public, err := operator.NewSSHKey()
			return corev1.SecretTypeOpaque, map[string][]byte{settings.KeyDoor: key, settings.KeyDoorPublic: public}, err
		},
	}
}

// names of the Secrets, in order.
func (s *Secrets) names() []string {
	return []string{settings.SecretMariaDBRoot, settings.SecretMariaDBOperator, settings.SecretCA, settings.SecretGateway, settings.SecretPanel, settings.SecretDoor}
}

// Reconcile makes the Secret of that name unless it is there.
func (s *Secrets) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	content, ours := s.contents()[req.Name]
	if !ours || req.Namespace != s.Namespace {
		return reconcile.Result{}, nil
	}
	var have corev1.Secret
	if err := s.Client.Get(ctx, req.NamespacedName, &have); !apierrors.IsNotFound(err) {
		return reconcile.Result{}, err
	}
	kind, data, err := content()
	if err != nil {
		return reconcile.Result{}, fmt.Errorf("make up Secret %s: %w", req.Name, err)
	}
	err = s.Client.Create(ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Name: req.Name, Namespace: req.Namespace,
			Labels: map[string]string{v1alpha1.LabelManagedBy: v1alpha1.ManagedBy},
		},
		Type: kind, Data: data,
	}, fieldOwner)
	if apierrors.IsAlreadyExists(err) {
		// An administrator's own, without our label and so not in our cache.
		return reconcile.Result{}, nil
	}
	if err != nil {
		return reconcile.Result{}, fmt.Errorf("make Secret %s: %w", req.Name, err)
	}
	return reconcile.Result{}, nil
}

// Setup adds the reconciler to a manager. It looks at every Secret once at start,
// and again when one is deleted.
func (s *Secrets) Setup(mgr ctrl.Manager) error {
	atStart := source.Func(func(_ context.Context, q workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
		for _, name := range s.names() {
			q.Add(reconcile.Request{NamespacedName: client.ObjectKey{Namespace: s.Namespace, Name: name}})
		}
		return nil
	})
	deleted := predicate.Funcs{
		CreateFunc: func(event.CreateEvent) bool { return false },
		UpdateFunc: func(event.UpdateEvent) bool { return false },
		DeleteFunc: func(e event.DeleteEvent) bool {
			return e.Object.GetNamespace() == s.Namespace && slices.Contains(s.names(), e.Object.GetName())
		},
		GenericFunc: func(event.GenericEvent) bool { return false },
	}
	return ctrl.NewControllerManagedBy(mgr).Named("platform-secrets").
		For(&corev1.Secret{}, builder.WithPredicates(deleted)).
		WatchesRawSource(atStart).
		WithOptions(controller.Options{
			NewQueue:    operator.NewQuietQueue,
			RateLimiter: workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](retryFirst, retryLast),
		}).
		Complete(s)
}
