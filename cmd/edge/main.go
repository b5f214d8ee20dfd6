// Package main is the program edge: it serves the visitors of all sites. It stands
// apart from kubepanel because most of it is Caddy, which took more memory in the
// operator than everything that the operator does. It wires; a rule never stands
// here.
package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"

	"kubepanel.io/kubepanel/internal/edge"
	"kubepanel.io/kubepanel/internal/startup"
	"kubepanel.io/kubepanel/internal/vitals"
)

const (
	// Linger and drain together stay below the pod's grace period of 35 s.
	edgeLinger = 2 * time.Second
	edgeDrain  = 25 * time.Second
	// edgeRetry covers a container that restarts; visitors rather wait than see
	// an error, but not so long that they give up.
	edgeRetry = 5 * time.Second
)

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// A second Ctrl-C ends the program at once, whatever it is doing.
	context.AfterFunc(ctx, stop)
	cmd := newCommand()
	cmd.SetArgs(args)
	if err := cmd.ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		return 1
	}
	return 0
}

type options struct {
	startup.Options

	http, https          string
	health, metrics      string
	addresses            []string
	probes               bool
	accessLog            bool
	linger, drain, retry time.Duration
}

func newCommand() *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:   "edge",
		Short: "Run the edge: it serves visitors of all sites",
		Args:  cobra.NoArgs,
		// What went wrong is told once, without how the program is called.
		SilenceErrors: true, SilenceUsage: true,
		RunE: func(cmd *cobra.Command, _ []string) error { return serve(cmd, o) },
	}
	flags := cmd.Flags()
	o.AddFlags(flags)
	flags.StringVar(&o.http, "http-listen", ":8080", "address for HTTP")
	flags.StringVar(&o.https, "https-listen", ":8443", "address for HTTPS")
	flags.StringVar(&o.health, "health-listen", vitals.HealthAddress, "address for /healthz and /readyz")
	flags.StringVar(&o.metrics, "metrics-listen", vitals.MetricsAddress, "address for /metrics, by TLS")
	flags.StringSliceVar(&o.addresses, "publish-address", nil, "addresses or names to write into the status of Ingresses")
	flags.BoolVar(&o.probes, "probes", false, "listen where the operator tries whether network policies are enforced")
	flags.BoolVar(&o.accessLog, "access-log", false, "write a JSON line per request to standard output, without query strings")
	flags.DurationVar(&o.linger, "linger", edgeLinger, "how long to go on serving, but not ready, when told to stop")
	flags.DurationVar(&o.drain, "drain", edgeDrain, "how long to wait then for requests under way")
	flags.DurationVar(&o.retry, "retry", edgeRetry, "how long a request waits for a backend that can be reached")
	return cmd
}

func serve(cmd *cobra.Command, o options) error {
	settings, level, err := o.Begin()
	if err != nil {
		return err
	}
	client, err := newClient(o.Kubeconfig)
	if err != nil {
		return err
	}
	var accessLog io.Writer
	if o.accessLog {
		accessLog = os.Stdout
	}
	e := edge.New(edge.Config{
		Client: client, Settings: settings,
		HTTPListen: o.http, HTTPSListen: o.https, HealthListen: o.health, MetricsListen: o.metrics,
		Addresses: o.addresses,
		Probes:    o.probes,
		AccessLog: accessLog,
		Log:       slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: level})),
		LogLevel:  level,
		Linger:    o.linger, Drain: o.drain, RetryFor: o.retry,
	})
	if err := e.Run(cmd.Context()); err != nil {
		return fmt.Errorf("run the edge: %w", err)
	}
	return nil
}

func newClient(kubeconfig string) (kubernetes.Interface, error) {
	config, err := startup.ClientConfig(kubeconfig, "kubepanel-edge")
	if err != nil {
		return nil, err
	}
	// A fifth of JSON's bytes, and of its garbage while lists come in.
	config.ContentType = runtime.ContentTypeProtobuf
	config.AcceptContentTypes = runtime.ContentTypeProtobuf + "," + runtime.ContentTypeJSON
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
	}
	return client, nil
}
