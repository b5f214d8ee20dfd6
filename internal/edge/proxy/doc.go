// Package proxy is the edge's Caddy: a configuration that is loaded once, and the
// modules of ours in it that look every request and every handshake up in the
// routing table. So a change of routes reloads nothing.
//
// It must never watch the cluster, and Caddy in it must never write a file, open
// an admin port, or ask anybody for a certificate.
package proxy
