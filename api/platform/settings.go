package platform

import (
	"fmt"
	"slices"

	"sigs.k8s.io/yaml"
)

// Where the settings live in the cluster and in the pods that read them.
const (
	ConfigMapName = "kubepanel-platform"
	FileName      = "platform.yaml"
	MountPath     = "/etc/kubepanel/platform.yaml"
)

// Names of the Secrets in the platform's namespace. The operator makes each of
// them once, when it is missing, and never overwrites one.
const (
	SecretMariaDBRoot     = "mariadb-auth"     //nolint:gosec // a name; the Secret holds password
	SecretMariaDBOperator = "mariadb-operator" // username, password
	SecretCA              = "kubepanel-ca"     //nolint:gosec // a name; the Secret holds tls.crt, tls.key
	// SecretGateway holds the SSH gateway's keys: hostKey, which it shows to
	// customers, and authority, by which it vouches for them; and the public halves.
	SecretGateway = "kubepanel-gateway" //nolint:gosec // a name
	// SecretPanel holds key, which encrypts what the panel's database keeps secret.
	SecretPanel = "kubepanel-panel"
	// SecretDoor holds the key by which the panel comes to sites' files and shells,
	// through the gateway: key, and keyPublic for the gateway.
	SecretDoor = "kubepanel-door"
)

// Secrets with the certificate of a server of the platform, its key and, under
// KeyAuthority, the certificates that a client trusts for it. The operator renews them
// unless one is an administrator's own, without our label.
const (
	SecretMariaDBTLS    = "mariadb-tls"
	SecretPanelTLS      = "panel-tls"
	SecretPHPMyAdminTLS = "phpmyadmin-tls" //nolint:gosec // a name
	SecretClamAVTLS     = "clamav-tls"     //nolint:gosec // a name
	SecretGatewayTLS    = "gateway-tls"
	KeyAuthority        = "ca.crt"
)

// SecretPanelClientTLS holds the certificate by which the panel signs in to servers of the
// platform, with the same keys; ClientPanel is the common name in it.
const (
	SecretPanelClientTLS = "panel-client-tls" //nolint:gosec // a name
	ClientPanel          = "kubepanel-panel"
)

// SecretPrometheusTLS has the same keys, for a client that is none of ours: who shows its
// certificate may read what the platform's programs count.
const SecretPrometheusTLS = "prometheus-tls"

// AnnotationProven says of a server's certificate that the operator met the server
// with it. Since then it does not speak to that server without.
const AnnotationProven = "kubepanel.io/proven"

// KeyPanel is the key of the Secret kubepanel-panel: 32 octets.
const KeyPanel = "key"

// Keys of the Secret kubepanel-gateway.
const (
	KeyGatewayHost            = "hostKey"
	KeyGatewayHostPublic      = "hostKeyPublic"
	KeyGatewayAuthority       = "authority"
	KeyGatewayAuthorityPublic = "authorityPublic"
)

// Keys of the Secret kubepanel-door.
const (
	KeyDoor       = "key"
	KeyDoorPublic = "keyPublic"
)

// Ways of reaching sites' SFTP servers: a NodePort for each, or one gateway for
// all.
const (
	ExposureNodePort = "nodePort"
	ExposureGateway  = "gateway"
)

// Settings is what an administrator decides once for all sites.
type Settings struct {
	// Namespace is where the platform itself runs.
	Namespace string `json:"namespace"`
	// IngressClass names the class of every site's Ingress.
	IngressClass string `json:"ingressClass"`
	// StorageClass of sites' volumes; "" takes the cluster's default class.
	StorageClass string `json:"storageClass,omitempty"`
	// UserNamespaces runs sites' pods with hostUsers: false.
	UserNamespaces bool      `json:"userNamespaces"`
	Isolation      Isolation `json:"isolation,omitzero"`
	// ClusterCIDRs are the ranges a site may not reach except by an opened way.
	ClusterCIDRs []string `json:"clusterCIDRs"`
	// Images of the containers that stand beside a site's own.
	Images Images `json:"images"`
	// Runtimes is the catalogue: workload type → its defaults and versions.
	Runtimes map[string]Runtime `json:"runtimes"`
	Database Database           `json:"database"`
	Mail     Mail               `json:"mail"`
	SFTP     SFTP               `json:"sftp"`
	Edge     Edge               `json:"edge"`
}

// Images are full references.
type Images struct {
	Nginx   string `json:"nginx"`
	Toolbox string `json:"toolbox"`
	// ToolboxGit is the toolbox with a shell; "" offers none.
	ToolboxGit string `json:"toolboxGit,omitempty"`
	Redis      string `json:"redis"`
	WordPress  string `json:"wordpress"`
}

// ProxyNone is the proxy mode of a runtime without a program: the web server
// itself answers with the site's files.
const ProxyNone = "none"

// Runtime is one type of workload in the catalogue.
type Runtime struct {
	// Title is what people call it; "" is the type's own name.
	Title string `json:"title,omitempty"`
	// Port that the program listens on inside the pod; none where ProxyMode is none.
	Port int32 `json:"port,omitempty"`
	// ProxyMode is how the web server talks to the program: fastcgi, http, uwsgi, none.
	ProxyMode string `json:"proxyMode"`
	// OtherProxyModes are those that the images' start program knows besides, and a
	// Domain may ask for.
	OtherProxyModes []string           `json:"otherProxyModes,omitempty"`
	Default         string             `json:"default"`
	Versions        map[string]Version `json:"versions"`
	// Command starts the program; none takes the image's own.
	Command []string `json:"command,omitempty"`
	// Reports says that the start program tells what became of changed settings, where
	// runtime.json asks for it. PHP's is ours and always does.
	Reports bool `json:"reports,omitempty"`
	// Settings are the keys that workload.settings may have. PHP's are not among
	// them: each of those is a directive that the operator writes.
	Settings map[string]Setting `json:"settings,omitempty"`
}

// ProxyModes are all ways in which nginx may talk to the runtime's program, its own first.
func (r Runtime) ProxyModes() []string { return append([]string{r.ProxyMode}, r.OtherProxyModes...) }

// Speaks tells whether the runtime's images know the way that a Domain asks for.
// fastcgi asks for nothing in particular, and without a program nobody is asked.
func (r Runtime) Speaks(mode string) bool {
	return r.ProxyMode == ProxyNone || mode == "" || mode == "fastcgi" || slices.Contains(r.ProxyModes(), mode)
}

// Version is one version of a runtime.
type Version struct {
	// Image is left out where ProxyMode is none.
	Image string `json:"image,omitempty"`
}

// Database is the MariaDB server that holds the sites' databases.
type Database struct {
	Host string `json:"host"`
	Port int32  `json:"port"`
}

// Mail is the relay that sites' mail() hands mail to. With no host mail() fails
// and says so.
type Mail struct {
	RelayHost string `json:"relayHost,omitempty"`
	RelayPort int32  `json:"relayPort,omitempty"`
}

// SFTP says how customers reach their files.
type SFTP struct {
	Exposure string `json:"exposure"`
	// Host is shown to customers; "" shows the node's address.
	Host string `json:"host,omitempty"`
	// Port of the gateway, as customers use it.
	Port int32 `json:"port,omitempty"`
	// ProxyProtocolFrom are proxies in front of the gateway that may name the
	// visitor's address.
	ProxyProtocolFrom []string `json:"proxyProtocolFrom,omitempty"`
	// TrashDays is after how many days what the panel put into a site's trash is
	// removed for good; 0: never. Without it the toolbox decides.
	TrashDays *int32 `json:"trashDays,omitempty"`
}

// maxTrashDays is ten years.
const maxTrashDays = 3650

// Gateway tells whether customers come through the gateway.
func (s SFTP) Gateway() bool { return s.Exposure == ExposureGateway }

// Edge says how visitors reach the sites. The ports are the public ones, as they
// stand in URLs and redirects.
type Edge struct {
	Service           string   `json:"service"`
	HTTPPort          int32    `json:"httpPort"`
	HTTPSPort         int32    `json:"httpsPort"`
	ProxyProtocolFrom []string `json:"proxyProtocolFrom,omitempty"`
}

// Parse reads platform.yaml. An unknown key is an error, so is a value that
// Validate refuses: a misspelt setting must never be a silent default.
func Parse(data []byte) (*Settings, error) {
	s := &Settings{}
	if err := yaml.UnmarshalStrict(data, s); err != nil {
		return nil, fmt.Errorf("parse %s: %w", FileName, err)
	}
	if err := s.Validate(); err != nil {
		return nil, fmt.Errorf("check %s: %w", FileName, err)
	}
	return s, nil
}

// Image returns the image of a runtime's version, and whether the catalogue has it.
func (s *Settings) Image(runtime, version string) (string, bool) {
	v, ok := s.Runtimes[runtime].Versions[version]
	return v.Image, ok
}

// Types returns the catalogue's types in order, for messages to people.
func (s *Settings) Types() []string {
	types := make([]string, 0, len(s.Runtimes))
	for name := range s.Runtimes {
		types = append(types, name)
	}
	slices.Sort(types)
	return types
}

// Name returns what people call a runtime.
func (s *Settings) Name(runtime string) string {
	if title := s.Runtimes[runtime].Title; title != "" {
		return title
	}
	return runtime
}

// VersionNames returns a runtime's versions in order, for messages to people.
func (r Runtime) VersionNames() []string {
	names := make([]string, 0, len(r.Versions))
	for name := range r.Versions {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// URL returns the public HTTPS address of host; the usual port is left out.
func (e Edge) URL(host string) string {
	if e.HTTPSPort == 443 {
		return "https://" + host
	}
	return fmt.Sprintf("https://%s:%d", host, e.HTTPSPort)
}

// PlainURL returns the public HTTP address of host; the usual port is left out.
func (e Edge) PlainURL(host string) string {
	if e.HTTPPort == 80 {
		return "http://" + host
	}
	return fmt.Sprintf("http://%s:%d", host, e.HTTPPort)
}
