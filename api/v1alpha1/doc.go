// Package v1alpha1 holds the nouns of the product: one file per kind of the
// group kubepanel.io, with its validation, and the condition types, reasons,
// labels and annotations that all programs share.
//
// It must never hold behaviour. It imports Kubernetes API types and nothing of
// ours, so every other package may import it.
//
// +kubebuilder:object:generate=true
// +groupName=kubepanel.io
package v1alpha1
