package domain

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"golang.org/x/crypto/bcrypt"
	corev1 "k8s.io/api/core/v1"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/desired"
	"kubepanel.io/kubepanel/internal/operator"
)

// plainHash begins the hash of a password that was made up here, which is its SHA-256:
// nobody guesses 160 random bits, however cheap a try is (NIST SP 800-63B section
// 5.1.2.2 asks for no more from 112 on), and bcrypt was a tenth of making a site. The
// toolbox knows it by this too. A password that somebody chose gets bcrypt.
const plainHash = "sha256:"

// keep returns the value under a key, or a new password when there is none.
func keep(data map[string][]byte, key string) string {
	if v := data[key]; len(v) > 0 {
		return string(v)
	}
	return operator.NewPassword()
}

// passwordOverlap is how long two passwords of a database are good. Kubelet brings a
// changed file into a pod within two minutes; what reads it only at its start has to be
// started anew within this time.
const passwordOverlap = 10 * time.Minute

// databasePassword returns what shall open a site's database: what opens it now, or
// another one that was asked for since. While two are good no third is made: the pod
// may have the first of them still.
func databasePassword(live *corev1.Secret, asked string, now time.Time) desired.DatabasePassword {
	p := desired.DatabasePassword{
		Password: string(live.Data[desired.KeyPassword]), Previous: string(live.Data[desired.KeyPrevious]),
		Until: live.Annotations[v1alpha1.AnnotationPreviousUntil], AskedAt: live.Annotations[v1alpha1.AnnotationPasswordAskedAt],
	}
	if until, err := time.Parse(time.RFC3339, p.Until); err != nil || !now.Before(until) {
		p.Previous, p.Until = "", ""
	}
	switch {
	case p.Password == "":
		return desired.DatabasePassword{Password: operator.NewPassword(), AskedAt: asked}
	case asked != "" && asked != p.AskedAt && p.Previous == "":
		return desired.DatabasePassword{
			Password: operator.NewPassword(), Previous: p.Password, Until: now.Add(passwordOverlap).UTC().Format(time.RFC3339), AskedAt: asked,
		}
	}
	return p
}

// completeSFTP makes up what is missing in data; gateway is the public key of the
// platform's gateway, if there is one.
func completeSFTP(data map[string][]byte, gateway []byte) (sftpCredentials, error) {
	c := sftpCredentials{SFTPCredentials: desired.SFTPCredentials{
		Password:     keep(data, desired.KeyPassword),
		PasswordHash: string(data[desired.KeyPasswordHash]),
		PrivateKey:   data[desired.KeyPrivateKey], PublicKey: data[desired.KeyPublicKey],
		HostKey: data[desired.KeyHostKey], HostKeyPublic: data[desired.KeyHostKeyPublic],
		Gateway: gateway,
	}}
	var err error
	if len(data[desired.KeyPassword]) == 0 {
		c.PasswordHash, c.hashed = hashPlainly(c.Password), true
	}
	if len(c.PrivateKey) == 0 || len(c.PublicKey) == 0 {
		if c.PrivateKey, c.PublicKey, err = operator.NewSSHKey(); err != nil {
			return c, err
		}
	}
	if len(c.HostKey) == 0 || len(c.HostKeyPublic) == 0 {
		if c.HostKey, c.HostKeyPublic, err = operator.NewSSHKey(); err != nil {
			return c, err
		}
	}
	if c.PasswordHash == "" {
		err = c.rehash()
	}
	return c, err
}

type sftpCredentials struct {
	desired.SFTPCredentials
	// hashed says that the hash was made from this very password.
	hashed bool
}

func hashPlainly(password string) string {
	sum := sha256.Sum256([]byte(password))
	return plainHash + hex.EncodeToString(sum[:])
}

// rehash makes the hash that of the password, which somebody may have changed.
func (c *sftpCredentials) rehash() error {
	if strings.HasPrefix(c.PasswordHash, plainHash) && c.PasswordHash == hashPlainly(c.Password) ||
		bcrypt.CompareHashAndPassword([]byte(c.PasswordHash), []byte(c.Password)) == nil {
		return nil
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(c.Password), bcrypt.DefaultCost)
	if err != nil {
		return fmt.Errorf("hash the SFTP password: %w", err)
	}
	c.PasswordHash, c.hashed = string(hash), true
	return nil
}
