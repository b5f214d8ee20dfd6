// Package auth answers one question: who is asking? It turns passwords, passkeys,
// one-time codes, sessions, links and tokens into a hosting.Actor.
//
// What an actor may do is hosting's to say, never this package's, and what a page
// looks like is the face's.
package auth
