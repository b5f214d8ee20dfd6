package authority_test

import (
	"bytes"
	"crypto/x509"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kubepanel.io/kubepanel/internal/authority"
)

const panelName = "kubepanel-panel.kubepanel-system.svc"

// signer is an authority of the platform, as the operator has it.
type signer struct {
	*authority.Authority

	pem []byte
}

func newSigner(t *testing.T) signer {
	t.Helper()
	cert, key, err := authority.New(time.Now())
	must(t, err)
	a, err := authority.Read(cert, key)
	must(t, err)
	return signer{a, cert}
}

// put makes a certificate and writes its files, as the kubelet does with a Secret's.
func (s signer) put(t *testing.T, folder string) *x509.Certificate {
	t.Helper()
	leaf, err := s.Issue(time.Now(), panelName)
	must(t, err)
	cert, key, err := authority.Encode(leaf)
	must(t, err)
	for file, data := range map[string][]byte{"tls.crt": cert, "tls.key": key, "ca.crt": s.pem} {
		must(t, os.WriteFile(filepath.Join(folder, file), data, 0o600))
	}
	return leaf.Leaf
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func trusts(roots *x509.CertPool, leaf *x509.Certificate) bool {
	_, err := leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: panelName})
	return err == nil
}

func TestARenewedCertificateIsTaken(t *testing.T) {
	folder, ours, said := t.TempDir(), newSigner(t), &bytes.Buffer{}
	now := time.Now()
	f := &authority.Files{Folder: folder, Log: slog.New(slog.NewTextHandler(said, nil)), Now: func() time.Time { return now }}
	if shown, roots, err := f.Show(t.Context()); err == nil || shown != nil || roots != nil {
		t.Error("without files something is shown, or somebody trusted")
	}
	shown := func(step string, want *x509.Certificate) {
		t.Helper()
		if got, _, err := f.Show(t.Context()); err != nil || !got.Leaf.Equal(want) {
			t.Errorf("%s: another certificate is shown (%v)", step, err)
		}
	}
	now = now.Add(authority.LookEvery)
	first := ours.put(t, folder)
	shown("it came", first)
	second := ours.put(t, folder)
	shown("renewed, and not looked at yet", first)
	now = now.Add(authority.LookEvery)
	shown("renewed", second)
	must(t, os.WriteFile(filepath.Join(folder, "tls.key"), []byte("half a"), 0o600))
	now = now.Add(authority.LookEvery)
	shown("while the files change", second)
	if !strings.Contains(said.String(), "read the program's certificate") {
		t.Errorf("the log tells nothing of files that can't be read: %s", said)
	}

	// Another authority: its servers and those of the one before are trusted for a while.
	theirs := newSigner(t)
	now = now.Add(authority.LookEvery)
	third := theirs.put(t, folder)
	shown("another authority", third)
	trusted := func(leaf *x509.Certificate) bool {
		_, roots, err := f.Show(t.Context())
		must(t, err)
		return trusts(roots, leaf)
	}
	if !trusted(third) || !trusted(second) {
		t.Error("both authorities must be trusted while servers change theirs")
	}
	now = now.Add(authority.Overlap)
	if !trusted(third) || trusted(second) {
		t.Error("the authority before must not be trusted for good")
	}
}
