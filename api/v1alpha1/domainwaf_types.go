package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// DomainWAF holds web application firewall rules of one site. It lives in the
// namespace of the site and is named default.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Namespaced,shortName=dwaf
// +kubebuilder:printcolumn:name="Enabled",type=boolean,JSONPath=`.spec.enabled`
// +kubebuilder:printcolumn:name="Phase",type=string,JSONPath=`.status.phase`
// +kubebuilder:printcolumn:name="Rules",type=integer,JSONPath=`.status.ruleCount`
// +kubebuilder:printcolumn:name="Synced",type=date,JSONPath=`.status.lastSyncedAt`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Message",type=string,JSONPath=`.status.message`,priority=1
// +kubebuilder:validation:XValidation:rule="self.metadata.name == 'default'",message="a DomainWAF is named default; a site has one"
type DomainWAF struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// Spec is the rules as they should be.
	// +kubebuilder:default={}
	// +optional
	Spec DomainWAFSpec `json:"spec,omitzero"`

	// Status is what the operator saw. Only the operator writes it.
	// +optional
	Status DomainWAFStatus `json:"status,omitzero"`
}

// DomainWAFList is a list of DomainWAFs.
//
// +kubebuilder:object:root=true
type DomainWAFList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitzero"`
	Items           []DomainWAF `json:"items"`
}

// Conditions gives the loop the place to write what it learned.
func (d *DomainWAF) Conditions() *[]metav1.Condition { return &d.Status.Conditions }

// Observed records which generation the conditions describe.
func (d *DomainWAF) Observed(generation int64) { d.Status.ObservedGeneration = generation }

// DomainWAFSpec is rules of one site.
type DomainWAFSpec struct {
	// Enabled puts the rules into force.
	// +kubebuilder:default=true
	// +optional
	Enabled *bool `json:"enabled,omitempty"`

	// Rules are tried in order; the first that matches a request decides.
	// +kubebuilder:validation:MaxItems=500
	// +listType=atomic
	// +optional
	Rules []DomainWAFRule `json:"rules,omitempty"`

	// GeoBlock refuses visitors by country.
	// +optional
	GeoBlock *GeoBlock `json:"geoBlock,omitempty"`

	// ProtectedPaths are open to some visitors only.
	// +kubebuilder:validation:MaxItems=100
	// +listType=atomic
	// +optional
	ProtectedPaths []ProtectedPath `json:"protectedPaths,omitempty"`

	// CRS sets the OWASP Core Rule Set for this site; that of the GlobalWAF when left out.
	// +optional
	CRS *CoreRuleSet `json:"crs,omitempty"`
}

// DomainWAFRule is one rule. What it names has to match, all of it.
//
// +kubebuilder:validation:XValidation:rule="has(self.ip) || has(self.path) || has(self.userAgent) || (has(self.countries) && self.countries.size() > 0)",message="a rule needs ip, path, userAgent or countries; without one it would match every visitor"
// +kubebuilder:validation:XValidation:rule="!has(self.path) || self.pathMatchType == 'regex' || self.path.startsWith('/')",message="a path begins with /; only one with pathMatchType regex need not",fieldPath=".path"
type DomainWAFRule struct {
	// IP is the visitor's address or network.
	// +optional
	IP Network `json:"ip,omitempty"`

	// Path of the request.
	// +optional
	Path MatchPath `json:"path,omitempty"`

	// PathMatchType is how path is compared.
	// +kubebuilder:default=prefix
	// +optional
	PathMatchType PathMatchType `json:"pathMatchType,omitempty"`

	// UserAgent is a text within the name by which the visitor's program calls itself.
	// +kubebuilder:validation:MinLength=1
	// +optional
	UserAgent SingleLine `json:"userAgent,omitempty"`

	// Countries that the visitor's address belongs to.
	// +kubebuilder:validation:MaxItems=250
	// +listType=set
	// +optional
	Countries []Country `json:"countries,omitempty"`

	// Action to take.
	Action WAFAction `json:"action"`

	// Comment for the people who read the rule.
	// +optional
	Comment SingleLine `json:"comment,omitempty"`
}

// ProtectedPath is open to some visitors only.
//
// +kubebuilder:validation:XValidation:rule="self.pathMatchType == 'regex' || self.path.startsWith('/')",message="a path begins with /; only one with pathMatchType regex need not",fieldPath=".path"
type ProtectedPath struct {
	// Path that is protected.
	Path MatchPath `json:"path"`

	// PathMatchType is how path is compared.
	// +kubebuilder:default=prefix
	// +optional
	PathMatchType PathMatchType `json:"pathMatchType,omitempty"`

	// AllowedIP is the address or network that may enter.
	// +optional
	AllowedIP Network `json:"allowedIp,omitempty"`

	// AllowedCountries may enter.
	// +kubebuilder:validation:MaxItems=250
	// +listType=set
	// +optional
	AllowedCountries []Country `json:"allowedCountries,omitempty"`

	// Comment for the people who read the rule.
	// +optional
	Comment SingleLine `json:"comment,omitempty"`
}

// DomainWAFStatus tells which rules are in force.
type DomainWAFStatus struct {
	RuleStatus `json:",inline"`
}
