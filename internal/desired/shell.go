package desired

import (
	"maps"

	corev1 "k8s.io/api/core/v1"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// pathInit takes over what customers leave running, in the image with a shell.
const pathInit = "/usr/bin/tini"

// What the toolbox has when customers run programs of their own in it: composer
// and npm take some hundred MiB, the toolbox alone a few.
var (
	shellCPU    = share{percent: 30, low: 10, high: 2000}
	shellMemory = share{percent: 30, low: 64, high: 1024}
)

// shell tells whether customers get one.
func (s Site) shell() bool {
	return s.sftpEnabled() && s.Domain.Spec.SFTP.Type == v1alpha1.SFTPGit
}

// withShell makes the toolbox one with programs for customers. They see what the
// site's own program sees, so that its command line tools work.
func (s Site) withShell(c *corev1.Container) {
	c.Image = s.Platform.Images.ToolboxGit
	c.Command = append([]string{pathInit, "--"}, append(c.Command, "--shell")...)
	c.Env = s.env()
	c.VolumeMounts = append(c.VolumeMounts, readOnly(volumeApp, pathAppConfig), readOnly(volumeRun, pathRun))
	if s.databaseEnabled() {
		c.VolumeMounts = append(c.VolumeMounts, readOnly(volumeDatabase, pathDatabase))
	}
}

// shares are those of all sites, or with a larger one for the shell.
func (s Site) shares(all map[string]share, shell share) map[string]share {
	if !s.shell() {
		return all
	}
	all = maps.Clone(all)
	all[containerSFTP] = shell
	return all
}
