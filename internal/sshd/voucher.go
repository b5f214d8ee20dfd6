package sshd

import (
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
)

// Critical options of a voucher's certificate: a server that does not know them
// refuses it (OpenSSH's PROTOCOL.certkeys).
const (
	optionVisitor  = "visitor@kubepanel.io"
	optionPassword = "password@kubepanel.io"
	extensionKey   = "key@kubepanel.io"
)

const (
	// voucherLife is far longer than a connection inside a cluster takes.
	voucherLife = time.Minute
	// voucherSkew lets servers whose clocks are behind accept one at once.
	voucherSkew = time.Minute
)

var errVoucher = errors.New("certificate not accepted")

// Voucher is what the gateway says of a visitor whom it passes on to a site.
type Voucher struct {
	// Site is the domain name of the only site that may believe it.
	Site string
	// Visitor is the address that the visitor comes from.
	Visitor string
	// Key is the fingerprint of the visitor's key, whose possession and right to
	// that site the gateway has verified. Without one the visitor has a password,
	// which the site must ask for yet.
	Key string
}

// Sign makes the voucher a certificate for a key that the gateway holds.
func (v Voucher) Sign(authority ssh.Signer, key ssh.PublicKey, now time.Time) (*ssh.Certificate, error) {
	cert := &ssh.Certificate{
		Key: key, CertType: ssh.UserCert, KeyId: "kubepanel-gateway", ValidPrincipals: []string{v.Site},
		ValidAfter: uint64(now.Add(-voucherSkew).Unix()), ValidBefore: uint64(now.Add(voucherLife).Unix()),
		Permissions: ssh.Permissions{CriticalOptions: map[string]string{optionVisitor: v.Visitor}},
	}
	if v.Key == "" {
		cert.CriticalOptions[optionPassword] = ""
	} else {
		cert.Extensions = map[string]string{extensionKey: v.Key}
	}
	if err := cert.SignCert(rand.Reader, authority); err != nil {
		return nil, fmt.Errorf("sign a certificate: %w", err)
	}
	return cert, nil
}

// Authority is a key whose vouchers a site believes.
type Authority struct {
	Key  ssh.PublicKey
	Site string
}

// ParseAuthorities reads lines as in OpenSSH's authorized_keys that begin with
// cert-authority,principals="SITE". One without a site is left out: it would be
// believed for every site.
func ParseAuthorities(text string) []Authority {
	var all []Authority
	for line := range strings.Lines(text) {
		key, options, ok := parseLine(line)
		if !ok || len(options) != 2 || options[0] != "cert-authority" {
			continue
		}
		site, ok := strings.CutPrefix(options[1], `principals="`)
		site, closed := strings.CutSuffix(site, `"`)
		if ok && closed && site != "" && !strings.ContainsAny(site, `",`) {
			all = append(all, Authority{Key: key, Site: site})
		}
	}
	return all
}

// Read returns what a certificate vouches for, when it is this authority's for
// its site, and valid now.
func (a Authority) Read(cert *ssh.Certificate) (Voucher, error) {
	checker := &ssh.CertChecker{SupportedCriticalOptions: []string{optionVisitor, optionPassword}}
	switch {
	case cert.CertType != ssh.UserCert,
		// A certificate without a principal would be everybody's.
		!slices.Equal(cert.ValidPrincipals, []string{a.Site}),
		!Holds([]ssh.PublicKey{a.Key}, cert.SignatureKey):
		return Voucher{}, errVoucher
	}
	if err := checker.CheckCert(a.Site, cert); err != nil {
		return Voucher{}, fmt.Errorf("check a certificate: %w", err)
	}
	v := Voucher{Site: a.Site, Visitor: cert.CriticalOptions[optionVisitor], Key: cert.Extensions[extensionKey]}
	if _, password := cert.CriticalOptions[optionPassword]; password == (v.Key != "") || v.Visitor == "" {
		return Voucher{}, errVoucher
	}
	return v, nil
}
