package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// DNSZone is a zone and its records at a DNS provider.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Cluster,shortName=dz
// +kubebuilder:printcolumn:name="Zone",type=string,JSONPath=`.spec.zoneName`
// +kubebuilder:printcolumn:name="Provider",type=string,JSONPath=`.spec.provider`
// +kubebuilder:printcolumn:name="Phase",type=string,JSONPath=`.status.phase`
// +kubebuilder:printcolumn:name="Records",type=integer,JSONPath=`.status.recordCount`
// +kubebuilder:printcolumn:name="Synced",type=date,JSONPath=`.status.lastSyncedAt`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Message",type=string,JSONPath=`.status.message`,priority=1
type DNSZone struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// Spec is the zone as it should be.
	Spec DNSZoneSpec `json:"spec"`

	// Status is what the operator saw. Only the operator writes it.
	// +optional
	Status DNSZoneStatus `json:"status,omitzero"`
}

// DNSZoneList is a list of DNSZones.
//
// +kubebuilder:object:root=true
type DNSZoneList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitzero"`
	Items           []DNSZone `json:"items"`
}

// Conditions gives the loop the place to write what it learned.
func (d *DNSZone) Conditions() *[]metav1.Condition { return &d.Status.Conditions }

// Observed records which generation the conditions describe.
func (d *DNSZone) Observed(generation int64) { d.Status.ObservedGeneration = generation }

// DNSProvider is who serves a zone.
//
// +kubebuilder:validation:Enum=cloudflare;rfc2136;powerdns
type DNSProvider string

// Providers of DNS.
const (
	DNSCloudflare DNSProvider = "cloudflare"
	DNSRFC2136    DNSProvider = "rfc2136"
	DNSPowerDNS   DNSProvider = "powerdns"
)

// DNSZoneSpec is the zone as it should be.
type DNSZoneSpec struct {
	// ZoneName is the zone's domain. It can't be changed: another zone is another DNSZone.
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="zoneName can't be changed; create a new DNSZone for another zone"
	ZoneName DomainName `json:"zoneName"`

	// Provider is who serves the zone.
	// +kubebuilder:default=cloudflare
	// +optional
	Provider DNSProvider `json:"provider,omitempty"`

	// CredentialSecretRef names the Secret with the provider's credentials.
	CredentialSecretRef SecretReference `json:"credentialSecretRef"`

	// Records that the zone should have. Records that were made elsewhere are left alone.
	// +kubebuilder:validation:MaxItems=500
	// +listType=atomic
	// +optional
	Records []DNSRecord `json:"records,omitempty"`
}

// DNSZoneStatus is the zone as the provider has it.
type DNSZoneStatus struct {
	SyncStatus `json:",inline"`

	// ZoneID is the provider's name of the zone.
	// +optional
	ZoneID string `json:"zoneId,omitempty"`

	// RecordCount is how many records the provider has of ours.
	// +optional
	RecordCount int32 `json:"recordCount,omitempty"`

	// Records as the provider has them.
	// +listType=atomic
	// +optional
	Records []DNSRecordStatus `json:"records,omitempty"`

	// Nameservers that the domain's registrar has to name.
	// +listType=atomic
	// +optional
	Nameservers []string `json:"nameservers,omitempty"`
}
