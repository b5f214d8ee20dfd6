// Package keeper is process 1 of a container whose program reads a configuration
// that may change under it: nginx, PHP-FPM. It starts the program, hands signals
// on, and when the mounted configuration changes it copies it, lets the program
// itself test the copy, and only then has it take the copy over. What fails the
// test is told in a status file and changes nothing: the last good one stays.
//
// One runs in every container of every site, so it does without a network, JSON,
// Kubernetes and goroutines of its own, and never waits by looking again and again.
package keeper
