package sshd

import (
	"bytes"
	"encoding/binary"
	"slices"

	"golang.org/x/crypto/ssh"
)

// Ciphers leave ChaCha20 out although it is sound: OpenSSH's client would choose
// it before AES, which has its own instructions in every server's processor and
// is twenty times faster in this library. CTR is for clients without GCM.
func Ciphers() []string {
	return []string{ssh.CipherAES128GCM, ssh.CipherAES256GCM, ssh.CipherAES128CTR, ssh.CipherAES256CTR}
}

// fastest returns those of an offer that are fastest, none when it has none of
// them for both directions.
func fastest(o *offer) []string {
	if o == nil {
		return nil
	}
	return slices.DeleteFunc([]string{ssh.CipherAES128GCM, ssh.CipherAES256GCM}, func(name string) bool {
		return !slices.Contains(o.ToServer, name) || !slices.Contains(o.ToClient, name)
	})
}

// offer is the beginning of SSH_MSG_KEXINIT (RFC 4253 section 7.1).
type offer struct {
	Cookie             [16]byte `sshtype:"20"`
	KeyExchange        []string
	HostKeys           []string
	ToServer, ToClient []string // ciphers
	Rest               []byte   `ssh:"rest"`
}

// maxVersion is the longest line with a version (RFC 4253 section 4.2).
const maxVersion = 255

// parseHello reads a client's first words: a line with its version, and a packet
// with what it offers (RFC 4253 sections 4.2 and 6). When there is more to come
// it returns how many bytes are needed to go on, and 0 for what is no SSH.
func parseHello(b []byte) (o *offer, need int) {
	end := bytes.IndexByte(b, '\n') + 1
	switch {
	case end == 0 && len(b) < maxVersion:
		return nil, len(b) + 1
	case end == 0 || end > maxVersion || !bytes.HasPrefix(b, []byte("SSH-")):
		return nil, 0
	case len(b) < end+5:
		return nil, end + 5
	}
	packet := b[end:]
	length, padding := binary.BigEndian.Uint32(packet), uint32(packet[4])
	if length > maxHello || length < padding+2 {
		return nil, 0
	}
	if whole := end + 4 + int(length); len(b) < whole {
		return nil, whole
	}
	o = &offer{}
	if ssh.Unmarshal(packet[5:4+length-padding], o) != nil {
		return nil, 0
	}
	return o, 0
}
