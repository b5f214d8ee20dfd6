// Package route answers one question: which backend serves this host and path?
// It turns Ingresses, Services and EndpointSlices into an immutable table that
// requests read without a lock, and it knows who wins when two Ingresses claim
// one host.
//
// It must never import a Kubernetes client, Caddy or net/http.
package route
