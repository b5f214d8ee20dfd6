package sftpd

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/bcrypt"
	"golang.org/x/crypto/ssh"

	"kubepanel.io/kubepanel/internal/sshd"
)

// Files of a folder of credentials; the names are the Secret's keys.
const (
	fileUsername       = "username"
	filePasswordHash   = "passwordHash"
	fileHostKey        = "hostKey"
	filePublicKey      = "publicKey"
	fileAuthorizedKeys = "authorizedKeys"
	// fileGateway has the keys by which a gateway vouches for visitors, as lines of
	// authorized_keys with cert-authority and the site as the principal.
	fileGateway = "gateway"
)

// plainHash begins the hash of a password that the operator made up from 160 random
// bits: what follows is its SHA-256 in hexadecimal digits.
const plainHash = "sha256:"

// Account is who may sign in, and by what.
type Account struct {
	Username     string
	PasswordHash []byte // bcrypt, or plainHash
	Keys         []ssh.PublicKey
	// Gateways may vouch for who comes.
	Gateways []sshd.Authority
}

// ReadAccount reads the account from a folder. It is cheap enough to be asked
// for each connection, so a changed Secret counts at once.
func ReadAccount(dir string) (*Account, error) {
	username, err := os.ReadFile(filepath.Join(dir, fileUsername))
	if err != nil {
		return nil, fmt.Errorf("read who may sign in: %w", err)
	}
	hash, err := os.ReadFile(filepath.Join(dir, filePasswordHash))
	if err != nil {
		return nil, fmt.Errorf("read the password's hash: %w", err)
	}
	a := &Account{Username: strings.TrimSpace(string(username)), PasswordHash: bytes.TrimSpace(hash)}
	if a.Username == "" {
		return nil, fmt.Errorf("read who may sign in: %s is empty", fileUsername)
	}
	if _, err := bcrypt.Cost(a.PasswordHash); err != nil && !bytes.HasPrefix(a.PasswordHash, []byte(plainHash)) {
		return nil, fmt.Errorf("read the password's hash: %w", err)
	}
	keys := ""
	for _, name := range []string{filePublicKey, fileAuthorizedKeys} {
		text, err := readOptional(dir, name)
		if err != nil {
			return nil, err
		}
		keys += text + "\n"
	}
	a.Keys = sshd.ParseKeys(keys)
	gateways, err := readOptional(dir, fileGateway)
	a.Gateways = sshd.ParseAuthorities(gateways)
	return a, err
}

func readOptional(dir, name string) (string, error) {
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read keys: %w", err)
	}
	return string(text), nil
}

// ReadHostKey reads the server's private key from the same folder.
func ReadHostKey(dir string) (ssh.Signer, error) {
	text, err := os.ReadFile(filepath.Join(dir, fileHostKey))
	if err != nil {
		return nil, fmt.Errorf("read the host key: %w", err)
	}
	key, err := ssh.ParsePrivateKey(text)
	if err != nil {
		return nil, fmt.Errorf("read the host key: %w", err)
	}
	return key, nil
}
