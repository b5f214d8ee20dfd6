package sftpd

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net"

	"golang.org/x/crypto/bcrypt"
	"golang.org/x/crypto/ssh"
)

// errRefused is all that a stranger learns.
var errRefused = errors.New("user or credential not accepted")

// Permission extensions: how someone signed in, for the session's line in the log.
const (
	extensionMethod = "method"
	extensionKey    = "key"
)

// ciphers leave ChaCha20 out although it is sound: OpenSSH's client would choose
// it before AES, which has its own instructions in every server's processor and
// is twenty times faster in this library. CTR is for clients without GCM.
var ciphers = []string{ssh.CipherAES128GCM, ssh.CipherAES256GCM, ssh.CipherAES128CTR, ssh.CipherAES256CTR}

// config is what one connection is negotiated with.
func (s *Server) config(ctx context.Context, account *Account, remote net.Addr) (*ssh.ServerConfig, error) {
	address := host(remote)
	c := &ssh.ServerConfig{
		MaxAuthTries:  maxAuthTries,
		ServerVersion: "SSH-2.0-Kubepanel",
		PasswordCallback: func(meta ssh.ConnMetadata, password []byte) (*ssh.Permissions, error) {
			return s.password(ctx, account, address, meta.User(), password)
		},
		PublicKeyCallback: func(meta ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			if !account.is(meta.User()) || !account.accepts(key) {
				return nil, errRefused
			}
			return &ssh.Permissions{Extensions: map[string]string{extensionMethod: "key", extensionKey: ssh.FingerprintSHA256(key)}}, nil
		},
	}
	c.Ciphers = ciphers
	if s.HostKey == nil {
		return nil, errors.New("no host key")
	}
	c.AddHostKey(s.HostKey)
	return c, nil
}

// password checks a password. Who failed before waits first, so guessing is
// slow for them, and cheap for the site: a check costs 60 ms of a core.
func (s *Server) password(ctx context.Context, account *Account, address, user string, password []byte) (*ssh.Permissions, error) {
	done, err := s.throttle.wait(ctx, address)
	if err != nil {
		return nil, fmt.Errorf("wait for a turn: %w", err)
	}
	// Both are always looked at: the time tells nothing about which was wrong.
	known := account.is(user)
	right := bcrypt.CompareHashAndPassword(account.PasswordHash, password) == nil
	ok := known && right
	done(ok)
	if !ok {
		return nil, errRefused
	}
	return &ssh.Permissions{Extensions: map[string]string{extensionMethod: "password"}}, nil
}

func (a *Account) is(user string) bool {
	return a.Username != "" && subtle.ConstantTimeCompare([]byte(a.Username), []byte(user)) == 1
}

func (a *Account) accepts(key ssh.PublicKey) bool {
	offered := key.Marshal()
	ok := false
	for _, k := range a.Keys {
		ok = subtle.ConstantTimeCompare(k.Marshal(), offered) == 1 || ok
	}
	return ok
}

// host is the address without the port. Behind a NodePort it may be the node's.
func host(a net.Addr) string {
	h, _, err := net.SplitHostPort(a.String())
	if err != nil {
		return a.String()
	}
	return h
}
