package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// SyncPhase tells how far something outside the cluster, or at its edge, has
// been brought in line with the spec.
//
// +kubebuilder:validation:Enum=Pending;Syncing;Ready;Failed
type SyncPhase string

// Phases of what is kept in line.
const (
	SyncPending SyncPhase = "Pending"
	SyncRunning SyncPhase = "Syncing"
	SyncReady   SyncPhase = "Ready"
	SyncFailed  SyncPhase = "Failed"
)

// SyncStatus is the part of a status that all kinds share whose rules are
// brought to the edge, to the mail server or to a provider.
type SyncStatus struct {
	// Phase is the state in one word.
	// +optional
	Phase SyncPhase `json:"phase,omitempty"`

	// Message says the cause of the phase and what mends it.
	// +optional
	Message string `json:"message,omitempty"`

	// LastSyncedAt is when all of the spec was last in force.
	// +optional
	LastSyncedAt *metav1.Time `json:"lastSyncedAt,omitempty"`

	ConditionsStatus `json:",inline"`
}

// RuleStatus is the status of a kind that is a list of rules.
type RuleStatus struct {
	SyncStatus `json:",inline"`

	// RuleCount is how many rules are in force.
	// +optional
	RuleCount int32 `json:"ruleCount,omitempty"`
}

// ConditionsStatus is what the reconcile loop writes into every status.
type ConditionsStatus struct {
	// ObservedGeneration is the generation of the spec that this status describes.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// Conditions tell, part by part, what is as it should be and what is not.
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// OperationPhase is how far something that is done once has come.
//
// +kubebuilder:validation:Enum=Pending;Running;Completed;Failed
type OperationPhase string

// Phases of what is done once.
const (
	OperationPending   OperationPhase = "Pending"
	OperationRunning   OperationPhase = "Running"
	OperationCompleted OperationPhase = "Completed"
	OperationFailed    OperationPhase = "Failed"
)
