package main

import (
	"fmt"
	"log/slog"
	"os"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"

	"kubepanel.io/kubepanel/api/platform"
)

// readSettings reads the platform's settings, which operator and edge share.
func readSettings(path string) (*platform.Settings, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the platform's settings: %w", err)
	}
	return platform.Parse(data)
}

// logTo sends every line, those of the libraries too, to standard error as JSON,
// and returns the level that the text names.
func logTo(text string) (slog.Level, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(text)); err != nil {
		return level, fmt.Errorf("--log-level: %w", err)
	}
	handler := slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: level})
	ctrl.SetLogger(logr.FromSlogHandler(handler))
	klog.SetSlogLogger(slog.New(handler))
	return level, nil
}
