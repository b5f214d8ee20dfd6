package desired

import (
	"encoding/json"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"kubepanel.io/kubepanel/api/platform"
	"kubepanel.io/kubepanel/api/v1alpha1"
)

// Keys of the ConfigMap app-config of a site that is not PHP's.
const (
	keyRuntime = "runtime.json"
	keyServer  = "server.conf"
)

// Ways between web server and program that the API does not name.
const proxyNone v1alpha1.ProxyMode = platform.ProxyNone

// pathState holds what a runtime makes from the site's files: virtual
// environments, node_modules. It is on the volume and can be made anew.
const pathState = pathData + "/.kubepanel"

// loopback is the site's own nginx, for a program in its pod.
var loopback = fmt.Sprintf("http://127.0.0.1:%d", portHTTP)

// runtimeConfig is runtime.json: what a start program in an image is told. It
// holds no password; those come as files of Secrets.
type runtimeConfig struct {
	Type      string `json:"type"`
	Version   string `json:"version"`
	Domain    string `json:"domain"`
	URL       string `json:"url"`
	ProxyMode string `json:"proxyMode"`
	Port      int32  `json:"port"`
	Timezone  string `json:"timezone"`
	// Root is the application's folder, State a folder beside it for what is
	// made from the application's files.
	Root  string `json:"root"`
	State string `json:"state"`
	// Database is the folder with the database's credentials, a file each.
	Database string         `json:"database,omitempty"`
	Settings map[string]any `json:"settings"`
	// Report is left out where nobody asks.
	Report *runtimeReport `json:"report,omitempty"`
}

// runtimeReport tells a start program how to say what became of its configuration:
// in File, for Revision, as soon as Ask answers without an error.
type runtimeReport struct {
	File     string `json:"file"`
	Revision string `json:"revision"`
	Ask      string `json:"ask"`
}

// runtime is the site's entry of the catalogue.
func (s Site) runtime() platform.Runtime { return s.Platform.Runtimes[s.Domain.Spec.Workload.Type] }

func (s Site) php() bool { return s.Domain.Spec.Workload.Type == v1alpha1.WorkloadTypePHP }

// static tells whether nginx alone makes the site.
func (s Site) static() bool { return s.mode() == proxyNone }

// mode is the Domain's own, or the catalogue's. The API fills in fastcgi where
// nothing is said, so fastcgi does not ask for anything.
func (s Site) mode() v1alpha1.ProxyMode {
	own, offered := s.Domain.Spec.Workload.ProxyMode, v1alpha1.ProxyMode(s.runtime().ProxyMode)
	if s.php() {
		return v1alpha1.ProxyFastCGI
	}
	if offered == proxyNone || own == "" || own == v1alpha1.ProxyFastCGI || s.modeFault() != "" {
		return offered
	}
	return own
}

// modeFault is a sentence when the platform's own program doesn't know the way that
// the Domain asks for; nginx would pass every visitor to nobody.
func (s Site) modeFault() string {
	w := s.Domain.Spec.Workload
	// What an image or a command of the customer's own speaks is theirs to know.
	if s.runtime().Speaks(string(w.ProxyMode)) || !s.platformApp() {
		return ""
	}
	return fmt.Sprintf("spec.workload.proxyMode: the program of %s does not speak %s; it speaks %s",
		s.Platform.Name(w.Type), w.ProxyMode, strings.Join(s.runtime().ProxyModes(), " and "))
}

// settings are workload.settings as the catalogue reads them.
func (s Site) settings() (map[string]any, []string) {
	values := map[string]string{}
	for name, value := range s.Domain.Spec.Workload.Settings {
		values[name] = string(value)
	}
	return s.runtime().ReadSettings(values)
}

// text returns a setting that is a text; "" when the catalogue has none of that name.
func (s Site) text(name string) string {
	settings, _ := s.settings()
	text, _ := settings[name].(string)
	return text
}

// runtimeFiles are what a start program reads. A static site has none.
func (s Site) runtimeFiles(root string) (map[string]string, error) {
	if s.static() {
		return map[string]string{KeyRevision: revision(nil)}, nil
	}
	w := s.Domain.Spec.Workload
	settings, _ := s.settings()
	config := runtimeConfig{
		Type: w.Type, Version: w.Version, Domain: s.name(), URL: s.Platform.Edge.URL(s.name()),
		ProxyMode: string(s.mode()), Port: s.port(), Timezone: s.timezone(), Root: root, State: pathState, Settings: settings,
	}
	if s.databaseEnabled() {
		config.Database = pathDatabase
	}
	text, err := config.text()
	if err != nil {
		return nil, err
	}
	files := map[string]string{keyRuntime: text}
	if w.CustomConfig != "" {
		files[keyServer] = lines(w.CustomConfig)
	}
	files[KeyRevision] = revision(files)
	if s.reportingApp() {
		// After the revision, which is of what the program has to be told of.
		config.Report = &runtimeReport{File: pathAppStatus, Revision: files[KeyRevision], Ask: loopback + pathStarted}
		files[keyRuntime], err = config.text()
	}
	return files, err
}

func (c runtimeConfig) text() (string, error) {
	out, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return "", fmt.Errorf("%s: %w", keyRuntime, err)
	}
	return string(out) + "\n", nil
}

// reportingApp tells whether the application's start program says what became of
// its configuration. An administrator's own need not know how.
func (s Site) reportingApp() bool { return s.platformApp() && s.runtime().Reports }

// program returns the container of a program that is not PHP. Its image's own
// start program makes ready what the site's files ask for and starts the server.
func (s Site) program() corev1.Container {
	c := s.app()
	if w := s.Domain.Spec.Workload; len(w.Command) == 0 && len(w.Args) == 0 {
		c.Command = s.runtime().Command
	}
	return c
}

// programs are the containers that run the site's own code.
func (s Site) programs() []corev1.Container {
	switch {
	case s.static():
		return nil
	case s.php():
		return []corev1.Container{s.app()}
	default:
		return []corev1.Container{s.program()}
	}
}

// runtimeEnv is what we set ourselves, whatever the customer says.
func (s Site) runtimeEnv() []corev1.EnvVar {
	timezone := corev1.EnvVar{Name: envTimezone, Value: s.timezone()}
	// A leading colon keeps the image's own folder and adds ours after it.
	scan := corev1.EnvVar{Name: envScanDir, Value: ":" + pathAppConfig}
	switch {
	case s.keptApp(): // the pool's configuration has the time zone, and can change
		return []corev1.EnvVar{scan}
	case s.php():
		return []corev1.EnvVar{scan, timezone}
	case s.platformApp(): // its start program has both from runtime.json, and can change them
		return nil
	}
	return []corev1.EnvVar{{Name: "PORT", Value: fmt.Sprint(s.port())}, timezone}
}

// helpers are the containers beside the program. In a static site nginx is the
// program, so it gets what the others leave.
func (s Site) helpers() []string {
	if s.static() {
		return []string{containerSFTP}
	}
	return []string{containerNginx, containerSFTP}
}

// probeHeaders name the site: programs such as Django refuse a request for a host
// that they don't know, and write it into their log. PHP-FPM answers itself.
func (s Site) probeHeaders() []corev1.HTTPHeader {
	if s.php() || s.static() {
		return nil
	}
	return []corev1.HTTPHeader{{Name: "Host", Value: s.name()}}
}
