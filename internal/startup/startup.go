// Package startup holds what the platform's own programs begin with: settings, log
// and the way to the API server. It must never hold what only one of them needs.
package startup

import (
	"fmt"
	"log/slog"
	"os"

	"github.com/go-logr/logr"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"

	"kubepanel.io/kubepanel/api/platform"
)

// Settings reads the platform's settings, which operator and edge share.
func Settings(path string) (*platform.Settings, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the platform's settings: %w", err)
	}
	return platform.Parse(data)
}

// Log sends every line, those of the libraries too, to standard error as JSON,
// and returns the level that the text names.
func Log(text string) (slog.Level, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(text)); err != nil {
		return level, fmt.Errorf("--log-level: %w", err)
	}
	handler := slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: level})
	ctrl.SetLogger(logr.FromSlogHandler(handler))
	klog.SetSlogLogger(slog.New(handler))
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
	return config, nil
}
