// Package desired answers one question: given a Domain, the platform's settings
// and the facts of the site, which objects and configuration texts should exist?
//
// It is pure: equal input gives equal output. It must never import context,
// time, os or a client; what it needs to know about the world is passed in.
package desired
