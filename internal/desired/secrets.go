package desired

import (
	"fmt"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// Names of a site's Secrets.
const (
	SecretSFTP      = "sftp-credentials"
	SecretDatabase  = "db-credentials"
	SecretWordPress = "wordpress-admin"
)

// Keys of a site's Secrets. The containers see them as files of these names.
const (
	KeyUsername      = "username"
	KeyPassword      = "password"
	KeyPrevious      = "previousPassword"
	KeyPasswordHash  = "passwordHash"
	KeyPrivateKey    = "privateKey"
	KeyPublicKey     = "publicKey"
	KeyHostKey       = "hostKey"
	KeyHostKeyPublic = "hostKeyPublic"

	keyAuthorizedKeys = "authorizedKeys"
	keyGateway        = "gateway"
	keyDocumentRoot   = "documentRoot"
	keyHost           = "host"
	keyPort           = "port"
	keyDatabase       = "database"
	keyAuthority      = "ca.crt"
	keyEmail          = "email"
	keyURL            = "url"
)

// SFTPUser is the name to sign in with; each site has its own server.
const SFTPUser = "site"

// SFTPCredentials were made once for a site and are kept.
type SFTPCredentials struct {
	Password, PasswordHash string
	// PrivateKey and HostKey are in OpenSSH's format; the public halves are lines
	// as in authorized_keys.
	PrivateKey, PublicKey  []byte
	HostKey, HostKeyPublic []byte
	// Gateway is the public key by which the platform's gateway vouches for who
	// comes; nil where there is none.
	Gateway []byte
}

// SFTPSecret holds what the SFTP server needs to know and what a customer may ask
// for: the password and the generated key.
func (s Site) SFTPSecret(c SFTPCredentials) *corev1.Secret {
	return s.secret(SecretSFTP, map[string][]byte{
		KeyUsername:       []byte(SFTPUser),
		KeyPassword:       []byte(c.Password),
		KeyPasswordHash:   []byte(c.PasswordHash),
		KeyPrivateKey:     c.PrivateKey,
		KeyPublicKey:      c.PublicKey,
		KeyHostKey:        c.HostKey,
		KeyHostKeyPublic:  c.HostKeyPublic,
		keyAuthorizedKeys: []byte(strings.Join(s.Domain.Spec.SFTP.AuthorizedKeys, "\n") + "\n"),
		keyGateway:        s.gatewayAuthority(c.Gateway),
		keyDocumentRoot:   s.documentRoot(),
	})
}

// documentRoot tells the SFTP server which folder to make when it is missing. A
// path that can't be has refused the whole spec before.
func (s Site) documentRoot() []byte {
	root, _ := DocumentRoot(s.Domain)
	return []byte(root + "\n")
}

// gatewayAuthority has the site believe the gateway what it says of visitors for
// this site, as a line of OpenSSH's authorized_keys.
func (s Site) gatewayAuthority(key []byte) []byte {
	if len(key) == 0 || !s.Platform.SFTP.Gateway() {
		return []byte("\n")
	}
	return fmt.Appendf(nil, "cert-authority,principals=%q %s", s.name(), key)
}

// DatabasePassword is what opens a site's database.
type DatabasePassword struct {
	Password string
	// Previous is the one before it, which is good as well until Until (RFC 3339); both
	// are "" when there is none.
	Previous, Until string
	// AskedAt is the Domain's annotation that it was made for; "" for the first one.
	AskedAt string
}

// DatabaseSecret holds what the site's program needs to reach its own database,
// and nothing that would open another; and by whose certificate, in PEM, it can tell
// the server from somebody in its place.
func (s Site) DatabaseSecret(password DatabasePassword, authority []byte) *corev1.Secret {
	name := DatabaseName(s.name())
	secret := s.secret(SecretDatabase, map[string][]byte{
		keyAuthority: authority,
		keyHost:      []byte(s.Platform.Database.Host),
		keyPort:      []byte(strconv.Itoa(int(s.Platform.Database.Port))),
		keyDatabase:  []byte(name),
		KeyUsername:  []byte(name),
		KeyPassword:  []byte(password.Password),
	})
	if password.AskedAt != "" {
		secret.Annotations[v1alpha1.AnnotationPasswordAskedAt] = password.AskedAt
	}
	if password.Previous != "" {
		secret.Data[KeyPrevious] = []byte(password.Previous)
		secret.Annotations[v1alpha1.AnnotationPreviousUntil] = password.Until
	}
	return secret
}

// WordPressSecret holds the first administrator of an installed WordPress.
func (s Site) WordPressSecret(password string) *corev1.Secret {
	return s.secret(SecretWordPress, map[string][]byte{
		KeyUsername: []byte(s.adminUser()),
		KeyPassword: []byte(password),
		keyEmail:    []byte(s.adminEmail()),
		keyURL:      []byte(s.Platform.Edge.URL(s.name()) + "/wp-admin/"),
	})
}

func (s Site) secret(name string, data map[string][]byte) *corev1.Secret {
	return &corev1.Secret{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"},
		ObjectMeta: s.meta(name),
		Type:       corev1.SecretTypeOpaque,
		Data:       data,
	}
}
