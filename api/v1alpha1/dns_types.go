package v1alpha1

// RecordType is a type of DNS record.
//
// +kubebuilder:validation:Enum=A;AAAA;CNAME;TXT;MX;NS;SRV;CAA
type RecordType string

// DNSRecord is one record that a zone should have.
//
// +kubebuilder:validation:XValidation:rule="self.type != 'A' || (isIP(self.content) && ip(self.content).family() == 4)",message="the content of an A record is an IPv4 address",fieldPath=".content"
// +kubebuilder:validation:XValidation:rule="self.type != 'AAAA' || (isIP(self.content) && ip(self.content).family() == 6)",message="the content of an AAAA record is an IPv6 address",fieldPath=".content"
type DNSRecord struct {
	// Type of the record.
	Type RecordType `json:"type"`

	// Name of the record: relative to the zone, @ for the zone itself, or a full name.
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^(@|([*][.])?[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_.])?|[*])$')",message="give a name in the zone, @ for the zone itself or * for all others"
	Name string `json:"name"`

	// Content of the record, as text.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=4096
	Content string `json:"content"`

	// TTL is how long resolvers may keep the record, in seconds; 1 leaves it to the provider.
	// +kubebuilder:default=1
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=2147483647
	// +optional
	TTL int32 `json:"ttl,omitempty"`

	// Proxied sends visitors through the provider's own proxy, where it has one.
	// +optional
	Proxied bool `json:"proxied,omitempty"`

	// Priority of an MX or SRV record; the lowest is tried first.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=65535
	// +optional
	Priority *int32 `json:"priority,omitempty"`

	// RecordID is the provider's name of a record that exists already.
	// +kubebuilder:validation:MaxLength=255
	// +optional
	RecordID string `json:"recordId,omitempty"`
}

// DNSRecordStatus is one record as the provider has it.
type DNSRecordStatus struct {
	// Type of the record.
	Type RecordType `json:"type"`

	// Name of the record.
	Name string `json:"name"`

	// Content of the record.
	Content string `json:"content"`

	// TTL in seconds; 1 leaves it to the provider.
	// +optional
	TTL int32 `json:"ttl,omitempty"`

	// Proxied tells whether the provider's own proxy is in front.
	// +optional
	Proxied bool `json:"proxied,omitempty"`

	// Priority of an MX or SRV record.
	// +optional
	Priority *int32 `json:"priority,omitempty"`

	// RecordID is the provider's name of the record.
	// +optional
	RecordID string `json:"recordId,omitempty"`

	// Synced tells whether the provider has the record as it should be.
	// +optional
	Synced bool `json:"synced,omitempty"`

	// Error says why it has not.
	// +optional
	Error string `json:"error,omitempty"`
}

// DNSSpec is a domain's zone at a provider.
type DNSSpec struct {
	// Enabled keeps the zone's records as they should be.
	// +kubebuilder:default=false
	// +optional
	Enabled bool `json:"enabled,omitempty"`

	// CredentialSecretRef names the Secret with the provider's credentials.
	// +optional
	CredentialSecretRef *SecretReference `json:"credentialSecretRef,omitempty"`

	// Zone at the provider; found by the domain's name when left out.
	// +optional
	Zone *DNSZoneReference `json:"zone,omitempty"`

	// AutoCreateRecords makes the records that site and mail need.
	// +kubebuilder:default=true
	// +optional
	AutoCreateRecords *bool `json:"autoCreateRecords,omitempty"`

	// Records are further records.
	// +kubebuilder:validation:MaxItems=200
	// +listType=atomic
	// +optional
	Records []DNSRecord `json:"records,omitempty"`
}

// DNSZoneReference names a zone at a provider.
type DNSZoneReference struct {
	// Name of the zone.
	// +optional
	Name DomainName `json:"name,omitempty"`

	// Create makes the zone when the provider does not have it.
	// +kubebuilder:default=true
	// +optional
	Create *bool `json:"create,omitempty"`
}

// DNSStatus tells the state of a domain's zone.
type DNSStatus struct {
	// Phase is the state in one word.
	// +optional
	Phase SyncPhase `json:"phase,omitempty"`

	// Message says the cause of the phase and what mends it.
	// +optional
	Message string `json:"message,omitempty"`

	// Zone at the provider.
	// +optional
	Zone *ZoneStatus `json:"zone,omitempty"`

	// Records as the provider has them.
	// +listType=atomic
	// +optional
	Records []DNSRecordStatus `json:"records,omitempty"`
}

// ZoneStatus is a zone as the provider knows it.
type ZoneStatus struct {
	// ID is the provider's name of the zone.
	// +optional
	ID string `json:"id,omitempty"`

	// Name of the zone.
	// +optional
	Name string `json:"name,omitempty"`
}
