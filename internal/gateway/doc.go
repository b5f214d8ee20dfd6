// Package gateway is the one door for SSH and SFTP to all sites: it finds out
// whose site a visitor wants, verifies a key or lets the site verify a password,
// and then passes channels through to the server in the site's own pod. It never
// sees a file, runs a program, reads a site's Secret or decides about a password.
package gateway
