package gateway

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"github.com/pires/go-proxyproto"
	"golang.org/x/crypto/ssh"

	"kubepanel.io/kubepanel/internal/sshd"
)

const (
	// maxAuthTries leaves room for an agent that offers all its keys first.
	maxAuthTries = 8
	// dialTime is how long a site's server may take to answer, its own wait after
	// wrong passwords (4 s) included.
	dialTime = 15 * time.Second
	// headerTime is how long a proxy in front may take to say who comes.
	headerTime = 5 * time.Second
)

// limits of the gateway: each connection takes about 200 kB, and while much moves
// through it 2 MB more.
func limits() sshd.Limits {
	return sshd.Limits{
		Connections: 2000, SignIns: 256, SignInsOfOne: 16, SignIn: 30 * time.Second,
		// The site's own server ends who is silent; this is for what it has not noticed.
		Idle: 16 * time.Minute,
		// Less than the pod's grace period of 35 s.
		Drain: 30 * time.Second,
	}
}

// Keys are the gateway's own.
type Keys struct {
	// Host proves to visitors that this is the gateway.
	Host ssh.Signer
	// Authority signs what it says of visitors to sites.
	Authority ssh.Signer
	// Panel may come to every site, by its domain name; nil when there is no panel.
	Panel ssh.PublicKey
}

// Gateway serves visitors of all sites. Its fields are set once, before Serve.
type Gateway struct {
	Sites *Directory
	// Keys is asked for every connection.
	Keys func() (Keys, error)
	// Trusted are proxies that may name the visitor's address (PROXY protocol).
	Trusted []netip.Prefix
	Metrics *Metrics
	Log     *slog.Logger

	addresses, accounts sshd.Throttle
}

// Serve accepts connections until ctx ends, then lets transfers finish for a
// while. It closes the listener.
func (g *Gateway) Serve(ctx context.Context, listener net.Listener) error {
	if len(g.Trusted) > 0 {
		listener = &proxyproto.Listener{Listener: listener, ConnPolicy: g.trust, ReadHeaderTimeout: headerTime}
	}
	acceptor := &sshd.Acceptor{Limits: limits(), Handle: g.connection}
	return acceptor.Serve(ctx, listener)
}

// trust believes the proxies of the settings, and takes everybody else for the
// visitor himself.
func (g *Gateway) trust(o proxyproto.ConnPolicyOptions) (proxyproto.Policy, error) {
	if tcp, ok := o.Upstream.(*net.TCPAddr); ok {
		address := tcp.AddrPort().Addr().Unmap()
		for _, p := range g.Trusted {
			if p.Contains(address) {
				return proxyproto.USE, nil
			}
		}
	}
	return proxyproto.SKIP, nil
}

// connection serves one visitor.
func (g *Gateway) connection(ctx context.Context, c *sshd.Conn) {
	v := &visit{gateway: g, address: sshd.Host(c.RemoteAddr())}
	defer v.close()
	conn, channels, requests, err := v.handshake(ctx, c)
	if errors.Is(err, sshd.ErrLeft) {
		return // the operator and load balancers look whether somebody is here
	}
	if err != nil {
		g.Log.Info("sign-in refused", "remote", v.address, "site", v.wanted, "cause", err.Error())
		return
	}
	c.SignedIn()
	if err := v.connect(ctx, conn.User()); err != nil {
		g.Log.Warn("site can't be reached", "site", v.site.Domain, "cause", err.Error())
		refuse(channels, requests, "The server of "+v.site.Domain+" does not answer; try again in a minute.")
		return
	}
	g.Metrics.enter()
	defer g.Metrics.leave()
	g.Log.Info("session begins", "site", v.site.Domain, "remote", v.address, "method", v.method())
	forward(conn, v.upstream, channels, requests)
	g.Log.Info("session ended", "site", v.site.Domain, "remote", v.address)
}

// ReadKeys reads the gateway's keys from the files of a Secret, and the panel's
// public one where there is a panel.
func ReadKeys(read func(name string) ([]byte, error)) (Keys, error) {
	var keys Keys
	for name, key := range map[string]*ssh.Signer{"hostKey": &keys.Host, "authority": &keys.Authority} {
		text, err := read(name)
		if err != nil {
			return Keys{}, fmt.Errorf("read the gateway's %s: %w", name, err)
		}
		if *key, err = ssh.ParsePrivateKey(text); err != nil {
			return Keys{}, fmt.Errorf("read the gateway's %s: %w", name, err)
		}
	}
	text, err := read("panel")
	if errors.Is(err, fs.ErrNotExist) {
		return keys, nil
	}
	if err != nil {
		return Keys{}, fmt.Errorf("read the panel's key: %w", err)
	}
	if panel := sshd.ParseKeys(string(text)); len(panel) == 1 {
		keys.Panel = panel[0]
	}
	return keys, nil
}

// errRefused is all that a stranger learns.
var errRefused = errors.New("user or credential not accepted")
