package gateway

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"golang.org/x/crypto/ssh"

	"kubepanel.io/kubepanel/internal/sshd"
)

// visit is one visitor's way to a site.
type visit struct {
	gateway *Gateway
	keys    Keys
	address string
	// wanted is the site that was asked for, for the log.
	wanted string

	site     *Site
	key      string // fingerprint; "" with a password
	upstream *upstream
}

// upstream is a connection with a site's own server.
type upstream struct {
	ssh.Conn
	channels <-chan ssh.NewChannel
	requests <-chan *ssh.Request
}

func (v *visit) close() {
	if v.upstream != nil {
		_ = v.upstream.Close()
	}
}

func (v *visit) method() string {
	if v.key == "" {
		return "password"
	}
	return "key"
}

func (v *visit) handshake(ctx context.Context, c *sshd.Conn) (*ssh.ServerConn, <-chan ssh.NewChannel, <-chan *ssh.Request, error) {
	var err error
	if v.keys, err = v.gateway.Keys(); err != nil {
		return nil, nil, nil, err
	}
	config := &ssh.ServerConfig{
		MaxAuthTries: maxAuthTries,
		PasswordCallback: func(meta ssh.ConnMetadata, password []byte) (*ssh.Permissions, error) {
			return nil, v.password(ctx, meta.User(), string(password))
		},
		PublicKeyCallback: func(meta ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			to := parseLogin(meta.User())
			v.wanted = to.domain
			if _, ok := v.opens(to.domain, key); !ok {
				return nil, errRefused
			}
			return nil, nil //nolint:nilnil // may be tried; nothing more to say
		},
		VerifiedPublicKeyCallback: func(meta ssh.ConnMetadata, key ssh.PublicKey, _ *ssh.Permissions, _ string) (*ssh.Permissions, error) {
			// Asked again: the site may have changed while the client signed.
			site, ok := v.opens(parseLogin(meta.User()).domain, key)
			v.gateway.Metrics.signIn("key", ok)
			if !ok {
				return nil, errRefused
			}
			v.site, v.key = site, ssh.FingerprintSHA256(key)
			return nil, nil //nolint:nilnil // let in; what is known of the visitor stands in the visit
		},
	}
	config.AddHostKey(v.keys.Host)
	return sshd.Handshake(c, config)
}

// opens returns the site that a key opens: one whose own it is, or for the panel's
// key the site that it names.
func (v *visit) opens(domain string, key ssh.PublicKey) (*Site, bool) {
	if v.keys.Panel != nil && sshd.Holds([]ssh.PublicKey{v.keys.Panel}, key) {
		return v.gateway.Sites.find(domain)
	}
	return v.gateway.Sites.withKey(domain, key)
}

// password lets the site decide. Guesses wait, by the address that they come from
// and by the site that they are for.
func (v *visit) password(ctx context.Context, name, password string) error {
	to := parseLogin(name)
	v.wanted = to.domain
	site, known := v.gateway.Sites.find(to.domain)
	byAddress, err := v.gateway.addresses.Wait(ctx, v.address)
	if err != nil {
		return fmt.Errorf("wait for a turn: %w", err)
	}
	byAccount := func(bool) {}
	if known {
		if byAccount, err = v.gateway.accounts.Wait(ctx, site.Domain); err != nil {
			return fmt.Errorf("wait for a turn: %w", err)
		}
	}
	err = errRefused
	if known {
		v.upstream, err = v.dial(ctx, site, to.user, password)
	}
	if err != nil && !errors.Is(err, errRefused) {
		// The site could not be asked: no failure of the visitor's.
		v.gateway.Log.Warn("site can't be reached", "site", site.Domain, "cause", err.Error())
		return &ssh.BannerError{Err: err, Message: "The server of " + site.Domain + " does not answer; try again in a minute.\r\n"}
	}
	byAddress(err == nil)
	byAccount(err == nil)
	v.gateway.Metrics.signIn("password", err == nil)
	v.site = site
	return err
}

// connect signs in to the site for a visitor whose key was verified.
func (v *visit) connect(ctx context.Context, name string) error {
	if v.upstream != nil {
		return nil
	}
	var err error
	v.upstream, err = v.dial(ctx, v.site, parseLogin(name).user, "")
	return err
}

// dial signs in to a site's server with a voucher for the visitor, and with a
// password unless a key was verified: then errRefused says that it was wrong.
func (v *visit) dial(ctx context.Context, site *Site, user, password string) (*upstream, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	signer, err := certified(v.keys.Authority, sshd.Voucher{Site: site.Domain, Visitor: v.address, Key: v.key})
	if err != nil {
		return nil, err
	}
	conn, err := v.gateway.Sites.reach(ctx, site.Domain)
	if err != nil {
		return nil, fmt.Errorf("reach the site: %w", err)
	}
	_ = conn.SetDeadline(time.Now().Add(dialTime))
	asked := false
	config := &ssh.ClientConfig{
		User: user, HostKeyCallback: ssh.FixedHostKey(site.HostKey), ClientVersion: sshd.Version,
		HostKeyAlgorithms: []string{site.HostKey.Type()},
		Auth: []ssh.AuthMethod{ssh.PublicKeys(signer), ssh.PasswordCallback(func() (string, error) {
			asked = true
			return password, nil
		})},
	}
	config.Ciphers = sshd.Ciphers()
	c, channels, requests, err := ssh.NewClientConn(conn, site.Domain, config)
	if err == nil {
		_ = conn.SetDeadline(time.Time{})
		return &upstream{Conn: c, channels: channels, requests: requests}, nil
	}
	_ = conn.Close()
	if asked {
		return nil, errRefused
	}
	return nil, fmt.Errorf("sign in to the site: %w", err)
}

// certified makes a key for this one connection, with the voucher as its
// certificate.
func certified(authority ssh.Signer, voucher sshd.Voucher) (ssh.Signer, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	key, err := ssh.NewSignerFromKey(private)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	cert, err := voucher.Sign(authority, key.PublicKey(), time.Now())
	if err != nil {
		return nil, err
	}
	return ssh.NewCertSigner(cert, key)
}
