package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// NodeMaintenance keeps the node of the same name closed for new pods and, with
// drain, moves away those that are there. Deleting it opens the node again.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Cluster,shortName=nm
// +kubebuilder:printcolumn:name="Drain",type=boolean,JSONPath=`.spec.drain`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Left",type=integer,JSONPath=`.status.podsLeft`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Message",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].message`,priority=1
type NodeMaintenance struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// Spec is what an administrator asks for.
	// +kubebuilder:default={}
	// +optional
	Spec NodeMaintenanceSpec `json:"spec,omitzero"`

	// Status is what the operator saw. Only the operator writes it.
	// +optional
	Status NodeMaintenanceStatus `json:"status,omitzero"`
}

// NodeMaintenanceList is a list of NodeMaintenances.
//
// +kubebuilder:object:root=true
type NodeMaintenanceList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitzero"`
	Items           []NodeMaintenance `json:"items"`
}

// Conditions gives the loop the place to write what it learned.
func (m *NodeMaintenance) Conditions() *[]metav1.Condition { return &m.Status.Conditions }

// Observed records which generation the conditions describe.
func (m *NodeMaintenance) Observed(generation int64) { m.Status.ObservedGeneration = generation }

// NodeMaintenanceSpec is what an administrator asks for.
type NodeMaintenanceSpec struct {
	// Drain moves the node's pods to other nodes; without it they stay. Pods of
	// DaemonSets stay in either case, and so does what no other node could take: a pod
	// whose volume is on the node's own disk, or each of them on the only node.
	// +optional
	Drain bool `json:"drain,omitempty"`

	// TakeDown has a drain end the sites too that no other node could take. They do not
	// answer until the node is open again; their files stay where they are.
	// +optional
	TakeDown bool `json:"takeDown,omitempty"`

	// Reason is a note for people.
	// +optional
	Reason SingleLine `json:"reason,omitempty"`
}

// NodeMaintenanceStatus is how far it is.
type NodeMaintenanceStatus struct {
	// ObservedGeneration is the generation of the spec that the conditions describe.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// Conditions tell how each part of it is.
	// +listType=atomic
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// Pods is how many pods there were to move when the drain began.
	// +optional
	Pods int32 `json:"pods,omitempty"`

	// PodsLeft is how many of them are still there.
	// +optional
	PodsLeft *int32 `json:"podsLeft,omitempty"`
}
