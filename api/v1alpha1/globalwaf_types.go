package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// GlobalWAF holds web application firewall rules for all sites.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Cluster,shortName=gwaf
// +kubebuilder:printcolumn:name="Enabled",type=boolean,JSONPath=`.spec.enabled`
// +kubebuilder:printcolumn:name="Phase",type=string,JSONPath=`.status.phase`
// +kubebuilder:printcolumn:name="Rules",type=integer,JSONPath=`.status.ruleCount`
// +kubebuilder:printcolumn:name="Synced",type=date,JSONPath=`.status.lastSyncedAt`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Message",type=string,JSONPath=`.status.message`,priority=1
type GlobalWAF struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// Spec is the rules as they should be.
	// +kubebuilder:default={}
	// +optional
	Spec GlobalWAFSpec `json:"spec,omitzero"`

	// Status is what the operator saw. Only the operator writes it.
	// +optional
	Status GlobalWAFStatus `json:"status,omitzero"`
}

// GlobalWAFList is a list of GlobalWAFs.
//
// +kubebuilder:object:root=true
type GlobalWAFList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitzero"`
	Items           []GlobalWAF `json:"items"`
}

// Conditions gives the loop the place to write what it learned.
func (g *GlobalWAF) Conditions() *[]metav1.Condition { return &g.Status.Conditions }

// Observed records which generation the conditions describe.
func (g *GlobalWAF) Observed(generation int64) { g.Status.ObservedGeneration = generation }

// GlobalWAFSpec is rules for all sites.
type GlobalWAFSpec struct {
	// Enabled puts the rules into force.
	// +kubebuilder:default=true
	// +optional
	Enabled *bool `json:"enabled,omitempty"`

	// Rules are tried in order; the first that matches a request decides.
	// +kubebuilder:validation:MaxItems=500
	// +listType=atomic
	// +optional
	Rules []GlobalWAFRule `json:"rules,omitempty"`

	// GeoBlock refuses visitors by country.
	// +optional
	GeoBlock *GeoBlock `json:"geoBlock,omitempty"`

	// CRS sets the OWASP Core Rule Set for all sites.
	// +optional
	CRS *CoreRuleSet `json:"crs,omitempty"`
}

// GlobalWAFRule is one rule. What it names has to match, all of it.
//
// +kubebuilder:validation:XValidation:rule="has(self.domain) || has(self.ip) || has(self.path)",message="a rule needs domain, ip or path; without one it would match every visitor"
// +kubebuilder:validation:XValidation:rule="!has(self.path) || self.pathMatchType == 'regex' || self.path.startsWith('/')",message="a path begins with /; only one with pathMatchType regex need not",fieldPath=".path"
type GlobalWAFRule struct {
	// Domain that the rule is for; all when left out.
	// +optional
	Domain DomainName `json:"domain,omitempty"`

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

	// Action to take.
	Action WAFAction `json:"action"`

	// Comment for the people who read the rule.
	// +optional
	Comment SingleLine `json:"comment,omitempty"`
}

// GlobalWAFStatus tells which rules are in force.
type GlobalWAFStatus struct {
	RuleStatus `json:",inline"`
}
