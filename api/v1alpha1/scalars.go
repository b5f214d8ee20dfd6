package v1alpha1

// The aliases below carry validation that several fields share. They stay plain
// strings in Go, so nobody has to convert.

// DomainName is a full domain name as it stands in DNS: lower-case ASCII, no
// dot at the end, international labels in their xn-- form (RFC 1035 lengths).
//
// +kubebuilder:validation:MaxLength=253
// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9.-]+$')",message="use lower-case letters, digits, hyphens and dots only; write an international name in its xn-- form"
// +kubebuilder:validation:XValidation:rule="!self.endsWith('.')",message="leave out the dot at the end of the name"
// +kubebuilder:validation:XValidation:rule="!self.matches('^[a-z0-9.-]+$') || self.endsWith('.') || self.contains('.')",message="give the full name, such as shop.example, not its first part alone"
// +kubebuilder:validation:XValidation:rule="!self.matches('^[a-z0-9.-]+$') || self.endsWith('.') || self.matches('^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?([.][a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$')",message="every part between the dots has 1 to 63 characters and neither begins nor ends with a hyphen"
// +kubebuilder:validation:XValidation:rule="!self.matches('[.](0x[0-9a-f]*|[0-9]+)$')",message="an IP address is not a domain name; the last part can't be a number"
type DomainName = string

// ObjectName is the name of a Kubernetes object.
//
// +kubebuilder:validation:MaxLength=253
// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$')",message="give the name of a Kubernetes object: lower-case letters, digits, hyphens and dots"
type ObjectName = string

// StorageSize is a whole number of gibibytes, such as 10Gi.
//
// +kubebuilder:validation:MaxLength=10
// +kubebuilder:validation:XValidation:rule="self.matches('^0*[1-9][0-9]*Gi$')",message="give a whole number of gibibytes above zero, such as 10Gi"
type StorageSize = string

// CPUAmount is a whole number of thousandths of a CPU core, such as 500m.
//
// +kubebuilder:validation:MaxLength=10
// +kubebuilder:validation:XValidation:rule="self.matches('^[0-9]+m$')",message="give a whole number of thousandths of a CPU core, such as 500m"
type CPUAmount = string

// MemoryAmount is a whole number of mebibytes, such as 512Mi.
//
// +kubebuilder:validation:MaxLength=10
// +kubebuilder:validation:XValidation:rule="self.matches('^[0-9]+Mi$')",message="give a whole number of mebibytes, such as 512Mi"
type MemoryAmount = string

// Duration is how nginx writes a length of time: a whole number and a unit.
//
// +kubebuilder:validation:MaxLength=10
// +kubebuilder:validation:XValidation:rule="self.matches('^[0-9]+(ms|[smhdw])$')",message="give a whole number and a unit (ms, s, m, h, d or w), such as 60m"
type Duration = string

// DKIMSelector names one of a domain's DKIM keys (RFC 6376 section 3.1).
//
// +kubebuilder:validation:MaxLength=63
// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([a-z0-9-]*[a-z0-9])?([.][a-z0-9]([a-z0-9-]*[a-z0-9])?)*$')",message="a DKIM selector has lower-case letters, digits, hyphens and dots only, such as default"
type DKIMSelector = string

// SingleLine is a text for people, without control characters.
//
// +kubebuilder:validation:MaxLength=255
// +kubebuilder:validation:XValidation:rule="!self.matches('[\\\\x00-\\\\x1f\\\\x7f]')",message="give one line of text without control characters"
type SingleLine = string

// SecretReference names a Secret in any namespace.
type SecretReference struct {
	// Name of the Secret.
	Name ObjectName `json:"name"`

	// Namespace of the Secret.
	Namespace ObjectName `json:"namespace"`
}

// SecretKeyReference names one value in a Secret.
type SecretKeyReference struct {
	// Name of the Secret.
	Name string `json:"name"`

	// Namespace of the Secret.
	Namespace string `json:"namespace"`

	// Key within the Secret's data.
	Key string `json:"key"`
}
