package domain

import (
	"fmt"

	"golang.org/x/crypto/bcrypt"

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

// rehash makes the hash that of the password, which somebody may have changed.
func (c *sftpCredentials) rehash() error {
	if bcrypt.CompareHashAndPassword([]byte(c.PasswordHash), []byte(c.Password)) == nil {
		return nil
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(c.Password), hashCost)
	if err != nil {
		return fmt.Errorf("hash the SFTP password: %w", err)
	}
	c.PasswordHash, c.hashed = string(hash), true
	return nil
}
