package sftpd_test

import (
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"kubepanel.io/kubepanel/internal/toolbox/sftpd"
)

func TestOnlyPlainKeysAreTaken(t *testing.T) {
	public, _ := newKey(t)
	public = strings.TrimSpace(public)
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
			if got := sftpd.ParseKeys(test.text); len(got) != test.want {
				t.Errorf("ParseKeys(%q) = %d keys, want %d", test.text, len(got), test.want)
			}
		})
	}
}

func FuzzParseKeys(f *testing.F) {
	f.Add("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGPTFbUWbZEhC+nMNcSGkkFGUYBm1LbZFvTFUVlFLiIm a\n")
	f.Add("# comment\n\n command=\"x\" ssh-rsa AAAA")
	f.Fuzz(func(t *testing.T, text string) {
		for _, key := range sftpd.ParseKeys(text) {
			again := string(ssh.MarshalAuthorizedKey(key))
			if got := sftpd.ParseKeys(again); len(got) != 1 {
				t.Errorf("key %q is not read again", again)
			}
		}
	})
}

func TestASecretThatIsIncompleteIsRefusedWithItsCause(t *testing.T) {
	for missing, want := range map[string]string{"username": "who may sign in", "passwordHash": "password's hash"} {
		s := start(t)
		s.write(s.secrets, missing, " \n")
		if _, err := sftpd.ReadAccount(s.secrets); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ReadAccount without %s = %v, want %q", missing, err, want)
		}
	}
}
