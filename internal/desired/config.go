package desired

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Names of a site's ConfigMaps.
const (
	configNginx = "nginx-config"
	configApp   = "app-config"
)

// KeyRevision of a ConfigMap changes with whatever its program has to be told of.
// The program's keeper reports by it what it made of the configuration.
const KeyRevision = "revision"

// Config returns the ConfigMaps of the site: what nginx and the application read.
// It is an error when a value of the spec can't be written into one of them.
func (s Site) Config() ([]*corev1.ConfigMap, error) {
	nginx, err := s.nginxConfig()
	if err != nil {
		return nil, fmt.Errorf("nginx: %w", err)
	}
	web := map[string]string{keyNginx: nginx}
	if custom := s.Domain.Spec.Webserver.CustomConfig; custom != "" {
		web[keyCustom] = lines(custom)
	}
	root, err := DocumentRoot(s.Domain)
	if err != nil {
		return nil, err
	}
	app, err := s.appConfig(root)
	if err != nil {
		return nil, err
	}
	web[KeyRevision] = revision(web)
	return []*corev1.ConfigMap{s.configMap(configNginx, web), s.configMap(configApp, app)}, nil
}

// appConfig returns what the application reads, with its revision.
func (s Site) appConfig(root string) (map[string]string, error) {
	if !s.php() {
		return s.runtimeFiles(root)
	}
	ini, err := s.phpIni()
	if err != nil {
		return nil, fmt.Errorf("php.ini: %w", err)
	}
	pool, err := s.fpmConfig()
	if err != nil {
		return nil, fmt.Errorf("PHP-FPM: %w", err)
	}
	app := map[string]string{keyPHPIni: ini, keyFPM: pool, keyMSMTP: s.msmtprc()}
	if custom := s.Domain.Spec.Workload.CustomConfig; custom != "" {
		app[keyCustomIni] = lines(custom)
	}
	app[KeyRevision] = revision(app)
	if s.wordPress() {
		app[keyWordPress], err = s.wordPressConfig()
	}
	return app, err
}

func (s Site) configMap(name string, data map[string]string) *corev1.ConfigMap {
	return &corev1.ConfigMap{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"},
		ObjectMeta: s.meta(name),
		Data:       data,
	}
}

// lines ends a text with exactly one line end.
func lines(text string) string { return strings.TrimRight(text, "\n") + "\n" }

// revision is a hash of the files that a program reads once, when it starts. What
// is read each time anew, by PHP or when a mail is sent, needs no reload.
func revision(files map[string]string) string {
	sum := sha256.New()
	for _, key := range slices.Sorted(maps.Keys(files)) {
		if key != keyWordPress && key != keyMSMTP {
			fmt.Fprintf(sum, "%s %d\n%s", key, len(files[key]), files[key])
		}
	}
	return hex.EncodeToString(sum.Sum(nil)[:8])
}
