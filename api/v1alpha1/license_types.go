package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// License holds a provider's tier key. It is verified offline; there is one, named
// kubepanel-license.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Cluster,shortName=lic
// +kubebuilder:printcolumn:name="Tier",type=string,JSONPath=`.status.tier`
// +kubebuilder:printcolumn:name="Valid",type=boolean,JSONPath=`.status.valid`
// +kubebuilder:printcolumn:name="Domains",type=integer,JSONPath=`.status.domainsUsed`
// +kubebuilder:printcolumn:name="Max",type=integer,JSONPath=`.status.maxDomains`
// +kubebuilder:printcolumn:name="Expires",type=string,JSONPath=`.status.expiresAt`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Message",type=string,JSONPath=`.status.message`,priority=1
// +kubebuilder:validation:XValidation:rule="self.metadata.name == 'kubepanel-license'",message="the License is named kubepanel-license; there is one"
type License struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// Spec is the key.
	// +kubebuilder:default={}
	// +optional
	Spec LicenseSpec `json:"spec,omitzero"`

	// Status is what the operator saw. Only the operator writes it.
	// +optional
	Status LicenseStatus `json:"status,omitzero"`
}

// LicenseList is a list of Licenses.
//
// +kubebuilder:object:root=true
type LicenseList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitzero"`
	Items           []License `json:"items"`
}

// Conditions gives the loop the place to write what it learned.
func (l *License) Conditions() *[]metav1.Condition { return &l.Status.Conditions }

// Observed records which generation the conditions describe.
func (l *License) Observed(generation int64) { l.Status.ObservedGeneration = generation }

// LicenseName is the name of the one License.
const LicenseName = "kubepanel-license"

// LicenseTier is what a provider bought.
//
// +kubebuilder:validation:Enum=community;pro;premium;enterprise
type LicenseTier string

// What a provider bought.
const (
	TierCommunity  LicenseTier = "community"
	TierPro        LicenseTier = "pro"
	TierPremium    LicenseTier = "premium"
	TierEnterprise LicenseTier = "enterprise"
)

// LicenseSpec is the key.
type LicenseSpec struct {
	// LicenseKey as the provider received it. Without one, the tier is community.
	// +kubebuilder:validation:MaxLength=16384
	// +optional
	LicenseKey string `json:"licenseKey,omitempty"`
}

// LicenseStatus tells what the key allows.
type LicenseStatus struct {
	// Valid tells whether the key is genuine and has not expired.
	// +optional
	Valid bool `json:"valid,omitempty"`

	// Tier that the key is for.
	// +optional
	Tier LicenseTier `json:"tier,omitempty"`

	// CustomerName that the key was made out to.
	// +optional
	CustomerName string `json:"customerName,omitempty"`

	// MaxDomains is how many domains are allowed; -1 means any number.
	// +kubebuilder:validation:Minimum=-1
	// +optional
	MaxDomains int32 `json:"maxDomains,omitempty"`

	// DomainsUsed is how many domains there are.
	// +optional
	DomainsUsed int32 `json:"domainsUsed,omitempty"`

	// ExpiresAt is when the key ceases to be valid.
	// +optional
	ExpiresAt *metav1.Time `json:"expiresAt,omitempty"`

	// Message says why a key is not valid and what mends it.
	// +optional
	Message string `json:"message,omitempty"`

	// Features that the key turns on.
	// +listType=set
	// +optional
	Features []string `json:"features,omitempty"`

	ConditionsStatus `json:",inline"`
}
