package v1alpha1

// WWWRedirect is which of a name and its www form a visitor ends up at.
//
// +kubebuilder:validation:Enum=none;www-to-root;root-to-www
type WWWRedirect string

// Redirects between a name and its www form.
const (
	WWWRedirectNone   WWWRedirect = "none"
	WWWRedirectToRoot WWWRedirect = "www-to-root"
	WWWRedirectToWWW  WWWRedirect = "root-to-www"
)

// WebserverSpec sets how files are served and visitors are redirected.
type WebserverSpec struct {
	// DocumentRoot is the folder that is served: absolute below /var/www, or relative
	// to /var/www/html. Without it, /var/www/html.
	// +kubebuilder:validation:MaxLength=255
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-zA-Z0-9/_-]+$')",message="use letters, digits, slashes, underscores and hyphens only"
	// +kubebuilder:validation:XValidation:rule="!self.startsWith('/') || self.matches('^/var/www/+[^/]')",message="give a folder below /var/www, or one relative to /var/www/html"
	// +optional
	DocumentRoot string `json:"documentRoot,omitempty"`

	// ClientMaxBodySize is the largest upload, in mebibytes (m) or gibibytes (g).
	// +kubebuilder:default="64m"
	// +kubebuilder:validation:MaxLength=10
	// +kubebuilder:validation:XValidation:rule="self.matches('^[0-9]+[mMgG]$')",message="give a whole number followed by m or g, such as 64m"
	// +optional
	ClientMaxBodySize string `json:"clientMaxBodySize,omitempty"`

	// SSLRedirect sends visitors from HTTP to HTTPS.
	// +kubebuilder:default=true
	// +optional
	SSLRedirect *bool `json:"sslRedirect,omitempty"`

	// WWWRedirect sends visitors from www to the bare name, or the other way round.
	// Left out, it is none.
	// +optional
	WWWRedirect WWWRedirect `json:"wwwRedirect,omitempty"`

	// CustomConfig is added to the site's nginx server block. It is checked before it
	// is used.
	// +kubebuilder:validation:MaxLength=10000
	// +optional
	CustomConfig string `json:"customConfig,omitempty"`

	// Cache keeps answers of the program for a while.
	// +kubebuilder:default={}
	// +optional
	Cache CacheSpec `json:"cache,omitzero"`
}

// CacheSpec keeps answers of the program for a while.
type CacheSpec struct {
	// Enabled turns the cache on.
	// +optional
	Enabled bool `json:"enabled,omitempty"`

	// Size is the most that the cache holds.
	// +kubebuilder:default="512Mi"
	// +kubebuilder:validation:MaxLength=10
	// +kubebuilder:validation:XValidation:rule="self.matches('^[0-9]+[KMG]i$')",message="give a whole number followed by Ki, Mi or Gi, such as 512Mi"
	// +optional
	Size string `json:"size,omitempty"`

	// InactiveTime is after how long an answer that nobody asked for is dropped.
	// +kubebuilder:default="60m"
	// +optional
	InactiveTime Duration `json:"inactiveTime,omitempty"`

	// ValidTime is how long an answer is used before the program is asked again.
	// +kubebuilder:default="10m"
	// +optional
	ValidTime Duration `json:"validTime,omitempty"`

	// BypassURIs are beginnings of paths that are never cached, such as /wp-admin.
	// +kubebuilder:validation:MaxItems=100
	// +listType=set
	// +optional
	BypassURIs []CachePath `json:"bypassUris,omitempty"`
}

// CachePath is the beginning of a URL's path.
//
// +kubebuilder:validation:MaxLength=255
// +kubebuilder:validation:XValidation:rule="self.matches('^/[^\\\\x00-\\\\x20\\\\x7f]*$')",message="give a path that begins with / and has no spaces"
type CachePath = string
