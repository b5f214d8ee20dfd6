// Package sftpd serves the files of one site over SFTP, to one account, and
// never anything outside one folder. It must never run a program itself, or
// forward a connection.
package sftpd
