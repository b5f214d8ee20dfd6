package sshd_test

import (
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"kubepanel.io/kubepanel/internal/sshd"
)

func TestAVoucherIsBelievedByItsSiteAlone(t *testing.T) {
	authority, stranger, own := newSigner(t), newSigner(t), newSigner(t)
	blog := sshd.Authority{Key: authority.PublicKey(), Site: "blog.example"}
	now := time.Now()
	good := sshd.Voucher{Site: "blog.example", Visitor: "203.0.113.7", Key: "SHA256:x"}
	tests := map[string]struct {
		voucher sshd.Voucher
		signer  ssh.Signer
		at      time.Time
		change  func(*ssh.Certificate)
		ok      bool
	}{
		"a key":                    {voucher: good, ok: true},
		"a password":               {voucher: sshd.Voucher{Site: "blog.example", Visitor: "2001:db8::1"}, ok: true},
		"another site's":           {voucher: sshd.Voucher{Site: "shop.example", Visitor: "203.0.113.7", Key: "SHA256:x"}},
		"signed by another":        {voucher: good, signer: stranger},
		"of yesterday":             {voucher: good, at: now.Add(-24 * time.Hour)},
		"of tomorrow":              {voucher: good, at: now.Add(24 * time.Hour)},
		"no visitor":               {voucher: sshd.Voucher{Site: "blog.example", Key: "SHA256:x"}},
		"for everybody":            {voucher: good, change: func(c *ssh.Certificate) { c.ValidPrincipals = nil }},
		"for two":                  {voucher: good, change: func(c *ssh.Certificate) { c.ValidPrincipals = []string{"blog.example", "shop.example"} }},
		"a host's":                 {voucher: good, change: func(c *ssh.Certificate) { c.CertType = ssh.HostCert }},
		"with more to honour":      {voucher: good, change: func(c *ssh.Certificate) { c.CriticalOptions["force-command"] = "id" }},
		"neither key nor password": {voucher: good, change: func(c *ssh.Certificate) { c.Extensions = nil }},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if test.signer == nil {
				test.signer = authority
			}
			if test.at.IsZero() {
				test.at = now
			}
			cert, err := test.voucher.Sign(test.signer, own.PublicKey(), test.at)
			if err != nil {
				t.Fatal(err)
			}
			if test.change != nil {
				test.change(cert)
				if err := cert.SignCert(zeros{}, test.signer); err != nil {
					t.Fatal(err)
				}
			}
			got, err := blog.Read(cert)
			if test.ok != (err == nil) || test.ok && got != test.voucher {
				t.Errorf("Read(%+v) = %+v, %v, want accepted: %v", test.voucher, got, err, test.ok)
			}
		})
	}
	t.Run("changed afterwards", func(t *testing.T) {
		cert, err := good.Sign(authority, own.PublicKey(), now)
		if err != nil {
			t.Fatal(err)
		}
		cert.CriticalOptions["visitor@kubepanel.io"] = "198.51.100.1"
		if got, err := blog.Read(cert); err == nil {
			t.Errorf("Read of a forged certificate = %+v", got)
		}
	})
}

// zeros stands for randomness that does not matter here.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

func TestAnAuthorityIsReadWithItsSite(t *testing.T) {
	a := sshd.Authority{Key: newSigner(t).PublicKey(), Site: "xn--bcher-kva.example"}
	line := `cert-authority,principals="` + a.Site + `" ` + string(ssh.MarshalAuthorizedKey(a.Key))
	got := sshd.ParseAuthorities("# ours\n" + line + "\nnonsense\n")
	if len(got) != 1 || got[0].Site != a.Site || !sshd.Holds([]ssh.PublicKey{a.Key}, got[0].Key) {
		t.Errorf("ParseAuthorities(%q) = %v", line, got)
	}
}

func FuzzParseAuthorities(f *testing.F) {
	key := string(ssh.MarshalAuthorizedKey(newSigner(f).PublicKey()))
	f.Add(`cert-authority,principals="a.example" ` + key)
	f.Add(`cert-authority ` + key)
	f.Add(`cert-authority,principals="" ` + key)
	f.Add(`cert-authority,principals="a,b" ` + key)
	f.Add(key)
	f.Fuzz(func(t *testing.T, text string) {
		for _, a := range sshd.ParseAuthorities(text) {
			if a.Site == "" {
				t.Errorf("an authority for every site in %q", text)
			}
		}
	})
}
