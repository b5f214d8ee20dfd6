package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"kubepanel.io/kubepanel/api/platform"
	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/authority"
	"kubepanel.io/kubepanel/internal/desired"
	"kubepanel.io/kubepanel/internal/kube"
	"kubepanel.io/kubepanel/internal/operator"
	"kubepanel.io/kubepanel/internal/operator/domain"
	"kubepanel.io/kubepanel/internal/operator/isolation"
	"kubepanel.io/kubepanel/internal/operator/maintenance"
	platformsecrets "kubepanel.io/kubepanel/internal/operator/platform"
	"kubepanel.io/kubepanel/internal/startup"
	"kubepanel.io/kubepanel/internal/vitals"
)

// The lease says who of several operators works. A killed one is replaced within
// its length, at once by its own pod's next container (newLock); one that is
// stopped gives it back at once. An API server that took
// longer than the deadline to answer made an operator give up and start anew: on a
// busy computer 7 s were too few.
const (
	leaseName     = "kubepanel-operator"
	leaseLength   = 20 * time.Second
	leaseDeadline = 15 * time.Second
	leaseRenewal  = 5 * time.Second

	// stopTimeout lets a reconcile that is under way end.
	stopTimeout = 10 * time.Second
)

type operatorOptions struct {
	startup.Options

	address, metrics, edge, gateway, profile, identity string
	leaderElect                                        bool
}

func newOperatorCommand() *cobra.Command {
	var o operatorOptions
	cmd := &cobra.Command{
		Use:    "operator",
		Short:  "Run the operator: it makes Domains real",
		Args:   cobra.NoArgs,
		Hidden: true,
		RunE:   func(cmd *cobra.Command, _ []string) error { return runOperator(cmd, o) },
	}
	flags := cmd.Flags()
	o.AddFlags(flags)
	flags.StringVar(&o.address, "address", vitals.HealthAddress, "address for /healthz and /readyz")
	flags.StringVar(&o.metrics, "metrics-listen", vitals.MetricsAddress, "address for /metrics, by TLS")
	flags.StringVar(&o.edge, "edge-address", "", "the edge's HTTPS port as host:port; without it that of its Service")
	flags.StringVar(&o.gateway, "gateway-address", "", "the gateway's SSH port as host:port; without it that of its Service")
	flags.StringVar(&o.profile, "profile-address", "", "address for profiles (net/http/pprof); without it there are none")
	flags.BoolVar(&o.leaderElect, "leader-elect", true, "work only while holding the lease, so that several may run")
	flags.StringVar(&o.identity, "identity", "", "the name to hold the lease under, of one process at a time; without it one made up at each start")
	return cmd
}

func runOperator(cmd *cobra.Command, o operatorOptions) error {
	if os.Getenv("GOGC") == "" { // somebody else's choice
		pace(ofOperator())
	}
	settings, _, err := o.Begin()
	if err != nil {
		return err
	}
	// Sites are given the full name. A shorter one costs them several questions of
	// each request; what is not found out leaves it short.
	resolvConf, _ := os.ReadFile("/etc/resolv.conf")
	host := settings.Database.Host
	settings.Database.Host = desired.FullName(settings.Database.Host, string(resolvConf))
	mgr, err := newManager(o, settings)
	if err != nil {
		return err
	}
	stepMetrics, err := operator.NewMetrics(metrics.Registry)
	if err != nil {
		return fmt.Errorf("declare metrics: %w", err)
	}
	wall, err := newWall(mgr, settings)
	if err != nil {
		return err
	}
	counts := &kube.Counts{}
	if err := domain.Setup(cmd.Context(), mgr, domain.Options{
		Platform: settings, EdgeAddress: o.edge, GatewayAddress: o.gateway, Admit: wall.Admit, Admitted: wall.Changed, Metrics: stepMetrics, Counts: counts, Registry: metrics.Registry,
	}); err != nil {
		return fmt.Errorf("set up Domains: %w", err)
	}
	if err := maintenance.Setup(mgr, settings.Namespace, stepMetrics); err != nil {
		return fmt.Errorf("set up NodeMaintenances: %w", err)
	}
	secrets := &platformsecrets.Secrets{Client: mgr.GetClient(), Namespace: settings.Namespace, Now: time.Now}
	if err := secrets.Setup(mgr); err != nil {
		return fmt.Errorf("set up the platform's Secrets: %w", err)
	}
	certificates := &platformsecrets.Certificates{
		Client: mgr.GetClient(), Direct: mgr.GetAPIReader(), Namespace: settings.Namespace, Now: time.Now,
		Names:   platformsecrets.Servers(settings.Namespace, platformsecrets.DatabaseNames(host, settings.Database.Host)),
		Clients: platformsecrets.Clients(),
	}
	if err := certificates.Setup(mgr); err != nil {
		return fmt.Errorf("set up the platform's certificates: %w", err)
	}
	all, ctx := errgroup.WithContext(cmd.Context())
	all.Go(func() error { return o.vitals(mgr, settings.Namespace).Serve(ctx) })
	all.Go(func() error {
		if err := mgr.Start(ctx); err != nil {
			return fmt.Errorf("run the operator: %w", err)
		}
		return nil
	})
	return all.Wait()
}

// vitals are those of an operator that waits for the lease too.
func (o operatorOptions) vitals(mgr ctrl.Manager, namespace string) *vitals.Vitals {
	ca := &platformsecrets.Authority{Direct: mgr.GetAPIReader(), Namespace: namespace, Now: time.Now}
	return &vitals.Vitals{
		Health: o.address, Metrics: o.metrics,
		Ready:  func(context.Context) error { return nil }, // who waits for the lease is as ready as can be
		Counts: metrics.Registry, Identity: &authority.Signed{Names: []string{vitals.Host(namespace)}, Authority: ca.Current, Now: time.Now},
	}
}

// newWall watches over whether network policies are enforced.
func newWall(mgr ctrl.Manager, settings *platform.Settings) (*isolation.Wall, error) {
	wall := &isolation.Wall{
		Client: mgr.GetClient(), Direct: mgr.GetAPIReader(), Namespace: settings.Namespace,
		Required: settings.Isolation.RequireNetworkPolicy, Ports: isolation.EdgePorts(), Changed: make(chan event.GenericEvent),
	}
	if err := metrics.Registry.Register(wall); err != nil {
		return nil, fmt.Errorf("declare metrics: %w", err)
	}
	if err := mgr.Add(wall); err != nil {
		return nil, fmt.Errorf("watch over network policies: %w", err)
	}
	return wall, nil
}

func newManager(o operatorOptions, settings *platform.Settings) (ctrl.Manager, error) {
	config, err := startup.ClientConfig(o.Kubeconfig, "kubepanel-operator")
	if err != nil {
		return nil, err
	}
	config.Wrap(kube.ReadItems)
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return nil, fmt.Errorf("register kinds: %w", err)
	}
	lock, err := newLock(config, settings.Namespace, o.identity)
	if err != nil {
		return nil, err
	}
	mgr, err := ctrl.NewManager(config, ctrl.Options{
		LeaderElectionResourceLockInterface: lock,

		Scheme: scheme,
		Cache:  domain.CacheOptions(),
		Client: domain.ClientOptions(),
		// Both are served by vitals, before there is a cache and without the lease.
		Metrics:                       metricsserver.Options{BindAddress: "0"},
		HealthProbeBindAddress:        "0",
		PprofBindAddress:              o.profile,
		LeaderElection:                o.leaderElect,
		LeaderElectionID:              leaseName,
		LeaderElectionNamespace:       settings.Namespace,
		LeaderElectionReleaseOnCancel: true,
		LeaseDuration:                 ptr.To(leaseLength),
		RenewDeadline:                 ptr.To(leaseDeadline),
		RetryPeriod:                   ptr.To(leaseRenewal),
		GracefulShutdownTimeout:       ptr.To(stopTimeout),
	})
	if err != nil {
		return nil, fmt.Errorf("set up the operator: %w", err)
	}
	return mgr, nil
}

// newLock returns the lease as one that identity holds. A pod's containers run one
// after another: under the pod's name the next one goes on with the lease of the
// killed one, and does not wait until it runs out. Without an identity it returns
// nil, and the manager makes up a name that nobody had before.
func newLock(config *rest.Config, namespace, identity string) (resourcelock.Interface, error) {
	if identity == "" {
		return nil, nil
	}
	lock, err := resourcelock.NewFromKubeconfig(resourcelock.LeasesResourceLock, namespace, leaseName,
		resourcelock.ResourceLockConfig{Identity: identity}, config, leaseDeadline)
	if err != nil {
		return nil, fmt.Errorf("make the lease: %w", err)
	}
	return lock, nil
}
