package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// GlobalL3Firewall holds address and port rules in front of everything.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Cluster,shortName=gl3f
// +kubebuilder:printcolumn:name="Enabled",type=boolean,JSONPath=`.spec.enabled`
// +kubebuilder:printcolumn:name="Phase",type=string,JSONPath=`.status.phase`
// +kubebuilder:printcolumn:name="Rules",type=integer,JSONPath=`.status.ruleCount`
// +kubebuilder:printcolumn:name="Synced",type=date,JSONPath=`.status.lastSyncedAt`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Message",type=string,JSONPath=`.status.message`,priority=1
type GlobalL3Firewall struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// Spec is the rules as they should be.
	// +kubebuilder:default={}
	// +optional
	Spec GlobalL3FirewallSpec `json:"spec,omitzero"`

	// Status is what the operator saw. Only the operator writes it.
	// +optional
	Status GlobalL3FirewallStatus `json:"status,omitzero"`
}

// GlobalL3FirewallList is a list of GlobalL3Firewalls.
//
// +kubebuilder:object:root=true
type GlobalL3FirewallList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitzero"`
	Items           []GlobalL3Firewall `json:"items"`
}

// Conditions gives the loop the place to write what it learned.
func (g *GlobalL3Firewall) Conditions() *[]metav1.Condition { return &g.Status.Conditions }

// Observed records which generation the conditions describe.
func (g *GlobalL3Firewall) Observed(generation int64) { g.Status.ObservedGeneration = generation }

// GlobalL3FirewallSpec is address and port rules.
type GlobalL3FirewallSpec struct {
	// Enabled puts the rules into force.
	// +kubebuilder:default=true
	// +optional
	Enabled *bool `json:"enabled,omitempty"`

	// Rules are tried in order; the first that matches a connection decides.
	// +kubebuilder:validation:MaxItems=200
	// +listType=map
	// +listMapKey=name
	// +optional
	Rules []L3Rule `json:"rules,omitempty"`
}

// L3Action is what to do with a connection that a rule matches.
//
// +kubebuilder:validation:Enum=deny;allow
type L3Action string

// What to do with a connection.
const (
	L3Deny  L3Action = "deny"
	L3Allow L3Action = "allow"
)

// L3Protocol is the protocol of a connection.
//
// +kubebuilder:validation:Enum=TCP;UDP
type L3Protocol string

// Protocols of a connection.
const (
	L3TCP L3Protocol = "TCP"
	L3UDP L3Protocol = "UDP"
)

// L3Rule is one rule. What it names has to match, all of it.
type L3Rule struct {
	// Name of the rule.
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([a-z0-9-]*[a-z0-9])?$')",message="name the rule with lower-case letters, digits and hyphens"
	Name string `json:"name"`

	// Action to take.
	Action L3Action `json:"action"`

	// Source is where the connection comes from; anywhere when left out.
	// +optional
	Source L3Source `json:"source,omitzero"`

	// Destination is where the connection goes to; any port when left out.
	// +optional
	Destination L3Destination `json:"destination,omitzero"`

	// Protocol of the connection.
	// +kubebuilder:default=TCP
	// +optional
	Protocol L3Protocol `json:"protocol,omitempty"`
}

// L3Source is where a connection comes from.
type L3Source struct {
	// Nets are addresses or networks, one of which has to match.
	// +kubebuilder:validation:MaxItems=500
	// +listType=set
	// +optional
	Nets []Network `json:"nets,omitempty"`

	// NotNets are addresses or networks, none of which may match.
	// +kubebuilder:validation:MaxItems=500
	// +listType=set
	// +optional
	NotNets []Network `json:"notNets,omitempty"`
}

// L3Destination is where a connection goes to.
type L3Destination struct {
	// Ports are numbers or ranges such as "30000:32767", one of which has to match.
	// +kubebuilder:validation:MaxItems=100
	// +kubebuilder:validation:items:XIntOrString
	// +kubebuilder:validation:items:MaxLength=11
	// +kubebuilder:validation:items:XValidation:rule="type(self) == int ? self >= 1 && self <= 65535 : self.matches('^[1-9][0-9]{0,4}(:[1-9][0-9]{0,4})?$') && self.split(':').all(p, int(p) <= 65535)",message="give a port from 1 to 65535, or a range such as 30000:32767"
	// +listType=atomic
	// +optional
	Ports []intstr.IntOrString `json:"ports,omitempty"`
}

// GlobalL3FirewallStatus tells which rules are in force.
type GlobalL3FirewallStatus struct {
	RuleStatus `json:",inline"`
}
