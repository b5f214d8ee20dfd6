package sshd_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"kubepanel.io/kubepanel/internal/sshd"
)

func TestOnlyPlainKeysAreTaken(t *testing.T) {
	public := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(newSigner(t).PublicKey())))
	tests := map[string]struct {
		text string
		want int
	}{
		"one key":           {text: public + "\n", want: 1},
		"with a comment":    {text: public + " me@home\n# note\n\n", want: 1},
		"two":               {text: public + "\r\n" + public, want: 2},
		"with options":      {text: `from="10.0.0.1" ` + public},
		"no key":            {text: "ssh-ed25519 AAAA"},
		"a private key":     {text: "-----BEGIN OPENSSH PRIVATE KEY-----"},
		"bad among good":    {text: "nonsense\n" + public, want: 1},
		"nothing":           {},
		"cut off in base64": {text: public[:40]},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := sshd.ParseKeys(test.text); len(got) != test.want {
				t.Errorf("ParseKeys(%q) = %d keys, want %d", test.text, len(got), test.want)
			}
		})
	}
}

func FuzzParseKeys(f *testing.F) {
	f.Add("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGPTFbUWbZEhC+nMNcSGkkFGUYBm1LbZFvTFUVlFLiIm a\n")
	f.Add("# comment\n\n command=\"x\" ssh-rsa AAAA")
	f.Fuzz(func(t *testing.T, text string) {
		for _, key := range sshd.ParseKeys(text) {
			again := string(ssh.MarshalAuthorizedKey(key))
			if got := sshd.ParseKeys(again); len(got) != 1 {
				t.Errorf("key %q is not read again", again)
			}
		}
	})
}

func newSigner(t testing.TB) ssh.Signer {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}
