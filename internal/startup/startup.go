// Package startup holds what the platform's own programs begin with: settings, log
// and the way to the API server. It must never hold what only one of them needs.
package startup

import (
	"fmt"
	"log/slog"
	"net/http"
	"os"

	"github.com/go-logr/logr"
	"github.com/spf13/pflag"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"

	"kubepanel.io/kubepanel/api/platform"
)

// Options are what every one of the programs is told.
type Options struct{ settings, Kubeconfig, logLevel string }

// AddFlags declares them.
func (o *Options) AddFlags(flags *pflag.FlagSet) {
	flags.StringVar(&o.settings, "settings", platform.MountPath, "file with the platform's settings")
	flags.StringVar(&o.Kubeconfig, "kubeconfig", "", "kubeconfig file; without it the pod's own service account is used")
	flags.StringVar(&o.logLevel, "log-level", "info", "debug, info, warn or error")
}

// Begin starts the log and reads the platform's settings, which all of them share.
func (o *Options) Begin() (*platform.Settings, slog.Level, error) {
	level, err := startLog(o.logLevel)
	if err != nil {
		return nil, level, err
	}
	settings, err := readSettings(o.settings)
	return settings, level, err
}

func readSettings(path string) (*platform.Settings, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the platform's settings: %w", err)
	}
	return platform.Parse(data)
}

// startLog sends every line, those of the libraries too, to standard error as JSON,
// and returns the level that the text names.
func startLog(text string) (slog.Level, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(text)); err != nil {
		return level, fmt.Errorf("--log-level: %w", err)
	}
	handler := slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: level})
	ctrl.SetLogger(logr.FromSlogHandler(handler))
	klog.SetSlogLogger(slog.New(handler))
	// What net/http says by the standard library's log: a handshake that failed, a panic.
	slog.SetLogLoggerLevel(slog.LevelWarn)
	slog.SetDefault(slog.New(handler))
	return level, nil
}

// ClientConfig tells how to reach the API server: as a kubeconfig file says, or
// without one as the pod's own service account. agent is the name that the API
// server's log shows.
func ClientConfig(kubeconfig, agent string) (*rest.Config, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("find the API server: %w", err)
	}
	// The API server shares itself out fairly; a limit of our own would only make a
	// large platform slow. Concurrency is bounded by the workers.
	config.QPS = -1
	config.UserAgent = agent
	// Both sides would spend more on it than the way between them takes.
	config.DisableCompression = true
	config.Wrap(boundStreams)
	return config, nil
}

// streamBuffer is how much of one answer may wait here, in bytes. Go's own choice is
// 4 MiB, and a program that starts watches a dozen kinds at once, which the API server
// sends faster than they are decoded.
const streamBuffer = 256 << 10

// boundStreams bounds what waits on a connection that is not made yet.
func boundStreams(rt http.RoundTripper) http.RoundTripper {
	for inner := rt; ; {
		switch t := inner.(type) {
		case *http.Transport:
			if t.HTTP2 == nil && t != http.DefaultTransport {
				t.HTTP2 = &http.HTTP2Config{MaxReceiveBufferPerStream: streamBuffer}
			}
			return rt
		case utilnet.RoundTripperWrapper:
			inner = t.WrappedRoundTripper()
		default:
			return rt
		}
	}
}
