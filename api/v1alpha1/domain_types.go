package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Domain is one hosted site and all its infrastructure: files, workload,
// database, SFTP, routing, mail and DNS.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Cluster,shortName=dom
// +kubebuilder:printcolumn:name="Phase",type=string,JSONPath=`.status.phase`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Type",type=string,JSONPath=`.spec.workload.type`
// +kubebuilder:printcolumn:name="Version",type=string,JSONPath=`.spec.workload.version`
// +kubebuilder:printcolumn:name="URL",type=string,JSONPath=`.status.endpoints.https`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Message",type=string,JSONPath=`.status.message`,priority=1
type Domain struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// Spec is what the customer asks for.
	Spec DomainSpec `json:"spec"`

	// Status is what the operator saw. Only the operator writes it.
	// +optional
	Status DomainStatus `json:"status,omitzero"`
}

// DomainList is a list of Domains.
//
// +kubebuilder:object:root=true
type DomainList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitzero"`
	Items           []Domain `json:"items"`
}

// Conditions gives the loop the place to write what it learned.
func (d *Domain) Conditions() *[]metav1.Condition { return &d.Status.Conditions }

// Observed records which generation the conditions describe.
func (d *Domain) Observed(generation int64) { d.Status.ObservedGeneration = generation }

// DomainSpec is what a customer asks for.
//
// +kubebuilder:validation:XValidation:rule="!has(self.aliases) || !self.aliases.exists(a, a.name == self.domainName)",message="an alias is the same as domainName; leave it out",fieldPath=".aliases"
// +kubebuilder:validation:XValidation:rule="!has(self.wordpress) || !self.wordpress.preinstall || self.workload.type == 'php'",message="WordPress needs workload.type php",fieldPath=".wordpress.preinstall"
// +kubebuilder:validation:XValidation:rule="!has(self.wordpress) || !self.wordpress.preinstall || !has(self.database) || self.database.enabled",message="WordPress needs a database: leave database.enabled true",fieldPath=".wordpress.preinstall"
// +kubebuilder:validation:XValidation:rule="!has(self.cronJobs) || self.cronJobs.size() == 0 || self.workload.type != 'static'",message="a site of static files has no program that could run; leave cronJobs out",fieldPath=".cronJobs"
type DomainSpec struct {
	// DomainName is the site's main name and its identity. It can't be changed:
	// a new name is a new Domain.
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="domainName can't be changed; create a new Domain for another name"
	DomainName DomainName `json:"domainName"`

	// Title is what people call the site.
	// +optional
	Title SingleLine `json:"title,omitempty"`

	// Aliases are further names that lead to this site. A name belongs to one site only.
	// +kubebuilder:validation:MaxItems=100
	// +listType=map
	// +listMapKey=name
	// +optional
	Aliases []DomainAlias `json:"aliases,omitempty"`

	// PreferredNodes are names of nodes that the site runs on when it can.
	// +kubebuilder:validation:MaxItems=100
	// +listType=set
	// +optional
	PreferredNodes []ObjectName `json:"preferredNodes,omitempty"`

	// Suspended stops the site's workload; visitors see a page that says so
	// (503 with Retry-After). Files, database and incoming mail stay.
	// +kubebuilder:default=false
	// +optional
	Suspended bool `json:"suspended,omitempty"`

	// Timezone is an IANA name, such as Europe/Berlin.
	// +kubebuilder:default=UTC
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9][A-Za-z0-9_+-]*){0,2}$')",message="give the IANA name of a time zone, such as UTC or Europe/Berlin"
	// +optional
	Timezone string `json:"timezone,omitempty"`

	// Workload is the program that serves the site.
	Workload WorkloadSpec `json:"workload"`

	// WordPress asks for a finished WordPress installation.
	// +kubebuilder:default={}
	// +optional
	WordPress WordPressSpec `json:"wordpress,omitzero"`

	// Resources are what the whole site may use, all its containers together.
	Resources ResourcesSpec `json:"resources"`

	// Webserver sets how files are served and visitors are redirected.
	// +kubebuilder:default={}
	// +optional
	Webserver WebserverSpec `json:"webserver,omitzero"`

	// Database is the site's own MariaDB database and user.
	// +kubebuilder:default={}
	// +optional
	Database DatabaseSpec `json:"database,omitzero"`

	// Email is mail for the domain.
	// +kubebuilder:default={}
	// +optional
	Email EmailSpec `json:"email,omitzero"`

	// DNS is the domain's zone at a provider.
	// +kubebuilder:default={}
	// +optional
	DNS DNSSpec `json:"dns,omitzero"`

	// SFTP is access to the site's files.
	// +kubebuilder:default={}
	// +optional
	SFTP SFTPSpec `json:"sftp,omitzero"`

	// Redis is an object cache beside the site.
	// +kubebuilder:default={}
	// +optional
	Redis RedisSpec `json:"redis,omitzero"`

	// CronJobs are commands that run at set times. Together they have a share of
	// resources that the site's program has without them.
	// +kubebuilder:validation:MaxItems=20
	// +listType=map
	// +listMapKey=name
	// +optional
	CronJobs []CronJob `json:"cronJobs,omitempty"`
}

// DomainAlias is a further name of a site.
type DomainAlias struct {
	// Name is the alias, a full domain name.
	Name DomainName `json:"name"`

	// Email is mail for this alias.
	// +optional
	Email *AliasEmailSpec `json:"email,omitempty"`
}

// AliasEmailSpec is mail for an alias.
type AliasEmailSpec struct {
	// Enabled accepts mail for the alias.
	// +optional
	Enabled bool `json:"enabled,omitempty"`

	// DKIMSelector names the key that signs mail from the alias.
	// +optional
	DKIMSelector DKIMSelector `json:"dkimSelector,omitempty"`

	// DKIMSecretRef names a Secret with a key of one's own; without it a key is made.
	// +optional
	DKIMSecretRef *SecretReference `json:"dkimSecretRef,omitempty"`
}

// WordPressSpec asks for a finished installation, never for an open installer.
type WordPressSpec struct {
	// Preinstall puts an installed WordPress into the document root. It needs
	// workload.type php and database.enabled.
	// +kubebuilder:default=false
	// +optional
	Preinstall bool `json:"preinstall,omitempty"`

	// Title of the WordPress site. Without it, the Domain's title or name.
	// +optional
	Title SingleLine `json:"title,omitempty"`

	// AdminUser is the name of the first administrator, admin when left out. The
	// password is made by the operator, in the Secret wordpress-admin.
	// +kubebuilder:validation:MaxLength=60
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z0-9]([A-Za-z0-9 _.@-]*[A-Za-z0-9])?$')",message="use letters, digits, spaces and _ . @ - only, with a letter or digit at both ends"
	// +optional
	AdminUser string `json:"adminUser,omitempty"`

	// AdminEmail is the administrator's address, admin at the domain when left out.
	// +kubebuilder:validation:MaxLength=254
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z0-9.!#$%&*+/=?^_{|}~-]{1,64}@[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$')",message="give a mail address, such as admin@shop.example"
	// +optional
	AdminEmail string `json:"adminEmail,omitempty"`

	// Locale is WordPress' name of a language, such as de_DE; en_US when left out.
	// +kubebuilder:validation:MaxLength=30
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z]{2,3}(_[A-Z]{2})?(_[a-z0-9]+)?$')",message="give the name of a WordPress language, such as en_US or de_DE_formal"
	// +optional
	Locale string `json:"locale,omitempty"`
}

// DatabaseSpec is the site's own database.
type DatabaseSpec struct {
	// Enabled makes a database and a user that may use it alone.
	// +kubebuilder:default=true
	// +optional
	Enabled *bool `json:"enabled,omitempty"`
}

// EmailSpec is mail for the domain.
type EmailSpec struct {
	// Enabled accepts mail for the domain and signs what it sends.
	// +kubebuilder:default=false
	// +optional
	Enabled bool `json:"enabled,omitempty"`

	// DKIMSelector names the key that signs mail.
	// +kubebuilder:default=default
	// +optional
	DKIMSelector DKIMSelector `json:"dkimSelector,omitempty"`

	// DKIMSecretRef names a Secret with a key of one's own; without it a key is made.
	// +optional
	DKIMSecretRef *SecretReference `json:"dkimSecretRef,omitempty"`
}

// SFTPType is what a customer may do over SSH.
//
// +kubebuilder:validation:Enum=standard;sshgit
type SFTPType string

// Kinds of access over SSH.
const (
	// SFTPStandard allows file transfer alone.
	SFTPStandard SFTPType = "standard"
	// SFTPGit also allows git and a shell within the site.
	SFTPGit SFTPType = "sshgit"
)

// AuthorizedKey is one line as in OpenSSH's authorized_keys, without options.
//
// +kubebuilder:validation:MaxLength=4096
// +kubebuilder:validation:XValidation:rule="self.matches('^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)|sk-ssh-ed25519@openssh[.]com|sk-ecdsa-sha2-nistp256@openssh[.]com) [A-Za-z0-9+/]+=*( [^\\\\x00-\\\\x1f\\\\x7f]*)?$')",message="give a public SSH key on one line, such as ssh-ed25519 AAAA… me@laptop"
type AuthorizedKey = string

// SFTPSpec is access to the site's files.
type SFTPSpec struct {
	// Enabled runs an SFTP server for the site.
	// +kubebuilder:default=true
	// +optional
	Enabled *bool `json:"enabled,omitempty"`

	// Type is standard for file transfer, sshgit for git and a shell too.
	// +kubebuilder:default=standard
	// +optional
	Type SFTPType `json:"type,omitempty"`

	// AuthorizedKeys are public keys that may sign in beside the generated one.
	// +kubebuilder:validation:MaxItems=20
	// +listType=set
	// +optional
	AuthorizedKeys []AuthorizedKey `json:"authorizedKeys,omitempty"`
}

// RedisSpec is an object cache beside the site.
type RedisSpec struct {
	// Enabled runs Redis for this site alone, reached over a socket.
	// +kubebuilder:default=false
	// +optional
	Enabled bool `json:"enabled,omitempty"`
}
