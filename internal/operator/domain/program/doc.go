// Package program tries the operator as the program that it is: processes of the
// real binary against a real API server and a real MariaDB, with a part for the
// nodes and the edge that only reports what they would. Here are the benchmark of
// many domains, and the tests that take more than one process.
//
// It must never hold anything but tests.
package program
