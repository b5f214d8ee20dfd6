// Package cert makes the certificates that the edge shows: short-lived leaves of
// the platform's CA, made when a host is first asked for and kept in memory, and
// those that sites bring in a Secret of their own.
//
// It must never write to a disk, talk to a network or decide which hosts exist.
package cert
