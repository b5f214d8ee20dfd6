// Package lab holds the journeys: what a person does with Kubepanel, done on a
// real node with the real clients (the kubepanel command, HTTPS, a browser,
// OpenSSH), and the measurements of docs/performance.md.
//
// It goes through public doors only and must never import a package of internal/.
// A journey runs against the cluster of $KUBECONFIG, which it may wreck: it does
// so only when KUBEPANEL_LAB=1 says that the cluster is there for that (`make lab`).
package lab
