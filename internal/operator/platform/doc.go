// Package platform makes the Secrets that the platform itself starts from: the
// accounts of MariaDB and the authority of its certificates. It makes each once,
// when it is missing, and never overwrites one. Certificates of the platform's
// servers and of who reads metrics, which that authority signs, it renews.
//
// It must never know a site.
package platform
