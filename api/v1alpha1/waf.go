package v1alpha1

// PathMatchType is how a path is compared.
//
// +kubebuilder:validation:Enum=exact;prefix;regex
type PathMatchType string

// Ways to compare a path.
const (
	PathExact  PathMatchType = "exact"
	PathPrefix PathMatchType = "prefix"
	PathRegex  PathMatchType = "regex"
)

// WAFAction is what to do with a request that a rule matches.
//
// +kubebuilder:validation:Enum=block;allow
type WAFAction string

// What to do with a request.
const (
	WAFBlock WAFAction = "block"
	WAFAllow WAFAction = "allow"
)

// MatchPath is a path, its beginning or a regular expression.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=512
// +kubebuilder:validation:XValidation:rule="!self.matches('[\\\\x00-\\\\x1f\\\\x7f]')",message="a path has no control characters"
type MatchPath = string

// Network is an IP address or a network in CIDR form.
//
// +kubebuilder:validation:MaxLength=49
// +kubebuilder:validation:XValidation:rule="isIP(self) || isCIDR(self)",message="give an IP address or a network, such as 203.0.113.7 or 203.0.113.0/24"
type Network = string

// Country is a code of ISO 3166-1 alpha-2.
//
// +kubebuilder:validation:MaxLength=2
// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Z]{2}$')",message="give a country's code of two capital letters (ISO 3166-1), such as DE"
type Country = string

// GeoBlock refuses visitors by country.
type GeoBlock struct {
	// Enabled puts it into force.
	// +optional
	Enabled bool `json:"enabled,omitempty"`

	// BlockedCountries are refused.
	// +kubebuilder:validation:MaxItems=250
	// +listType=set
	// +optional
	BlockedCountries []Country `json:"blockedCountries,omitempty"`
}

// CRSMode is what the OWASP Core Rule Set does.
//
// +kubebuilder:validation:Enum=off;detect;enforce
type CRSMode string

// What the OWASP Core Rule Set does.
const (
	CRSOff     CRSMode = "off"
	CRSDetect  CRSMode = "detect"
	CRSEnforce CRSMode = "enforce"
)

// CoreRuleSet sets the OWASP Core Rule Set.
type CoreRuleSet struct {
	// Mode is off, detect (log only) or enforce (refuse).
	// +optional
	Mode CRSMode `json:"mode,omitempty"`

	// Paranoia is the rule set's level, from 1 (few false alarms) to 4.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=4
	// +optional
	Paranoia int32 `json:"paranoia,omitempty"`

	// ExcludedRules are numbers of rules that are left out.
	// +kubebuilder:validation:MaxItems=200
	// +kubebuilder:validation:items:Minimum=1
	// +listType=set
	// +optional
	ExcludedRules []int32 `json:"excludedRules,omitempty"`
}
