package v1alpha1

import (
	"cmp"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// DomainPhase is a Domain's state in one word.
//
// +kubebuilder:validation:Enum=Pending;Provisioning;Ready;Degraded;Suspended;Failed;Terminating
type DomainPhase string

// Phases of a Domain.
const (
	DomainPending      DomainPhase = "Pending"
	DomainProvisioning DomainPhase = "Provisioning"
	DomainReady        DomainPhase = "Ready"
	DomainDegraded     DomainPhase = "Degraded"
	DomainSuspended    DomainPhase = "Suspended"
	DomainFailed       DomainPhase = "Failed"
	DomainTerminating  DomainPhase = "Terminating"
)

// DomainStatus is what the operator saw. Only the operator writes it.
type DomainStatus struct {
	// Phase is the state in one word. The conditions say more.
	// +optional
	Phase DomainPhase `json:"phase,omitempty"`

	// Message says the cause of the phase and what mends it.
	// +optional
	Message string `json:"message,omitempty"`

	// Namespace that the site lives in.
	// +optional
	Namespace string `json:"namespace,omitempty"`

	// ObservedGeneration is the generation of the spec that this status describes.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// RestartedAt is the annotation kubepanel.io/restarted-at that the workload was
	// last restarted for.
	// +optional
	RestartedAt string `json:"restartedAt,omitempty"`

	// CronRun is the annotation kubepanel.io/run-cron that was last acted on.
	// +optional
	CronRun string `json:"cronRun,omitempty"`

	// Certificate is what visitors are shown.
	// +optional
	Certificate *CertificateStatus `json:"certificate,omitempty"`

	// Storage tells how full the site's volume is.
	// +optional
	Storage *StorageStatus `json:"storage,omitempty"`

	// SFTP tells how to reach the site's files.
	// +optional
	SFTP *SFTPStatus `json:"sftp,omitempty"`

	// Database tells how the site reaches its database.
	// +optional
	Database *DatabaseStatus `json:"database,omitempty"`

	// Email tells the domain's DKIM key.
	// +optional
	Email *EmailStatus `json:"email,omitempty"`

	// DNS tells the state of the domain's zone.
	// +optional
	DNS *DNSStatus `json:"dns,omitempty"`

	// Configuration is the newest that the site's pod has taken over.
	// +optional
	Configuration *ConfigurationStatus `json:"configuration,omitempty"`

	// Digest is a sum over what the site's objects depend on and over the objects, as
	// they were found right. While both are as they were, none of it is compared.
	// +optional
	Digest string `json:"digest,omitempty"`

	// Endpoints are addresses for a browser.
	// +optional
	Endpoints *EndpointsStatus `json:"endpoints,omitempty"`

	// Conditions tell, part by part, what is as it should be and what is not. The
	// operator writes them all at once, so they are one value.
	// +listType=atomic
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// ConfigurationStatus tells which configuration is in force, and where.
type ConfigurationStatus struct {
	// Pod that serves with it.
	// +optional
	Pod string `json:"pod,omitempty"`

	// Revision changes with every text of the configuration.
	// +optional
	Revision string `json:"revision,omitempty"`
}

// CertificateStatus is what a certificate says of itself.
type CertificateStatus struct {
	// NotAfter is when it ends.
	NotAfter metav1.Time `json:"notAfter"`

	// Issuer is who signed it, by its common name or else its organisation.
	// +optional
	Issuer string `json:"issuer,omitempty"`
}

// StorageStatus tells how full a volume is.
type StorageStatus struct {
	// Size that the volume has been given, such as 10Gi.
	// +optional
	Size string `json:"size,omitempty"`

	// Used is how much of it is used, such as 512Mi, to within a hundredth of the
	// size; "" where the storage does not tell.
	// +optional
	Used string `json:"used,omitempty"`
}

// SFTPStatus tells how to reach the site's files.
type SFTPStatus struct {
	// Host to connect to.
	// +optional
	Host string `json:"host,omitempty"`

	// Port to connect to.
	// +optional
	Port int32 `json:"port,omitempty"`

	// Username to sign in with.
	// +optional
	Username string `json:"username,omitempty"`

	// HostKey is the public key that whoever answers at host and port has to show,
	// as a line of known_hosts without the name.
	// +optional
	HostKey string `json:"hostKey,omitempty"`

	// ServerKey is the public host key of the site's own server: the same as hostKey
	// unless a gateway stands before it.
	// +optional
	ServerKey string `json:"serverKey,omitempty"`

	// PublicKey is the public half of the generated key.
	// +optional
	PublicKey string `json:"publicKey,omitempty"`

	// PasswordSecretRef names the Secret that holds the password.
	// +optional
	PasswordSecretRef *SecretKeyReference `json:"passwordSecretRef,omitempty"`

	// PublicKeySecretRef names the Secret that holds the generated public key.
	// +optional
	PublicKeySecretRef *SecretKeyReference `json:"publicKeySecretRef,omitempty"`
}

// DatabaseStatus tells how the site reaches its database.
type DatabaseStatus struct {
	// Host of the database server, as seen from the site.
	// +optional
	Host string `json:"host,omitempty"`

	// Port of the database server.
	// +optional
	Port int32 `json:"port,omitempty"`

	// Name of the database.
	// +optional
	Name string `json:"name,omitempty"`

	// Username of the database user.
	// +optional
	Username string `json:"username,omitempty"`

	// PasswordSecretRef names the Secret that holds the password.
	// +optional
	PasswordSecretRef *SecretKeyReference `json:"passwordSecretRef,omitempty"`
}

// EmailStatus tells the domain's DKIM key.
type EmailStatus struct {
	// DKIMSelector names the key in use.
	// +optional
	DKIMSelector string `json:"dkimSelector,omitempty"`

	// DKIMPublicKey is the public key, base64.
	// +optional
	DKIMPublicKey string `json:"dkimPublicKey,omitempty"`

	// DKIMPrivateKeySecretRef names the Secret that holds the private key.
	// +optional
	DKIMPrivateKeySecretRef *SecretKeyReference `json:"dkimPrivateKeySecretRef,omitempty"`

	// DKIMDNSRecord is the TXT record that publishes the key.
	// +optional
	DKIMDNSRecord string `json:"dkimDnsRecord,omitempty"`
}

// EndpointsStatus are addresses for a browser.
type EndpointsStatus struct {
	// HTTP address of the site.
	// +optional
	HTTP string `json:"http,omitempty"`

	// HTTPS address of the site.
	// +optional
	HTTPS string `json:"https,omitempty"`

	// PHPMyAdmin is where the database can be looked at.
	// +optional
	PHPMyAdmin string `json:"phpMyAdmin,omitempty"`
}

// Site is where a browser finds the site itself; "" while nobody knows.
func (e *EndpointsStatus) Site() string {
	if e == nil {
		return ""
	}
	return cmp.Or(e.HTTPS, e.HTTP)
}
