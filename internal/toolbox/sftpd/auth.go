package sftpd

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"net"

	"golang.org/x/crypto/bcrypt"
	"golang.org/x/crypto/ssh"

	"kubepanel.io/kubepanel/internal/sshd"
)

// errRefused is all that a stranger learns.
var errRefused = errors.New("user or credential not accepted")

// Permission extensions: how someone signed in, for the session's line in the
// log. With a gateway between, remote is whom it vouched for.
const (
	extensionMethod = "method"
	extensionKey    = "key"
	extensionRemote = "remote"
)

// config is what one connection is negotiated with.
func (s *Server) config(ctx context.Context, account *Account, remote net.Addr) (*ssh.ServerConfig, error) {
	if s.HostKey == nil {
		return nil, errors.New("no host key")
	}
	c := &ssh.ServerConfig{
		MaxAuthTries: maxAuthTries,
		PasswordCallback: func(meta ssh.ConnMetadata, password []byte) (*ssh.Permissions, error) {
			return s.password(ctx, account, sshd.Host(remote), meta.User(), password)
		},
		PublicKeyCallback: func(meta ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			if !account.is(meta.User()) {
				return nil, errRefused
			}
			if cert, ok := key.(*ssh.Certificate); ok {
				return s.vouched(ctx, account, cert)
			}
			if !sshd.Holds(account.Keys, key) {
				return nil, errRefused
			}
			return permissions("key", ssh.FingerprintSHA256(key), remote.String()), nil
		},
	}
	c.AddHostKey(s.HostKey)
	return c, nil
}

// vouched lets in whom a gateway vouches for, or asks for the password which the
// gateway can't know.
func (s *Server) vouched(ctx context.Context, account *Account, cert *ssh.Certificate) (*ssh.Permissions, error) {
	for _, gateway := range account.Gateways {
		v, err := gateway.Read(cert)
		switch {
		case err != nil:
			continue
		case v.Key != "":
			return permissions("key", v.Key, v.Visitor), nil
		}
		return nil, &ssh.PartialSuccessError{Next: ssh.ServerAuthCallbacks{
			PasswordCallback: func(meta ssh.ConnMetadata, password []byte) (*ssh.Permissions, error) {
				return s.password(ctx, account, v.Visitor, meta.User(), password)
			},
		}}
	}
	return nil, errRefused
}

func permissions(method, key, remote string) *ssh.Permissions {
	return &ssh.Permissions{Extensions: map[string]string{extensionMethod: method, extensionKey: key, extensionRemote: remote}}
}

// password checks a password. Who failed before waits first, so guessing is
// slow for them, and cheap for the site: a check may cost 60 ms of a core.
func (s *Server) password(ctx context.Context, account *Account, address, user string, password []byte) (*ssh.Permissions, error) {
	done, err := s.throttle.Wait(ctx, address)
	if err != nil {
		return nil, fmt.Errorf("wait for a turn: %w", err)
	}
	// Both are always looked at: the time tells nothing about which was wrong.
	known := account.is(user)
	right := account.hasPassword(password)
	ok := known && right
	done(ok)
	if !ok {
		return nil, errRefused
	}
	return permissions("password", "", address), nil
}

func (a *Account) is(user string) bool {
	return a.Username != "" && subtle.ConstantTimeCompare([]byte(a.Username), []byte(user)) == 1
}

func (a *Account) hasPassword(password []byte) bool {
	if plain, ok := bytes.CutPrefix(a.PasswordHash, []byte(plainHash)); ok {
		sum := sha256.Sum256(password)
		return subtle.ConstantTimeCompare(plain, []byte(hex.EncodeToString(sum[:]))) == 1
	}
	return bcrypt.CompareHashAndPassword(a.PasswordHash, password) == nil
}
