package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kubepanel.io/kubepanel/internal/authority"
	"kubepanel.io/kubepanel/internal/gateway"
	"kubepanel.io/kubepanel/internal/startup"
	"kubepanel.io/kubepanel/internal/vitals"
)

type gatewayOptions struct {
	startup.Options

	listen, health, metrics, certificate, keys string
}

func newGatewayCommand() *cobra.Command {
	var o gatewayOptions
	cmd := &cobra.Command{
		Use:    "gateway",
		Short:  "Run the gateway: SSH and SFTP of all sites on one port",
		Args:   cobra.NoArgs,
		Hidden: true,
		RunE:   func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context()) },
	}
	flags := cmd.Flags()
	o.AddFlags(flags)
	flags.StringVar(&o.listen, "listen", ":2222", "address for SSH")
	flags.StringVar(&o.health, "health-listen", vitals.HealthAddress, "address for /healthz and /readyz")
	flags.StringVar(&o.metrics, "metrics-listen", vitals.MetricsAddress, "address for /metrics, by TLS, where there is a certificate")
	flags.StringVar(&o.certificate, "certificate", "", "folder with tls.crt, tls.key and ca.crt for /metrics, which may come and change at any time; empty: there are none")
	flags.StringVar(&o.keys, "keys", "/etc/kubepanel-gateway", "folder with hostKey and authority; read anew for each connection")
	return cmd
}

// run serves until ctx ends or something essential fails.
func (o gatewayOptions) run(ctx context.Context) error {
	settings, level, err := o.Begin()
	if err != nil {
		return err
	}
	domains, err := domainClient(o.Kubeconfig)
	if err != nil {
		return err
	}
	keys := func() (gateway.Keys, error) {
		return gateway.ReadKeys(func(name string) ([]byte, error) { return os.ReadFile(filepath.Join(o.keys, name)) })
	}
	// Asked once before anybody comes, so that a bad Secret shows at the start.
	if _, err := keys(); err != nil {
		return err
	}
	sites, registry := &gateway.Directory{}, prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	g := &gateway.Gateway{
		Sites: sites, Keys: keys, Metrics: gateway.NewMetrics(registry, sites.Len),
		Log: slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: level})),
	}
	for _, cidr := range settings.SFTP.ProxyProtocolFrom {
		g.Trusted = append(g.Trusted, netip.MustParsePrefix(cidr)) // checked when the settings were read
	}
	return o.serve(ctx, g, gateway.NewWatcher(domains, sites), registry)
}

// serve runs the gateway, what it knows, and its health, until one of them ends.
func (o gatewayOptions) serve(ctx context.Context, g *gateway.Gateway, watcher *gateway.Watcher, registry *prometheus.Registry) error {
	// Transfers finish after ctx has ended, and need neither of these.
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	var unhealthy error
	defer wg.Wait()
	defer cancel()
	wg.Go(func() { watcher.Run(ctx) })
	wg.Go(func() {
		defer cancel()
		unhealthy = o.vitals(watcher.Synced(), registry, g.Log).Serve(ctx)
	})
	select {
	case <-watcher.Synced():
	case <-ctx.Done():
		wg.Wait()
		return unhealthy
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", o.listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	g.Log.Info("serving SSH", "address", listener.Addr().String(), "sites", g.Sites.Len())
	err = g.Serve(ctx, listener)
	cancel()
	wg.Wait()
	return errors.Join(err, unhealthy)
}

// errNoSites is what readiness says before sites are known.
var errNoSites = errors.New("the sites are not known yet")

// vitals are those of a gateway that is ready once synced is closed: before, no site would
// be known.
func (o gatewayOptions) vitals(synced <-chan struct{}, registry *prometheus.Registry, log *slog.Logger) *vitals.Vitals {
	v := &vitals.Vitals{Health: o.health, Metrics: o.metrics, Counts: registry, Ready: func(context.Context) error {
		select {
		case <-synced:
			return nil
		default:
			return errNoSites
		}
	}}
	if o.certificate != "" {
		v.Identity = &authority.Files{Folder: o.certificate, Log: log, Now: time.Now}
	}
	return v
}

func domainClient(kubeconfig string) (client.WithWatch, error) {
	config, err := startup.ClientConfig(kubeconfig, "kubepanel-gateway")
	if err != nil {
		return nil, err
	}
	scheme := runtime.NewScheme()
	if err := gateway.AddToScheme(scheme); err != nil {
		return nil, fmt.Errorf("name the kinds: %w", err)
	}
	return client.NewWithWatch(config, client.Options{Scheme: scheme})
}
