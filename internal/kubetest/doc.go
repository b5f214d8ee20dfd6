// Package kubetest gives tests a real API server: kube-apiserver and etcd on
// loopback, with our kinds installed, one pair for each package of tests.
//
// Only tests import it. It must never hold a fake of the API server, nor
// anything that a program of ours needs.
package kubetest
