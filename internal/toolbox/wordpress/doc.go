// Package wordpress puts WordPress's files into a site's document root: once,
// whole or not at all, and never over a file of the customer's. It must never
// talk to a database or start a program: installing is PHP's part.
package wordpress
