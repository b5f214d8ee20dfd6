// Package sshd holds what our SSH servers, the toolbox's and the gateway's, have
// in common: how connections are accepted and bounded, which ciphers are spoken,
// how guessing is slowed down, how keys are read, and the certificate by which
// the gateway tells a toolbox who comes. It never decides who may sign in, and
// knows neither files nor Kubernetes.
package sshd
