package sshd

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/ssh"
)

// serveOne serves one connection as our servers do.
func serveOne(t *testing.T, raw net.Conn) {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	config := &ssh.ServerConfig{NoClientAuth: true}
	config.AddHostKey(key)
	a := &Acceptor{Limits: Limits{Connections: 1, SignIn: 30 * time.Second, Idle: time.Minute}, Handle: func(_ context.Context, c *Conn) {
		conn, channels, requests, err := Handshake(c, config)
		if err != nil {
			return
		}
		c.SignedIn()
		go ssh.DiscardRequests(requests)
		for channel := range channels {
			_ = channel.Reject(ssh.Prohibited, conn.Conn.(ssh.AlgorithmsConnMetadata).Algorithms().Read.Cipher)
		}
	}}
	a.open, a.signIns = map[*Conn]bool{}, map[string]int{}
	go a.connection(t.Context(), raw, func() {})
}

// loopback is a connection that holds what is written until it is read.
func loopback(t *testing.T) (here, there net.Conn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	if here, err = net.Dial("tcp", listener.Addr().String()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = here.Close() })
	if there, err = listener.Accept(); err != nil {
		t.Fatal(err)
	}
	return here, there
}

func TestTheFastestCipherThatAClientKnowsIsTaken(t *testing.T) {
	const ctr, gcm, gcm256 = ssh.CipherAES128CTR, ssh.CipherAES128GCM, ssh.CipherAES256GCM
	for name, test := range map[string]struct {
		offers []string
		want   string
	}{
		"as OpenSSH offers them": {offers: []string{ssh.CipherChaCha20Poly1305, ctr, ssh.CipherAES256CTR, gcm, gcm256}, want: gcm},
		"its own first":          {offers: []string{gcm256, gcm}, want: gcm256},
		"one alone":              {offers: []string{ctr, gcm256}, want: gcm256},
		"none":                   {offers: []string{ssh.CipherAES256CTR, ctr}, want: ssh.CipherAES256CTR},
		"more than is looked at": {offers: slices.Concat([]string{ctr}, slices.Repeat([]string{ssh.CipherAES192CTR}, maxHello/8), []string{gcm}), want: ctr},
	} {
		t.Run(name, func(t *testing.T) {
			here, there := loopback(t)
			serveOne(t, there)
			conn, _, _, err := ssh.NewClientConn(here, "", &ssh.ClientConfig{
				HostKeyCallback: ssh.InsecureIgnoreHostKey(), Config: ssh.Config{Ciphers: test.offers},
			})
			if err != nil {
				t.Fatal(err)
			}
			_, _, err = conn.OpenChannel("cipher?", nil)
			if refused, ok := errors.AsType[*ssh.OpenChannelError](err); !ok || refused.Message != test.want {
				t.Errorf("the connection has %v, want %s", err, test.want)
			}
		})
	}
}

// Each of the two may wait for the other's words (RFC 4253 section 7).
func TestAClientThatWaitsIsOfferedEverything(t *testing.T) {
	for name, says := range map[string]string{"for our version": "", "for our ciphers": "SSH-2.0-patient\r\n", "with half a packet": "SSH-2.0-patient\r\n\x00\x00\x01\x00"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				conn, there := net.Pipe()
				serveOne(t, there)
				in := bufio.NewReader(conn)
				if line, err := in.ReadString('\n'); err != nil || line != Version+"\r\n" {
					t.Fatalf("it says %q, %v", line, err)
				}
				if says == "" {
					says = "SSH-2.0-patient\r\n"
				}
				if _, err := io.WriteString(conn, says); err != nil {
					t.Fatal(err)
				}
				header := make([]byte, 4)
				if _, err := io.ReadFull(in, header); err != nil {
					t.Fatal(err)
				}
				packet := make([]byte, binary.BigEndian.Uint32(header))
				if _, err := io.ReadFull(in, packet); err != nil {
					t.Fatal(err)
				}
				if !strings.Contains(string(packet), strings.Join(Ciphers(), ",")) {
					t.Errorf("it offers %q", packet)
				}
				_ = conn.Close()
			})
		})
	}
}

func TestWhoOnlyLooksIsToldApart(t *testing.T) {
	for name, says := range map[string]string{"nothing": "", "a version": "SSH-2.0-probe\r\n", "something else": "GET / HTTP/1.1\r\n\r\n"} {
		t.Run(name, func(t *testing.T) {
			here, there := loopback(t)
			if _, err := io.WriteString(here, says); err != nil {
				t.Fatal(err)
			}
			_ = here.(*net.TCPConn).CloseWrite()
			_, _, _, err := Handshake(&Conn{Conn: there, signInEnd: time.Now().Add(time.Minute)}, &ssh.ServerConfig{})
			if left := says == "" || strings.HasPrefix(says, "SSH-"); errors.Is(err, ErrLeft) != left {
				t.Errorf("Handshake = %v, want ErrLeft: %v", err, left)
			}
		})
	}
}

// hello is what a client says first.
func hello(version string, o offer) []byte {
	payload := ssh.Marshal(o)
	packet := binary.BigEndian.AppendUint32([]byte(version), uint32(len(payload)+5))
	return append(append(append(packet, 4), payload...), 0, 0, 0, 0)
}

func FuzzParseHello(f *testing.F) {
	good := hello("SSH-2.0-OpenSSH_9.2p1\r\n", offer{KeyExchange: []string{"curve25519-sha256"}, ToServer: []string{"aes128-ctr", "aes128-gcm@openssh.com"}})
	f.Add(good)
	f.Add(good[:40])
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"))
	f.Add([]byte("SSH-2.0-\n\xff\xff\xff\xff\x00\x14"))
	f.Fuzz(func(t *testing.T, b []byte) {
		o, need := parseHello(b)
		if need != 0 && (need <= len(b) || o != nil) {
			t.Errorf("parseHello(%q) wants %d bytes of %d, and returns %v", b, need, len(b), o)
		}
		// What was enough stays enough.
		if more, _ := parseHello(append(bytes.Clone(b), 1)); o != nil && more == nil {
			t.Errorf("parseHello(%q) knows the offer, and with one byte more doesn't", b)
		}
	})
}

func TestAHelloIsReadHoweverItComes(t *testing.T) {
	whole := hello("SSH-2.0-x\r\n", offer{ToServer: []string{"a"}, ToClient: []string{"b", "c"}})
	for n := range whole {
		if o, need := parseHello(whole[:n]); o != nil || need <= n || need > len(whole) {
			t.Fatalf("parseHello of %d bytes = %v, %d, want more than that and at most %d", n, o, need, len(whole))
		}
	}
	if o, _ := parseHello(whole); o == nil || !slices.Equal(o.ToClient, []string{"b", "c"}) {
		t.Errorf("parseHello = %+v", o)
	}
}
