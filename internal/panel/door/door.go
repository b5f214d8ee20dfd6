// Package door is the panel's way into a site: to its files and its shell, as its own
// toolbox gives them, through the SSH gateway that customers use too. It must never
// decide who may come (hosting does), and reaches nothing by the Kubernetes API.
package door

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/crypto/ssh"

	"kubepanel.io/kubepanel/internal/hosting"
)

const (
	// dialTime is how long the gateway may take, and the site's server behind it.
	dialTime = 15 * time.Second
	// idleTime is how long a connection is kept for the next order.
	idleTime = 20 * time.Second
	// patience is how long an order under way may give no sign of life.
	patience = time.Minute
	// waitTime is how long an order waits for others to end.
	waitTime = 10 * time.Second

	// ordersOfSite is less than the eight channels that a toolbox takes on one connection;
	// ordersOfAccount leaves some to others of the same site.
	ordersOfSite    = 6
	ordersOfAccount = 5
	// terminals bounds what one site's memory, and one account, has to bear.
	terminalsOfSite    = 4
	terminalsOfAccount = 4
)

// Keys are what the way is opened by.
type Keys struct {
	// Own is the panel's; the gateway opens every site to it.
	Own ssh.Signer
	// Gateway is what the gateway has to show.
	Gateway ssh.PublicKey
}

// ReadKeys reads the keys from a folder: key and gateway.
func ReadKeys(dir string) (Keys, error) {
	var keys Keys
	text, err := os.ReadFile(filepath.Join(dir, "key"))
	if err == nil {
		keys.Own, err = ssh.ParsePrivateKey(text)
	}
	if err != nil {
		return keys, fmt.Errorf("read the panel's key: %w", err)
	}
	if text, err = os.ReadFile(filepath.Join(dir, "gateway")); err == nil {
		keys.Gateway, _, _, _, err = ssh.ParseAuthorizedKey(text) //nolint:dogsled // a public key has nothing more
	}
	if err != nil {
		return keys, fmt.Errorf("read the gateway's key: %w", err)
	}
	return keys, nil
}

// Door opens sites. Make one with New.
type Door struct {
	address string
	keys    func() (Keys, error)

	lines          *lines
	sites, people  *turns // orders under way
	shells, seated *turns // terminals that are open
}

// New returns a door through the gateway at an address, host and port. Keys are asked
// for each connection.
func New(address string, keys func() (Keys, error)) *Door {
	d := &Door{
		address: address, keys: keys,
		sites: newTurns(ordersOfSite), people: newTurns(ordersOfAccount),
		shells: newTurns(terminalsOfSite), seated: newTurns(terminalsOfAccount),
	}
	d.lines = &lines{dial: d.dial, open: map[string]*line{}}
	return d
}

// Close ends every connection.
func (d *Door) Close() { d.lines.close() }

// dial signs in to a site's server.
func (d *Door) dial(ctx context.Context, site string) (*ssh.Client, error) {
	keys, err := d.keys()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", d.address)
	if err != nil {
		return nil, fmt.Errorf("reach the gateway: %w", err)
	}
	_ = conn.SetDeadline(time.Now().Add(dialTime))
	c, channels, requests, err := ssh.NewClientConn(conn, d.address, &ssh.ClientConfig{
		User: site, Auth: []ssh.AuthMethod{ssh.PublicKeys(keys.Own)},
		HostKeyCallback: ssh.FixedHostKey(keys.Gateway), HostKeyAlgorithms: []string{keys.Gateway.Type()},
		ClientVersion: "SSH-2.0-kubepanel-panel",
	})
	if err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("sign in at the gateway: %w", err)
	}
	_ = conn.SetDeadline(time.Time{})
	return ssh.NewClient(c, channels, requests), nil
}

// session opens a channel, within the time that a site may take to answer.
func session(client *ssh.Client) (*ssh.Session, error) {
	late := time.AfterFunc(dialTime, func() { _ = client.Close() })
	defer late.Stop()
	return client.NewSession()
}

// busy is the answer when a turn does not come.
func busy(what string) error {
	return &hosting.Error{Code: hosting.Limited, Message: what, Mend: "Wait until one of them has ended, and try again."}
}

// remains reads what somebody who went away would still have been told.
func remains(r io.Reader) { _, _ = io.Copy(io.Discard, r) }

// gone tells the end of a connection from an answer of the other side.
func gone(err error) bool {
	_, refused := errors.AsType[*ssh.OpenChannelError](err)
	return err != nil && !refused
}
