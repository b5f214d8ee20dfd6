package v1alpha1

import "encoding/json"

// ProxyMode is how the web server talks to the program.
//
// +kubebuilder:validation:Enum=fastcgi;http;uwsgi
type ProxyMode string

// Ways for the web server to talk to the program.
const (
	ProxyFastCGI ProxyMode = "fastcgi"
	ProxyHTTP    ProxyMode = "http"
	ProxyUWSGI   ProxyMode = "uwsgi"
)

// WorkloadTypePHP is the type of sites that PHP-FPM serves.
const WorkloadTypePHP = "php"

// WorkloadSpec is the program that serves a site.
type WorkloadSpec struct {
	// Type is an entry of the platform's catalogue of runtimes, such as php.
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z][a-z0-9-]*$')",message="give the name of a runtime, such as php"
	Type string `json:"type"`

	// Version of the runtime, such as 8.4.
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:XValidation:rule="self.matches('^[0-9A-Za-z][0-9A-Za-z._-]*$')",message="give a version of the runtime, such as 8.4"
	Version string `json:"version"`

	// Image replaces the catalogue's image for this site.
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z0-9][A-Za-z0-9._/:@-]*$')",message="give an image reference, such as registry.example/php:8.4"
	// +optional
	Image string `json:"image,omitempty"`

	// Port that the program listens on, on the pod's loopback. Not for php, whose
	// program listens on a socket.
	// +kubebuilder:default=9000
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	// +optional
	Port int32 `json:"port,omitempty"`

	// ProxyMode is how the web server talks to the program. fastcgi asks for the
	// catalogue's own mode, which is http for python and nodejs; php has no other.
	// +kubebuilder:default=fastcgi
	// +optional
	ProxyMode ProxyMode `json:"proxyMode,omitempty"`

	// Command replaces the image's entry point.
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MaxLength=4096
	// +listType=atomic
	// +optional
	Command []string `json:"command,omitempty"`

	// Args replace the image's arguments.
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MaxLength=4096
	// +listType=atomic
	// +optional
	Args []string `json:"args,omitempty"`

	// Env are variables for the program, and for the shell.
	// +kubebuilder:validation:MaxItems=100
	// +listType=map
	// +listMapKey=name
	// +optional
	Env []EnvVar `json:"env,omitempty"`

	// Settings of the runtime. For php: memoryLimit (256M), maxExecutionTime (30,
	// seconds), uploadMaxFilesize (64M), postMaxSize (64M), fpmMaxChildren (25, 1 to
	// 100), fpmProcessIdleTimeout (30, seconds). For other types: what the platform's catalogue names, see
	// "kubepanel platform runtimes". An unknown key makes a condition.
	// +kubebuilder:validation:MaxProperties=64
	// +optional
	Settings map[string]Setting `json:"settings,omitempty"`

	// CustomConfig is added to the runtime's configuration: for php lines of php.ini,
	// for python lines of gunicorn's configuration file or of uWSGI's.
	// +kubebuilder:validation:MaxLength=10000
	// +optional
	CustomConfig string `json:"customConfig,omitempty"`
}

// EnvVar is one environment variable.
type EnvVar struct {
	// Name of the variable.
	// +kubebuilder:validation:MaxLength=255
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z_][A-Za-z0-9_]*$')",message="the name of a variable has letters, digits and underscores only, and no digit first"
	Name string `json:"name"`

	// Value of the variable; empty when left out.
	// +kubebuilder:validation:MaxLength=32768
	// +optional
	Value string `json:"value,omitempty"`
}

// Setting is one value of the free map workload.settings, as text: people write
// 30 as well as "30". What is neither a number nor a text keeps its JSON form,
// so that the operator can refuse it with a condition.
//
// +kubebuilder:validation:Type=""
// +kubebuilder:pruning:PreserveUnknownFields
type Setting string

// UnmarshalJSON takes a text as it is and everything else in its JSON form.
func (s *Setting) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err == nil {
		*s = Setting(text)
		return nil
	}
	*s = Setting(data)
	return nil
}

// ResourcesSpec is what the whole site may use, all its containers together.
//
// +kubebuilder:validation:XValidation:rule="!has(self.requests) || !has(self.requests.cpu) || !isQuantity(self.requests.cpu) || !isQuantity(self.limits.cpu) || quantity(self.requests.cpu).compareTo(quantity(self.limits.cpu)) <= 0",message="requests.cpu can't exceed limits.cpu",fieldPath=".requests.cpu"
// +kubebuilder:validation:XValidation:rule="!has(self.requests) || !has(self.requests.memory) || !isQuantity(self.requests.memory) || !isQuantity(self.limits.memory) || quantity(self.requests.memory).compareTo(quantity(self.limits.memory)) <= 0",message="requests.memory can't exceed limits.memory",fieldPath=".requests.memory"
type ResourcesSpec struct {
	// Storage is the size of the site's volume in gibibytes. It can grow, never shrink.
	// +kubebuilder:validation:XValidation:rule="!self.matches('^[0-9]+Gi$') || !oldSelf.matches('^[0-9]+Gi$') || quantity(self).compareTo(quantity(oldSelf)) >= 0",message="storage can grow but never shrink; keep the present size or give a larger one"
	Storage StorageSize `json:"storage"`

	// Requests are what the site gets even on a busy node.
	// +optional
	Requests RequestsSpec `json:"requests,omitzero"`

	// Limits are what the site never exceeds.
	Limits LimitsSpec `json:"limits"`
}

// RequestsSpec is what a site gets even on a busy node.
type RequestsSpec struct {
	// CPU in thousandths of a core, such as 100m.
	// +optional
	CPU CPUAmount `json:"cpu,omitempty"`

	// Memory in mebibytes, such as 128Mi.
	// +optional
	Memory MemoryAmount `json:"memory,omitempty"`
}

// LimitsSpec is what a site never exceeds.
type LimitsSpec struct {
	// CPU in thousandths of a core, such as 1000m.
	// +kubebuilder:validation:XValidation:rule="!self.matches('^0+m$')",message="the limit must be above zero"
	CPU CPUAmount `json:"cpu"`

	// Memory in mebibytes, such as 512Mi.
	// +kubebuilder:validation:XValidation:rule="!self.matches('^0+Mi$')",message="the limit must be above zero"
	Memory MemoryAmount `json:"memory"`
}
