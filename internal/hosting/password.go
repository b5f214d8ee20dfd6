package hosting

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strconv"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// Purpose says which of a site's passwords is meant.
type Purpose string

// Purposes of passwords.
const (
	ForWordPress Purpose = "wordpress"
	ForSFTP      Purpose = "sftp"
	ForDatabase  Purpose = "database"
)

// Purposes returns all purposes, for messages and completion.
func Purposes() []Purpose { return []Purpose{ForWordPress, ForSFTP, ForDatabase} }

// secretWordPress is the Secret of the contract that holds the administrator's
// account; the status has no place for it.
const secretWordPress = "wordpress-admin"

// Credential is one account of a site. It is shown on request and never stored.
type Credential struct {
	Site     string  `json:"site"`
	For      Purpose `json:"for"`
	Address  string  `json:"address,omitempty"`
	Username string  `json:"username"`
	Password string  `json:"password"`
}

// DefaultPurpose returns the password that a person most likely means.
func DefaultPurpose(d *v1alpha1.Domain) Purpose {
	if d.Spec.WordPress.Preinstall {
		return ForWordPress
	}
	return ForSFTP
}

// Password reads an account of a site. It returns NotFound when the site has no
// such account, or not yet.
func (p *Panel) Password(ctx context.Context, d *v1alpha1.Domain, purpose Purpose) (*Credential, error) {
	c := &Credential{Site: d.Spec.DomainName, For: purpose}
	ref, err := credentialRef(d, c)
	if err != nil {
		return nil, err
	}
	if ref == nil {
		return nil, notYet(d, purpose)
	}
	content, err := p.Platform.Secret(ctx, ref.Namespace, ref.Name)
	if CodeOf(err) == NotFound && err != nil {
		return nil, notYet(d, purpose)
	}
	if err != nil {
		return nil, err
	}
	if c.Username == "" {
		c.Username = string(content["username"])
	}
	c.Password = string(content[ref.Key])
	if c.Password == "" {
		return nil, notYet(d, purpose)
	}
	return c, nil
}

// credentialRef says where the password is, nil when it is not there yet, and
// fills in what the status tells of the account.
func credentialRef(d *v1alpha1.Domain, c *Credential) (*v1alpha1.SecretKeyReference, error) {
	switch c.For {
	case ForWordPress:
		if !d.Spec.WordPress.Preinstall {
			return nil, none(d, "WordPress was not installed by the platform")
		}
		if e := d.Status.Endpoints; e != nil && e.HTTPS != "" {
			c.Address = e.HTTPS + "/wp-admin/"
		}
		if d.Status.Namespace == "" {
			return nil, nil
		}
		return &v1alpha1.SecretKeyReference{Namespace: d.Status.Namespace, Name: secretWordPress, Key: "password"}, nil
	case ForSFTP:
		if on := d.Spec.SFTP.Enabled; on != nil && !*on {
			return nil, none(d, "SFTP is turned off")
		}
		s := d.Status.SFTP
		if s == nil {
			return nil, nil
		}
		c.Username = s.Username
		if s.Host != "" {
			// A user name with an @ in it is written so that the first @ of the address
			// is the one before the host (RFC 3986 section 3.2.1).
			address := url.URL{Scheme: "sftp", User: url.User(s.Username), Host: net.JoinHostPort(s.Host, strconv.Itoa(int(s.Port)))}
			c.Address = address.String()
		}
		return s.PasswordSecretRef, nil
	case ForDatabase:
		if on := d.Spec.Database.Enabled; on != nil && !*on {
			return nil, none(d, "it has no database")
		}
		s := d.Status.Database
		if s == nil {
			return nil, nil
		}
		c.Username, c.Address = s.Username, fmt.Sprintf("%s:%d/%s", s.Host, s.Port, s.Name)
		return s.PasswordSecretRef, nil
	}
	return nil, &Error{Code: Invalid, Fields: []Field{{"for",
		fmt.Sprintf("There is no password for %q; ask for wordpress, sftp or database.", c.For)}}}
}

func none(d *v1alpha1.Domain, why string) error {
	return &Error{Code: NotFound, Message: fmt.Sprintf("The site %s has no such password: %s.", ShowBoth(d.Spec.DomainName), why),
		Mend: "Ask for another with --for."}
}

func notYet(d *v1alpha1.Domain, purpose Purpose) error {
	return &Error{Code: NotFound, Message: fmt.Sprintf("The site %s has no password for %s yet.", ShowBoth(d.Spec.DomainName), purpose),
		Mend: "Wait until it is ready with: kubepanel site wait " + d.Spec.DomainName}
}
