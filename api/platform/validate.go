package platform

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

var (
	// hostName is a DNS name or an address; what is shown to people and dialled.
	hostName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.:-]{0,252}[A-Za-z0-9])?$`)
	// label is RFC 1123's, as Kubernetes names namespaces and Services.
	label = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
	// imageRef keeps out spaces and control characters; the runtime checks the rest.
	imageRef = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:/@-]*$`)
	// version is what may stand in spec.workload.version and type.
	version = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)
)

// Validate returns every fault at once, each naming its key.
func (s *Settings) Validate() error {
	var faults []error
	fault := func(key, format string, args ...any) {
		faults = append(faults, fmt.Errorf("%s: "+format, append([]any{key}, args...)...))
	}
	named := func(key, value string, pattern *regexp.Regexp) {
		if !pattern.MatchString(value) {
			fault(key, "%q is not a valid name", value)
		}
	}
	port := func(key string, value int32) {
		if value < 1 || value > 65535 {
			fault(key, "%d is not a port (1-65535)", value)
		}
	}
	ranges := func(key string, values []string) {
		for _, value := range values {
			if _, err := netip.ParsePrefix(value); err != nil {
				fault(key, "%q is not an address range such as 10.0.0.0/8", value)
			}
		}
	}

	named("namespace", s.Namespace, label)
	named("ingressClass", s.IngressClass, hostName)
	if s.StorageClass != "" {
		named("storageClass", s.StorageClass, hostName)
	}
	ranges("clusterCIDRs", s.ClusterCIDRs)
	named("images.nginx", s.Images.Nginx, imageRef)
	named("images.toolbox", s.Images.Toolbox, imageRef)
	if s.Images.ToolboxGit != "" {
		named("images.toolboxGit", s.Images.ToolboxGit, imageRef)
	}
	named("images.redis", s.Images.Redis, imageRef)
	named("images.wordpress", s.Images.WordPress, imageRef)
	named("database.host", s.Database.Host, hostName)
	port("database.port", s.Database.Port)
	if s.Mail.RelayHost != "" {
		named("mail.relayHost", s.Mail.RelayHost, hostName)
		port("mail.relayPort", s.Mail.RelayPort)
	}
	switch s.SFTP.Exposure {
	case ExposureNodePort:
	case ExposureGateway:
		port("sftp.port", s.SFTP.Port)
	default:
		fault("sftp.exposure", "%q is neither %q nor %q", s.SFTP.Exposure, ExposureGateway, ExposureNodePort)
	}
	ranges("sftp.proxyProtocolFrom", s.SFTP.ProxyProtocolFrom)
	if s.SFTP.Host != "" {
		named("sftp.host", s.SFTP.Host, hostName)
	}
	named("edge.service", s.Edge.Service, label)
	port("edge.httpPort", s.Edge.HTTPPort)
	port("edge.httpsPort", s.Edge.HTTPSPort)
	ranges("edge.proxyProtocolFrom", s.Edge.ProxyProtocolFrom)
	faults = append(faults, s.SFTP.trashFault())
	return errors.Join(append(faults, s.catalogueFaults()...)...)
}

func (s SFTP) trashFault() error {
	if days := s.TrashDays; days != nil && (*days < 0 || *days > maxTrashDays) {
		return fmt.Errorf("sftp.trashDays: %d is not between 0 (never) and %d", *days, maxTrashDays)
	}
	return nil
}

// catalogueFaults checks the runtimes in a fixed order, so that the same file
// always gives the same message.
func (s *Settings) catalogueFaults() []error {
	if len(s.Runtimes) == 0 {
		return []error{errors.New("runtimes: the catalogue is empty, so no site could run")}
	}
	var faults []error
	for _, name := range s.Types() {
		r, key := s.Runtimes[name], "runtimes."+name
		if !version.MatchString(name) {
			faults = append(faults, fmt.Errorf("%s: %q is not a valid name", key, name))
		}
		faults = append(append(faults, r.faults(key)...), r.settingFaults(key)...)
	}
	return faults
}

// reachFaults checks how nginx is to reach the runtime's program.
func (r Runtime) reachFaults(key string) []error {
	var faults []error
	if !slices.Contains([]string{"fastcgi", "http", "uwsgi", ProxyNone}, r.ProxyMode) {
		faults = append(faults, fmt.Errorf("%s.proxyMode: %q is none of fastcgi, http, uwsgi, none", key, r.ProxyMode))
	}
	for _, mode := range r.OtherProxyModes {
		if r.ProxyMode == ProxyNone || !slices.Contains([]string{"http", "uwsgi"}, mode) || mode == r.ProxyMode {
			faults = append(faults, fmt.Errorf("%s.otherProxyModes: %q is none of http and uwsgi, or is proxyMode again", key, mode))
		}
	}
	if r.ProxyMode != ProxyNone && (r.Port < 1 || r.Port > 65535) {
		faults = append(faults, fmt.Errorf("%s.port: %d is not a port (1-65535)", key, r.Port))
	}
	return faults
}

// faults checks all of a runtime but its settings.
func (r Runtime) faults(key string) []error {
	var faults []error
	if strings.ContainsFunc(r.Title, unicode.IsControl) {
		faults = append(faults, fmt.Errorf("%s.title: %q is not one line", key, r.Title))
	}
	faults = append(faults, r.reachFaults(key)...)
	if _, ok := r.Versions[r.Default]; !ok {
		faults = append(faults, fmt.Errorf("%s.default: version %q is not among versions", key, r.Default))
	}
	for _, v := range r.VersionNames() {
		image := r.Versions[v].Image
		if !version.MatchString(v) || !imageRef.MatchString(image) && (image != "" || r.ProxyMode != ProxyNone) {
			faults = append(faults, fmt.Errorf("%s.versions.%s: needs a plain name and an image reference", key, v))
		}
	}
	return faults
}
