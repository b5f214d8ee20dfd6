package domain

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"kubepanel.io/kubepanel/api/platform"
	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/desired"
	"kubepanel.io/kubepanel/internal/kube"
	"kubepanel.io/kubepanel/internal/operator"
	"kubepanel.io/kubepanel/internal/operator/domain/access"
)

const (
	// workers reconcile at the same time: enough to hide the API server's latency,
	// few enough not to be a load of its own.
	workers = 8
	// retryFirst and retryLast bound how soon and how seldom a step that met an error
	// is tried again.
	retryFirst = 200 * time.Millisecond
	retryLast  = time.Minute
	// resync is how often a Domain without news is looked at, and all of it.
	resync = time.Hour
	// reconcileTimeout ends a reconcile that hangs; the next one starts afresh.
	reconcileTimeout = 2 * time.Minute
	// fieldOwner is this reconciler's name in managedFields.
	fieldOwner = "kubepanel-operator/domain"
)

// Options are what a Domain reconciler is given by its program.
type Options struct {
	Platform *platform.Settings
	// EdgeAddress is the edge's HTTPS port as seen from the operator; "" means its
	// Service.
	EdgeAddress string
	// GatewayAddress is where the gateway answers SSH; "" means its Service.
	GatewayAddress string
	// Admit says why no new site may be made now, nil when one may; without it all may.
	Admit func() error
	// Admitted is told when Admit may say something else.
	Admitted chan event.GenericEvent
	// Resync is how often a Domain without news is looked at; 0 means every hour.
	Resync  time.Duration
	Metrics *operator.Metrics
	Counts  *kube.Counts
	// Registry takes the metrics; nil for none.
	Registry prometheus.Registerer
}

// Setup adds the reconciler of Domains to a manager whose cache and client are
// those of CacheOptions and ClientOptions.
func Setup(ctx context.Context, mgr ctrl.Manager, o Options) error {
	r := newReconciler(mgr, o)
	var err error
	if r.hosts, err = kube.NewIndex(ctx, mgr.GetCache(), &v1alpha1.Domain{}, "hosts", desired.Hosts); err != nil {
		return err
	}
	if r.sitePods, err = kube.NewIndex(ctx, mgr.GetCache(), &corev1.Pod{}, "sites", namespaceOf); err != nil {
		return err
	}
	if r.Runs, err = client.New(mgr.GetConfig(), client.Options{HTTPClient: mgr.GetHTTPClient(), Scheme: mgr.GetScheme(), Mapper: mgr.GetRESTMapper()}); err != nil {
		return fmt.Errorf("make a client for runs of cron jobs: %w", err)
	}
	if err := mgr.Add(r.Databases); err != nil {
		return fmt.Errorf("watch over MariaDB: %w", err)
	}
	if r.Gateway != nil {
		if err := mgr.Add(r.Gateway); err != nil {
			return fmt.Errorf("watch over the gateway: %w", err)
		}
	}
	if o.Registry != nil {
		if err := o.Registry.Register(newCollector(r)); err != nil {
			return fmt.Errorf("declare metrics: %w", err)
		}
	}
	visitors := &access.Reconciler{Client: mgr.GetClient(), Server: r.Databases.Server, Site: r.holder, Now: time.Now}
	if err := visitors.Setup(mgr); err != nil {
		return fmt.Errorf("set up access to databases: %w", err)
	}
	loop := &operator.Loop[*v1alpha1.Domain]{
		Kind: "Domain", Client: mgr.GetClient(), Steps: r.Steps(),
		Finalizer: v1alpha1.FinalizerDomain, Cleanup: r.Cleanup(), Summarize: r.summarize,
		Recorder: mgr.GetEventRecorder("kubepanel-operator"), Metrics: o.Metrics, Resync: cmp.Or(o.Resync, resync),
	}
	b := r.watch(ctrl.NewControllerManagedBy(mgr).Named("domain"))
	if o.Admitted != nil {
		b = b.WatchesRawSource(source.Channel(o.Admitted, handler.EnqueueRequestsFromMapFunc(r.all)))
	}
	if r.Gateway != nil {
		b = b.WatchesRawSource(source.Channel(r.Gateway.Changed, handler.EnqueueRequestsFromMapFunc(r.all)))
	}
	return b.
		WithOptions(controller.Options{
			NewQueue:                r.queue.NewQueue,
			MaxConcurrentReconciles: workers,
			ReconciliationTimeout:   reconcileTimeout,
			RateLimiter:             workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](retryFirst, retryLast),
		}).
		Complete(reconcile.AsReconciler(mgr.GetClient(), loop))
}

func newReconciler(mgr ctrl.Manager, o Options) *Reconciler {
	c := mgr.GetClient()
	r := &Reconciler{
		Kube:     kube.Applier{Client: c, Direct: mgr.GetAPIReader(), Owner: fieldOwner, Known: &kube.Known{}, Counts: o.Counts},
		Direct:   mgr.GetAPIReader(),
		Platform: o.Platform,
		Pods:     NewPods(),
		Program:  program(o.Platform),
		Admit:    o.Admit,
	}
	// What no watch tells of is believed until shortly before the slow look, so that
	// each of those looks anew.
	trust := cmp.Or(o.Resync, resync) * 5 / 6
	r.Databases = &Databases{
		Settings: o.Platform.Database, Trust: trust,
		Account: func(ctx context.Context) (*corev1.Secret, error) {
			return r.platformSecret(ctx, platform.SecretMariaDBOperator)
		},
		Certificate: func(ctx context.Context) (*corev1.Secret, error) {
			return r.platformSecret(ctx, platform.SecretMariaDBTLS)
		},
		Authority: func(ctx context.Context) (*corev1.Secret, error) {
			return r.platformSecret(ctx, platform.SecretCA)
		},
		Proven:  r.proven,
		Changed: make(chan event.GenericEvent),
	}
	if o.Platform.SFTP.Gateway() {
		r.Gateway = newGateway(o.Platform, o.GatewayAddress)
	}
	address := o.EdgeAddress
	if address == "" {
		address = o.Platform.Edge.Service + "." + o.Platform.Namespace + ".svc:443"
	}
	r.Edge = &Edge{Address: address, Trust: trust, CA: func(ctx context.Context) ([]byte, error) {
		ca, err := r.platformSecret(ctx, platform.SecretCA)
		if err != nil {
			return nil, err
		}
		return ca.Data[corev1.TLSCertKey], nil
	}}
	return r
}

// platformSecret reads one of the platform's Secrets, from the cache when it has
// our label, as those made by the operator do. It is not to be changed.
func (r *Reconciler) platformSecret(ctx context.Context, name string) (*corev1.Secret, error) {
	var s corev1.Secret
	key := client.ObjectKey{Namespace: r.Platform.Namespace, Name: name}
	noCopy := true
	return &s, kube.PastCache{Cache: r.Kube.Client, Direct: r.Direct}.Get(ctx, key, &s, &client.GetOptions{UnsafeDisableDeepCopy: &noCopy})
}

// proven notes in a server's certificate that the server was met with it.
func (r *Reconciler) proven(ctx context.Context, secret *corev1.Secret) error {
	noted := secret.DeepCopy() // what is read may be the cache's own
	metav1.SetMetaDataAnnotation(&noted.ObjectMeta, platform.AnnotationProven, "true")
	return r.Kube.Client.Patch(ctx, noted, client.MergeFrom(secret), client.FieldOwner(fieldOwner))
}

// watch names everything whose change may make a Domain's status untrue.
func (r *Reconciler) watch(b *builder.Builder) *builder.Builder {
	b = b.For(&v1alpha1.Domain{}, builder.WithPredicates(predicate.Or(
		predicate.GenerationChangedPredicate{}, predicate.LabelChangedPredicate{}, predicate.AnnotationChangedPredicate{})))
	for _, owned := range []client.Object{
		&corev1.Namespace{}, &networkingv1.NetworkPolicy{}, &corev1.PersistentVolumeClaim{},
		&corev1.Secret{}, &corev1.ConfigMap{}, &appsv1.Deployment{}, &corev1.Service{}, &networkingv1.Ingress{},
	} {
		b = b.Watches(owned, handler.EnqueueRequestsFromMapFunc(ofOwner))
	}
	return b.
		Watches(&corev1.ResourceQuota{}, handler.EnqueueRequestsFromMapFunc(ofOwner), builder.WithPredicates(quotaChanged)).
		Watches(&batchv1.CronJob{}, handler.EnqueueRequestsFromMapFunc(ofOwner), builder.WithPredicates(predicate.Or(
			predicate.GenerationChangedPredicate{}, predicate.LabelChangedPredicate{}, predicate.AnnotationChangedPredicate{}))). // not each run
		Watches(&corev1.Pod{}, handler.EnqueueRequestsFromMapFunc(r.ofPod)).
		Watches(&v1alpha1.Domain{}, handler.EnqueueRequestsFromMapFunc(r.rivals), builder.WithPredicates(claimChanged)).
		Watches(&corev1.Secret{}, handler.EnqueueRequestsFromMapFunc(r.ofPlatformSecret)).
		WatchesRawSource(source.Channel(r.Databases.Changed, handler.EnqueueRequestsFromMapFunc(r.all)))
}

// quotaChanged leaves out news about what is used, which comes with every pod and
// is not in the cache.
var quotaChanged = predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
	return !kube.Alike(e.ObjectOld, e.ObjectNew)
}}

// claimChanged leaves out news that make a Domain's claim to a name neither better nor
// worse; at the start every Domain is looked at anyway.
var claimChanged = predicate.Funcs{
	CreateFunc: func(e event.CreateEvent) bool { return !e.IsInInitialList },
	UpdateFunc: func(e event.UpdateEvent) bool {
		was, okWas := e.ObjectOld.(*v1alpha1.Domain)
		is, okIs := e.ObjectNew.(*v1alpha1.Domain)
		return !okWas || !okIs || was.Status.Namespace != is.Status.Namespace || !slices.Equal(desired.Hosts(was), desired.Hosts(is))
	},
}

// ofOwner finds the Domain that an object was made for. controller-runtime's own
// handler asks for the kind's REST mapping each time, which takes longer than to
// parse the object.
func ofOwner(_ context.Context, o client.Object) []reconcile.Request {
	owner := metav1.GetControllerOfNoCopy(o)
	if owner == nil || owner.Kind != "Domain" || !strings.HasPrefix(owner.APIVersion, v1alpha1.Group+"/") {
		return nil
	}
	return []reconcile.Request{{NamespacedName: types.NamespacedName{Name: owner.Name}}}
}

// ofPod finds the Domain of a site's pod.
func (r *Reconciler) ofPod(ctx context.Context, pod client.Object) []reconcile.Request {
	name := pod.GetAnnotations()[v1alpha1.AnnotationDomainName]
	if name == "" {
		return nil
	}
	return requests(r.hosts.Find(ctx, name))
}

// rivals finds the other Domains that want a name of this one: what it gives up,
// another may have.
func (r *Reconciler) rivals(ctx context.Context, o client.Object) []reconcile.Request {
	d, ok := o.(*v1alpha1.Domain)
	if !ok {
		return nil
	}
	var all []reconcile.Request
	for _, host := range desired.Hosts(d) {
		for _, request := range requests(r.hosts.Find(ctx, host)) {
			if request.Name != o.GetName() {
				all = append(all, request)
			}
		}
	}
	return all
}

// ofPlatformSecret wakes every Domain when the authority of certificates changes,
// or a key of the gateway's.
func (r *Reconciler) ofPlatformSecret(ctx context.Context, o client.Object) []reconcile.Request {
	s, ok := o.(*corev1.Secret)
	if !ok || s.Namespace != r.Platform.Namespace {
		return nil
	}
	authority := s.Name == platform.SecretCA && r.Edge.Renewed(s.Data[corev1.TLSCertKey])
	gateway := s.Name == platform.SecretGateway && r.Platform.SFTP.Gateway()
	database := s.Name == platform.SecretMariaDBTLS && r.Databases.trusts(s.Data[platform.KeyAuthority])
	if !authority && !gateway && !database {
		return nil
	}
	return requests(r.hosts.All(ctx))
}

func (r *Reconciler) all(ctx context.Context, _ client.Object) []reconcile.Request {
	return requests(r.hosts.All(ctx))
}

func requests(of []*v1alpha1.Domain, err error) []reconcile.Request {
	if err != nil {
		return nil // the cache is ending; so are we
	}
	all := make([]reconcile.Request, len(of))
	for i, d := range of {
		all[i].Name = d.Name
	}
	return all
}
