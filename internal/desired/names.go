package desired

import (
	"crypto/sha256"
	"encoding/base32"
	"strings"
)

const (
	// maxObjectName leaves room for "-sftp" within the 63 bytes of an RFC 1123
	// label, and for "dom-" in a namespace.
	maxObjectName = 58

	// namespacePrefix stands before the namespace, database and user of a site.
	// A name with it can't be one of Kubernetes' or MariaDB's own.
	namespacePrefix = "dom-"

	// hashMark can't come from an ordinary name: '.' gives one hyphen, '-' gives
	// two, and a '.' never stands beside a '-' in a domain name.
	hashMark = "---"

	// hashLength is in base32 characters: 50 bits of SHA-256.
	hashLength = 10
)

// ObjectName returns the name under which objects of a domain are known:
// example.com → example-com, my-site.com → my--site-com. Two different names
// never give the same one: '.' and '-' stay apart, and what is too long carries
// a hash of the whole name.
func ObjectName(domain string) string {
	name := strings.ReplaceAll(strings.ReplaceAll(domain, "-", "--"), ".", "-")
	if len(name) <= maxObjectName {
		return name
	}
	sum := sha256.Sum256([]byte(domain))
	hash := strings.ToLower(base32.StdEncoding.EncodeToString(sum[:]))[:hashLength]
	head := name[:maxObjectName-len(hashMark)-hashLength]
	// A cut may leave hyphens at the end; without them the mark stays readable.
	return strings.TrimRight(head, "-") + hashMark + hash
}

// Namespace returns the namespace of a domain's site.
func Namespace(domain string) string { return namespacePrefix + ObjectName(domain) }

// DatabaseName returns the name of a domain's database and of its user: at most
// 62 characters, below MariaDB's limits of 64 and 80.
func DatabaseName(domain string) string { return namespacePrefix + ObjectName(domain) }

// ServiceName returns the Service that the edge sends visitors to.
func ServiceName(domain string) string { return serviceBase(domain) + "-svc" }

// SFTPServiceName returns the Service that exposes a site's SFTP server.
func SFTPServiceName(domain string) string { return serviceBase(domain) + "-sftp" }

// serviceBase is the object name, but a Service's name begins with a letter
// (RFC 1035) before Kubernetes 1.36. The namespace keeps the names of two domains
// apart.
func serviceBase(domain string) string {
	name := ObjectName(domain)
	if name == "" || name[0] < '0' || name[0] > '9' {
		return name
	}
	if name = "n" + name; len(name) > maxObjectName {
		name = strings.TrimRight(name[:maxObjectName], "-")
	}
	return name
}
