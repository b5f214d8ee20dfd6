// Package hosting holds the rules of the product: what a valid request looks
// like, which names are free, and what the state of a site means to a person.
// Every face calls it, so a rule is written once.
//
// It must never import HTTP, SQL or a Kubernetes client. What it needs from the
// outside it declares as a small interface.
package hosting
