package sshd

import (
	"crypto/subtle"
	"net"
	"strings"

	"golang.org/x/crypto/ssh"
)

// ParseKeys reads keys as in OpenSSH's authorized_keys, one a line. Left out
// are lines that are no key, and keys with options (from=, command=): honouring
// the key without its restriction would let in more than was meant.
func ParseKeys(text string) []ssh.PublicKey {
	var keys []ssh.PublicKey
	for line := range strings.Lines(text) {
		if key, options, ok := parseLine(line); ok && len(options) == 0 {
			keys = append(keys, key)
		}
	}
	return keys
}

func parseLine(line string) (key ssh.PublicKey, options []string, ok bool) {
	line = strings.TrimSpace(line)
	if line == "" || strings.HasPrefix(line, "#") {
		return nil, nil, false
	}
	key, _, options, rest, err := ssh.ParseAuthorizedKey([]byte(line))
	return key, options, err == nil && len(rest) == 0
}

// Holds tells whether a key is among those, in the same time whichever it is.
func Holds(keys []ssh.PublicKey, key ssh.PublicKey) bool {
	offered, found := key.Marshal(), false
	for _, k := range keys {
		found = subtle.ConstantTimeCompare(k.Marshal(), offered) == 1 || found
	}
	return found
}

// Host is an address without its port.
func Host(a net.Addr) string {
	h, _, err := net.SplitHostPort(a.String())
	if err != nil {
		return a.String()
	}
	return h
}
