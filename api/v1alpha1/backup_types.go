package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Backup is one backup of a domain: its files and its database at one moment. It
// lives in the namespace of the site.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Namespaced,shortName=bak
// +kubebuilder:printcolumn:name="Domain",type=string,JSONPath=`.spec.domainName`
// +kubebuilder:printcolumn:name="Type",type=string,JSONPath=`.spec.type`
// +kubebuilder:printcolumn:name="Phase",type=string,JSONPath=`.status.phase`
// +kubebuilder:printcolumn:name="Size",type=integer,JSONPath=`.status.sizeBytes`
// +kubebuilder:printcolumn:name="Completed",type=date,JSONPath=`.status.completedAt`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Message",type=string,JSONPath=`.status.message`,priority=1
type Backup struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// Spec is what to back up.
	Spec BackupSpec `json:"spec"`

	// Status is what the operator saw. Only the operator writes it.
	// +optional
	Status BackupStatus `json:"status,omitzero"`
}

// BackupList is a list of Backups.
//
// +kubebuilder:object:root=true
type BackupList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitzero"`
	Items           []Backup `json:"items"`
}

// Conditions gives the loop the place to write what it learned.
func (b *Backup) Conditions() *[]metav1.Condition { return &b.Status.Conditions }

// Observed records which generation the conditions describe.
func (b *Backup) Observed(generation int64) { b.Status.ObservedGeneration = generation }

// BackupType tells who asked for a backup.
//
// +kubebuilder:validation:Enum=scheduled;manual
type BackupType string

// Who asked for a backup.
const (
	BackupScheduled BackupType = "scheduled"
	BackupManual    BackupType = "manual"
)

// BackupSpec is what to back up.
//
// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="a Backup is made once and can't be changed; create a new one"
type BackupSpec struct {
	// DomainName is the domain to back up.
	DomainName DomainName `json:"domainName"`

	// Type is scheduled for backups that a schedule asked for, manual for all others.
	// +kubebuilder:default=manual
	// +optional
	Type BackupType `json:"type,omitempty"`
}

// BackupStatus is how far a backup has come and where it is.
type BackupStatus struct {
	// Phase is the state in one word.
	// +optional
	Phase OperationPhase `json:"phase,omitempty"`

	// Message says the cause of the phase and what mends it.
	// +optional
	Message string `json:"message,omitempty"`

	// VolumeSnapshotName names the snapshot of the site's volume.
	// +optional
	VolumeSnapshotName string `json:"volumeSnapshotName,omitempty"`

	// DatabaseBackupPath is where the database's dump is.
	// +optional
	DatabaseBackupPath string `json:"databaseBackupPath,omitempty"`

	// SizeBytes is the size of files and dump together, in bytes.
	// +optional
	SizeBytes int64 `json:"sizeBytes,omitempty"`

	// StartedAt is when work began.
	// +optional
	StartedAt *metav1.Time `json:"startedAt,omitempty"`

	// CompletedAt is when work ended, well or not.
	// +optional
	CompletedAt *metav1.Time `json:"completedAt,omitempty"`

	// RetentionExpiresAt is when the backup may be removed.
	// +optional
	RetentionExpiresAt *metav1.Time `json:"retentionExpiresAt,omitempty"`

	ConditionsStatus `json:",inline"`
}
