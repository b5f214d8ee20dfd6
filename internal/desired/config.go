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
	return []*corev1.ConfigMap{s.configMap(configNginx, web), s.configMap(configApp, app)}, nil
}

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

// configHash changes with any text of the configuration.
func configHash(configs []*corev1.ConfigMap) string {
	sum := sha256.New()
	for _, c := range configs {
		for _, key := range slices.Sorted(maps.Keys(c.Data)) {
			fmt.Fprintf(sum, "%s/%s %d\n%s", c.Name, key, len(c.Data[key]), c.Data[key])
		}
	}
	return hex.EncodeToString(sum.Sum(nil)[:8])
}
