// Package watch carries facts from the API server to the edge, and the edge's
// answers back: it feeds the routing registry and the certificates, writes where
// an Ingress is served into its status, and tells owners of Ingresses what the
// edge could not do.
//
// It must never decide how a request is answered. It keeps no objects: the
// registry holds the few bytes of each that routing needs.
package watch
