package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Restore is one restore of a domain from a backup or an uploaded archive. It lives
// in the namespace of the site.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Namespaced,shortName=rst
// +kubebuilder:printcolumn:name="Domain",type=string,JSONPath=`.spec.domainName`
// +kubebuilder:printcolumn:name="Type",type=string,JSONPath=`.spec.restoreType`
// +kubebuilder:printcolumn:name="Backup",type=string,JSONPath=`.spec.backupName`
// +kubebuilder:printcolumn:name="Phase",type=string,JSONPath=`.status.phase`
// +kubebuilder:printcolumn:name="Completed",type=date,JSONPath=`.status.completedAt`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Message",type=string,JSONPath=`.status.message`,priority=1
type Restore struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// Spec is what to restore, and from where.
	Spec RestoreSpec `json:"spec"`

	// Status is what the operator saw. Only the operator writes it.
	// +optional
	Status RestoreStatus `json:"status,omitzero"`
}

// RestoreList is a list of Restores.
//
// +kubebuilder:object:root=true
type RestoreList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitzero"`
	Items           []Restore `json:"items"`
}

// Conditions gives the loop the place to write what it learned.
func (r *Restore) Conditions() *[]metav1.Condition { return &r.Status.Conditions }

// Observed records which generation the conditions describe.
func (r *Restore) Observed(generation int64) { r.Status.ObservedGeneration = generation }

// RestoreType tells where the data comes from.
//
// +kubebuilder:validation:Enum=snapshot;uploaded
type RestoreType string

// Where the data of a restore comes from.
const (
	RestoreSnapshot RestoreType = "snapshot"
	RestoreUploaded RestoreType = "uploaded"
)

// RestoreSpec is what to restore, and from where.
//
// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="a Restore is carried out once and can't be changed; create a new one"
// +kubebuilder:validation:XValidation:rule="self.restoreType != 'snapshot' || has(self.backupName) || has(self.volumeSnapshotName)",message="name the source: backupName or volumeSnapshotName"
// +kubebuilder:validation:XValidation:rule="self.restoreType != 'uploaded' || has(self.uploadedArchivePath)",message="name the source: uploadedArchivePath"
type RestoreSpec struct {
	// DomainName is the domain to restore.
	DomainName DomainName `json:"domainName"`

	// BackupName is the Backup to restore from.
	// +optional
	BackupName ObjectName `json:"backupName,omitempty"`

	// RestoreType is snapshot for a backup of the platform, uploaded for an archive
	// that the customer brought.
	// +kubebuilder:default=snapshot
	// +optional
	RestoreType RestoreType `json:"restoreType,omitempty"`

	// VolumeSnapshotName is the snapshot to restore files from; that of the Backup
	// when left out.
	// +optional
	VolumeSnapshotName ObjectName `json:"volumeSnapshotName,omitempty"`

	// DatabaseBackupPath is the dump to restore the database from; that of the
	// Backup when left out.
	// +optional
	DatabaseBackupPath FilePath `json:"databaseBackupPath,omitempty"`

	// UploadedArchivePath is the archive that the customer brought.
	// +optional
	UploadedArchivePath FilePath `json:"uploadedArchivePath,omitempty"`
}

// FilePath is the path of a file in a backup's storage.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=1024
// +kubebuilder:validation:XValidation:rule="!self.matches('[\\\\x00-\\\\x1f\\\\x7f]') && !self.split('/').exists(part, part == '..')",message="give the path of a file, without .. and control characters"
type FilePath = string

// RestoreStatus is how far a restore has come.
type RestoreStatus struct {
	// Phase is the state in one word.
	// +optional
	Phase OperationPhase `json:"phase,omitempty"`

	// Message says the cause of the phase and what mends it.
	// +optional
	Message string `json:"message,omitempty"`

	// StartedAt is when work began.
	// +optional
	StartedAt *metav1.Time `json:"startedAt,omitempty"`

	// CompletedAt is when work ended, well or not.
	// +optional
	CompletedAt *metav1.Time `json:"completedAt,omitempty"`

	ConditionsStatus `json:",inline"`
}
