// Package edge is the ingress controller of class kubepanel. It puts its rooms
// together: route says which backend serves a host and path, cert makes
// certificates, watch talks to the API server, and proxy is the Caddy that
// visitors reach.
//
// It must never reconcile: the edge changes nothing in the cluster but the status
// of Ingresses.
package edge
