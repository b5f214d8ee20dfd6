// Package kube is the only door to the API server: it applies what desired
// built, and reads live objects back.
//
// It must never decide anything: no product rule and no name of a product's
// object lives here.
package kube
