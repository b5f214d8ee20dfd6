package watch

import (
	"context"
	"log/slog"
	"sync"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"

	"kubepanel.io/kubepanel/api/platform"
	"kubepanel.io/kubepanel/internal/edge/cert"
	"kubepanel.io/kubepanel/internal/edge/route"
	"kubepanel.io/kubepanel/internal/feed"
)

// Cluster connects the edge with the API server. Its fields are set before Run.
type Cluster struct {
	Client    kubernetes.Interface
	Settings  *platform.Settings
	Routes    *route.Registry
	Authority *cert.Authority
	Own       *cert.Own
	// Addresses are written into the status of our Ingresses; none writes none.
	Addresses []string
	Log       *slog.Logger
}

// Run watches until ctx ends, and then returns when all of its work has stopped.
// It closes synced once the first routing table is in force.
func (c *Cluster) Run(ctx context.Context, synced chan<- struct{}) {
	var all sync.WaitGroup
	defer all.Wait()
	status := newStatusWriter(c)
	own := newOwnSecrets(c)
	notices, stop := newNotices(ctx, c)
	defer stop()

	for _, ready := range c.feeds(ctx, &all, status) {
		select {
		case <-ready:
		case <-ctx.Done():
			return
		}
	}
	c.publish(notices, own)
	close(synced)
	all.Go(func() { status.run(ctx) })
	all.Go(func() { own.run(ctx) })
	for {
		select {
		case <-c.Routes.Wake():
			c.publish(notices, own)
		case <-ctx.Done():
			return
		}
	}
}

func (c *Cluster) publish(notices *notices, own *ownSecrets) {
	changes := c.Routes.Publish()
	c.Authority.Forget(changes.Removed...)
	if changes.TLSSecrets != nil {
		own.want(changes.TLSSecrets)
	}
	for _, rejection := range changes.Rejected {
		notices.hostTaken(rejection)
	}
}

// feeds starts all watches and returns what tells that each has its first list.
// The CA is not among them: sites that bring a certificate can do without.
func (c *Cluster) feeds(ctx context.Context, all *sync.WaitGroup, status *statusWriter) []<-chan struct{} {
	classes := feed.New(func(class *networkingv1.IngressClass) {
		c.Routes.PutClass(class)
		status.reviewAll()
	}, func(name types.NamespacedName) { c.Routes.DeleteClass(name) }, func(*networkingv1.IngressClass) {})
	ingresses := feed.New(func(ing *networkingv1.Ingress) {
		c.Routes.PutIngress(ing)
		status.review(ing)
	}, func(name types.NamespacedName) {
		c.Routes.DeleteIngress(name)
		status.forget(name)
	}, func(ing *networkingv1.Ingress) { ing.Labels = nil })
	services := feed.New(c.Routes.PutService, c.Routes.DeleteService, stripService)
	slices := feed.New(c.Routes.PutSlice, c.Routes.DeleteSlice, stripSlice)
	ca := feed.New(c.putCA, func(types.NamespacedName) {
		c.Log.Warn("the platform's CA is gone; the edge goes on with the one that it has read", "secret", platform.SecretCA)
	}, func(*corev1.Secret) {})

	networking, core := c.Client.NetworkingV1(), c.Client.CoreV1()
	everywhere := metav1.NamespaceAll
	start(ctx, all, c, classes, networking.IngressClasses())
	start(ctx, all, c, ingresses, networking.Ingresses(everywhere))
	start(ctx, all, c, services, core.Services(everywhere))
	start(ctx, all, c, slices, c.Client.DiscoveryV1().EndpointSlices(everywhere))
	start(ctx, all, c, ca, one[*corev1.SecretList]{core.Secrets(c.Settings.Namespace), platform.SecretCA})
	return []<-chan struct{}{classes.Synced(), ingresses.Synced(), services.Synced(), slices.Synced()}
}

func (c *Cluster) putCA(secret *corev1.Secret) {
	err := c.Authority.SetCA(secret.Data[corev1.TLSCertKey], secret.Data[corev1.TLSPrivateKeyKey])
	if err != nil {
		c.Log.Error("the platform's CA can't be used", "secret", cache.MetaObjectToName(secret).String(), "error", err)
		return
	}
	c.Log.Info("the platform's CA is read", "secret", cache.MetaObjectToName(secret).String(), "expires", c.Authority.Expires())
}

func stripService(svc *corev1.Service) {
	svc.Labels, svc.Annotations, svc.OwnerReferences = nil, nil, nil
	svc.Status = corev1.ServiceStatus{}
}

func stripSlice(es *discoveryv1.EndpointSlice) {
	es.Labels = map[string]string{discoveryv1.LabelServiceName: es.Labels[discoveryv1.LabelServiceName]}
	es.Annotations, es.OwnerReferences = nil, nil
	for i := range es.Endpoints {
		e := &es.Endpoints[i]
		e.Hostname, e.TargetRef, e.NodeName, e.Zone, e.Hints, e.DeprecatedTopology = nil, nil, nil, nil, nil, nil
	}
}
