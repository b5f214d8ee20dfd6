package domain

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"

	"golang.org/x/crypto/bcrypt"
	"golang.org/x/crypto/ssh"

	"kubepanel.io/kubepanel/internal/desired"
	"kubepanel.io/kubepanel/internal/operator"
)

// hashCost is bcrypt's least. A higher one protects weak passwords whose hash
// alone is stolen; ours are random, and the password lies beside its hash.
const hashCost = bcrypt.MinCost

// keep returns the value under a key, or a new password when there is none.
func keep(data map[string][]byte, key string) string {
	if v := data[key]; len(v) > 0 {
		return string(v)
	}
	return operator.NewPassword()
}

// completeSFTP makes up what is missing in data.
func completeSFTP(data map[string][]byte) (sftpCredentials, error) {
	c := sftpCredentials{desired.SFTPCredentials{
		Password:     keep(data, desired.KeyPassword),
		PasswordHash: string(data[desired.KeyPasswordHash]),
		PrivateKey:   data[desired.KeyPrivateKey], PublicKey: data[desired.KeyPublicKey],
		HostKey: data[desired.KeyHostKey], HostKeyPublic: data[desired.KeyHostKeyPublic],
	}}
	var err error
	if len(c.PrivateKey) == 0 || len(c.PublicKey) == 0 {
		if c.PrivateKey, c.PublicKey, err = newKey(); err != nil {
			return c, err
		}
	}
	if len(c.HostKey) == 0 || len(c.HostKeyPublic) == 0 {
		if c.HostKey, c.HostKeyPublic, err = newKey(); err != nil {
			return c, err
		}
	}
	if c.PasswordHash == "" {
		err = c.rehash()
	}
	return c, err
}

type sftpCredentials struct{ desired.SFTPCredentials }

// rehash makes the hash that of the password, which somebody may have changed.
func (c *sftpCredentials) rehash() error {
	if bcrypt.CompareHashAndPassword([]byte(c.PasswordHash), []byte(c.Password)) == nil {
		return nil
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(c.Password), hashCost)
	if err != nil {
		return fmt.Errorf("hash the SFTP password: %w", err)
	}
	c.PasswordHash = string(hash)
	return nil
}

// newKey returns an Ed25519 key in OpenSSH's format and its public line.
func newKey() (private, public []byte, err error) {
	pub, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("make a key: %w", err)
	}
	block, err := ssh.MarshalPrivateKey(priv, "kubepanel")
	if err != nil {
		return nil, nil, fmt.Errorf("encode a key: %w", err)
	}
	line, err := ssh.NewPublicKey(pub)
	if err != nil {
		return nil, nil, fmt.Errorf("encode a public key: %w", err)
	}
	return pem.EncodeToMemory(block), ssh.MarshalAuthorizedKey(line), nil
}
