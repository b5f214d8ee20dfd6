// Package cli is the terminal's face: one file per command, named noun_verb.go.
// A command turns flags into one request, calls hosting and prints the answer.
//
// It must never hold a rule or import a Kubernetes client: what it needs of the
// cluster comes in through Env.
package cli
