package desired

import (
	"fmt"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kubepanel.io/kubepanel/api/platform"
	"kubepanel.io/kubepanel/api/v1alpha1"
)

// Site is what every builder starts from. Nothing in it is secret, so nothing
// that is built from it alone is.
type Site struct {
	Domain   *v1alpha1.Domain
	Platform *platform.Settings
}

// Names of a site's containers.
const (
	containerApp   = "app"
	containerNginx = "nginx"
	containerSFTP  = "sftp"
	containerRedis = "redis"

	initFiles   = "wordpress-files"
	initInstall = "wordpress-install"
)

// ContainerSFTP is the container that gives access to the files.
const ContainerSFTP = containerSFTP

// Check says what of the spec can't be had on this platform, in one sentence
// that names the field. Nothing may be created for such a spec.
func (s Site) Check() error {
	w := s.Domain.Spec.Workload
	r, ok := s.Platform.Runtimes[w.Type]
	if !ok {
		return fmt.Errorf("spec.workload.type: there is no runtime %q here; there are: %s", w.Type, strings.Join(s.Platform.Types(), ", "))
	}
	if _, ok := r.Versions[w.Version]; !ok {
		return fmt.Errorf("spec.workload.version: there is no %s %q here; there are: %s", w.Type, w.Version, strings.Join(r.VersionNames(), ", "))
	}
	if s.wordPress() && !s.databaseEnabled() {
		return fmt.Errorf("spec.wordpress.preinstall: WordPress needs a database: leave database.enabled true")
	}
	if s.shell() && s.Platform.Images.ToolboxGit == "" {
		return fmt.Errorf("spec.sftp.type: this platform offers no %s; it has %s", v1alpha1.SFTPGit, v1alpha1.SFTPStandard)
	}
	if _, err := s.containerResources(); err != nil {
		return err
	}
	_, err := s.nginxConfig()
	return err
}

// SettingsFaults returns a sentence for each setting that is not known or can't
// have its value, proxyMode included. The site runs without them.
func (s Site) SettingsFaults() []string {
	if !s.php() {
		_, faults := s.settings()
		for i := range faults {
			faults[i] = "spec.workload.settings." + faults[i]
		}
		if fault := s.modeFault(); fault != "" {
			faults = append(faults, fault)
		}
		return faults
	}
	_, faults := readPHPSettings(s.Domain.Spec.Workload.Settings)
	return faults
}

// meta returns the metadata that all objects in the site's namespace share.
func (s Site) meta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Name: name, Namespace: Namespace(s.name()), Labels: s.labels(), Annotations: s.annotations()}
}

func (s Site) labels() map[string]string {
	return map[string]string{
		v1alpha1.LabelManagedBy: v1alpha1.ManagedBy,
		v1alpha1.LabelDomain:    ObjectName(s.name()),
		v1alpha1.LabelName:      "kubepanel-site",
		v1alpha1.LabelComponent: v1alpha1.ComponentSite,
	}
}

func (s Site) annotations() map[string]string {
	return map[string]string{v1alpha1.AnnotationDomainName: s.name()}
}

// selector finds the site's pod and no other.
func (s Site) selector() map[string]string {
	return map[string]string{
		v1alpha1.LabelDomain:    ObjectName(s.name()),
		v1alpha1.LabelComponent: v1alpha1.ComponentSite,
	}
}

func (s Site) name() string { return s.Domain.Spec.DomainName }

func (s Site) wordPress() bool { return s.Domain.Spec.WordPress.Preinstall }

func (s Site) databaseEnabled() bool { return enabled(s.Domain.Spec.Database.Enabled) }

func (s Site) sftpEnabled() bool { return enabled(s.Domain.Spec.SFTP.Enabled) }

// enabled reads a switch that is on unless it is turned off.
func enabled(b *bool) bool { return b == nil || *b }

func (s Site) port() int32 {
	if p := s.Domain.Spec.Workload.Port; p != 0 {
		return p
	}
	return s.Platform.Runtimes[s.Domain.Spec.Workload.Type].Port
}

func (s Site) bodySize() string { return orDefault(s.Domain.Spec.Webserver.ClientMaxBodySize, "64m") }

func (s Site) timezone() string { return orDefault(s.Domain.Spec.Timezone, "UTC") }

// image is the customer's own, or the catalogue's for that version.
func (s Site) image() string {
	if own := s.Domain.Spec.Workload.Image; own != "" {
		return own
	}
	image, _ := s.Platform.Image(s.Domain.Spec.Workload.Type, s.Domain.Spec.Workload.Version)
	return image
}

// amount reads a number with a unit, such as 500m or 512Mi, as the API checked it
// already; 0 stands for nothing given.
func amount(v, unit string) int64 {
	n, err := strconv.ParseInt(strings.TrimSuffix(v, unit), 10, 64)
	if err != nil {
		return 0
	}
	return n
}
