// Package platform holds the platform's settings: one file, platform.yaml, that
// the chart renders and that operator, edge and CLI read.
//
// It holds types, parsing and validation. It must never hold behaviour, secrets
// or an import of ours.
package platform
