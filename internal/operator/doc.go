// Package operator holds the one reconcile loop. Each kind's package gives the
// loop a list of steps; the loop owns finalizers, conditions, Ready, events,
// metrics and requeueing, so no reconciler writes them again.
//
// It must never know a kind, nor build an object.
package operator
