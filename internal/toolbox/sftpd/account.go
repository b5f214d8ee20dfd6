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
)

// Files of a folder of credentials; the names are the Secret's keys.
const (
	fileUsername       = "username"
	filePasswordHash   = "passwordHash"
	fileHostKey        = "hostKey"
	filePublicKey      = "publicKey"
	fileAuthorizedKeys = "authorizedKeys"
)

// Account is who may sign in, and by what.
type Account struct {
	Username     string
	PasswordHash []byte // bcrypt
	Keys         []ssh.PublicKey
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
	if _, err := bcrypt.Cost(a.PasswordHash); err != nil {
		return nil, fmt.Errorf("read the password's hash: %w", err)
	}
	for _, name := range []string{filePublicKey, fileAuthorizedKeys} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read keys: %w", err)
		}
		a.Keys = append(a.Keys, ParseKeys(string(text))...)
	}
	return a, nil
}

// ParseKeys reads keys as in OpenSSH's authorized_keys, one a line. Left out
// are lines that are no key, and keys with options (from=, command=): honouring
// the key without its restriction would let in more than was meant.
func ParseKeys(text string) []ssh.PublicKey {
	var keys []ssh.PublicKey
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		key, _, options, rest, err := ssh.ParseAuthorizedKey([]byte(line))
		if err != nil || len(options) > 0 || len(rest) > 0 {
			continue
		}
		keys = append(keys, key)
	}
	return keys
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
