// Package mariadb keeps one database and one user per site on the platform's
// MariaDB server, and tells whether the server answers.
//
// It speaks as an account that may make databases named dom-… and users, and is
// not root. It must never know Kubernetes, nor take over a database or a user
// that it did not make.
package mariadb
