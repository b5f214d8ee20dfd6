// Package toolbox is the room of what runs beside a site in its own pod: SFTP,
// the scheduler, WordPress's files. Each subject is a package below. It must
// never import another room of ours, a Kubernetes client or a web framework:
// it runs once per site and has to stay a few MB.
package toolbox
