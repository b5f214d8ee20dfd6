package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// SMTPFirewall names senders, domains and addresses to refuse mail from, and how much
// an account may send.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Cluster,shortName=smtpfw
// +kubebuilder:printcolumn:name="Phase",type=string,JSONPath=`.status.phase`
// +kubebuilder:printcolumn:name="Senders",type=integer,JSONPath=`.status.blockedSenderCount`
// +kubebuilder:printcolumn:name="Domains",type=integer,JSONPath=`.status.blockedDomainCount`
// +kubebuilder:printcolumn:name="IPs",type=integer,JSONPath=`.status.blockedIPCount`
// +kubebuilder:printcolumn:name="Limits",type=integer,JSONPath=`.status.rateLimitCount`
// +kubebuilder:printcolumn:name="Synced",type=date,JSONPath=`.status.lastSyncedAt`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Message",type=string,JSONPath=`.status.message`,priority=1
type SMTPFirewall struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// Spec is the rules as they should be.
	// +kubebuilder:default={}
	// +optional
	Spec SMTPFirewallSpec `json:"spec,omitzero"`

	// Status is what the operator saw. Only the operator writes it.
	// +optional
	Status SMTPFirewallStatus `json:"status,omitzero"`
}

// SMTPFirewallList is a list of SMTPFirewalls.
//
// +kubebuilder:object:root=true
type SMTPFirewallList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitzero"`
	Items           []SMTPFirewall `json:"items"`
}

// Conditions gives the loop the place to write what it learned.
func (s *SMTPFirewall) Conditions() *[]metav1.Condition { return &s.Status.Conditions }

// Observed records which generation the conditions describe.
func (s *SMTPFirewall) Observed(generation int64) { s.Status.ObservedGeneration = generation }

// SMTPFirewallSpec is rules for mail.
type SMTPFirewallSpec struct {
	// BlockedSenders are mail addresses to refuse mail from.
	// +kubebuilder:validation:MaxItems=1000
	// +listType=set
	// +optional
	BlockedSenders []SenderAddress `json:"blockedSenders,omitempty"`

	// BlockedDomains are domains to refuse mail from.
	// +kubebuilder:validation:MaxItems=1000
	// +listType=set
	// +optional
	BlockedDomains []DomainName `json:"blockedDomains,omitempty"`

	// BlockedIPs are addresses or networks to refuse mail from.
	// +kubebuilder:validation:MaxItems=1000
	// +listType=set
	// +optional
	BlockedIPs []Network `json:"blockedIPs,omitempty"`

	// RateLimits are how much an account may send.
	// +kubebuilder:validation:MaxItems=1000
	// +listType=map
	// +listMapKey=user
	// +optional
	RateLimits []RateLimit `json:"rateLimits,omitempty"`
}

// SenderAddress is the mail address of a sender.
//
// +kubebuilder:validation:MaxLength=254
// +kubebuilder:validation:XValidation:rule="self.matches('^[^@\\\\x00-\\\\x20\\\\x7f]+@[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$')",message="give a mail address, such as spam@bad.example"
type SenderAddress = string

// RateLimit is how much an account may send.
type RateLimit struct {
	// User is the account, a mail address or * for every one without a limit of its own.
	// +kubebuilder:validation:MaxLength=254
	// +kubebuilder:validation:XValidation:rule="self.matches('^[^\\\\x00-\\\\x20\\\\x7f]+$')",message="give an account, such as shop@shop.example"
	User string `json:"user"`

	// Rate is messages per length of time, such as 50 / 1h (units s, m, h and d).
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^[1-9][0-9]* ?/ ?[1-9][0-9]*[smhd]$')",message="give messages per time, such as 50 / 1h; units are s, m, h and d"
	Rate string `json:"rate"`
}

// SMTPFirewallStatus tells what is in force.
type SMTPFirewallStatus struct {
	SyncStatus `json:",inline"`

	// BlockedSenderCount is how many senders are refused.
	// +optional
	BlockedSenderCount int32 `json:"blockedSenderCount,omitempty"`

	// BlockedDomainCount is how many domains are refused.
	// +optional
	BlockedDomainCount int32 `json:"blockedDomainCount,omitempty"`

	// BlockedIPCount is how many addresses and networks are refused.
	// +optional
	BlockedIPCount int32 `json:"blockedIPCount,omitempty"`

	// RateLimitCount is how many accounts have a limit.
	// +optional
	RateLimitCount int32 `json:"rateLimitCount,omitempty"`
}
