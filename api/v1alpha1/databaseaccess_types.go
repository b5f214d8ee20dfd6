package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// DatabaseAccess is an account on the database of one site, for a person and for a
// short time. It lives in the namespace of the site.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=databaseaccesses,scope=Namespaced,shortName=dba
// +kubebuilder:printcolumn:name="Domain",type=string,JSONPath=`.spec.domainName`
// +kubebuilder:printcolumn:name="ReadOnly",type=boolean,JSONPath=`.spec.readOnly`
// +kubebuilder:printcolumn:name="Phase",type=string,JSONPath=`.status.phase`
// +kubebuilder:printcolumn:name="Expires",type=string,JSONPath=`.spec.expiresAt`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Message",type=string,JSONPath=`.status.message`,priority=1
type DatabaseAccess struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// Spec is who may come, and until when.
	Spec DatabaseAccessSpec `json:"spec"`

	// Status is what the operator saw. Only the operator writes it.
	// +optional
	Status DatabaseAccessStatus `json:"status,omitzero"`
}

// DatabaseAccessList is a list of DatabaseAccesses.
//
// +kubebuilder:object:root=true
type DatabaseAccessList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitzero"`
	Items           []DatabaseAccess `json:"items"`
}

// DatabaseAccessSpec is who may come, and until when.
type DatabaseAccessSpec struct {
	// DomainName is the domain whose database it is.
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="an access is for one site and can't be given to another; create a new one"
	DomainName DomainName `json:"domainName"`

	// PasswordHash is what MariaDB keeps of the password: * and the SHA-1 of its SHA-1
	// in hexadecimal digits. Whoever asks makes up the password and tells it nobody.
	// +kubebuilder:validation:MaxLength=41
	// +kubebuilder:validation:XValidation:rule="self.matches('^[*][0-9A-F]{40}$')",message="give MariaDB's hash of the password, as PASSWORD('…') prints it; never the password"
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="the password of an access can't be changed; create a new one"
	PasswordHash string `json:"passwordHash"`

	// ReadOnly lets the account see everything and change nothing.
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="what an access may do can't be changed; create a new one"
	// +kubebuilder:default=false
	// +optional
	ReadOnly bool `json:"readOnly"`

	// ExpiresAt ends the access. It can be moved, but never further than four hours
	// from the creation.
	ExpiresAt metav1.Time `json:"expiresAt"`
}

// DatabaseAccessPhase is the state of an access in one word.
//
// +kubebuilder:validation:Enum=Pending;Open;Refused
type DatabaseAccessPhase string

// Phases of an access. One that has ended is not there any more.
const (
	DatabaseAccessPending DatabaseAccessPhase = "Pending"
	DatabaseAccessOpen    DatabaseAccessPhase = "Open"
	DatabaseAccessRefused DatabaseAccessPhase = "Refused"
)

// DatabaseAccessStatus is what became of an access.
type DatabaseAccessStatus struct {
	// Phase is the state in one word.
	// +optional
	Phase DatabaseAccessPhase `json:"phase,omitempty"`

	// Message says the cause of the phase and what mends it.
	// +optional
	Message string `json:"message,omitempty"`

	// Username to sign in with at the site's database server.
	// +optional
	Username string `json:"username,omitempty"`
}
