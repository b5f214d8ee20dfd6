// Package webhook sends what hosting has for the addresses of accounts: signed as
// Standard Webhooks has it, and to nowhere inside. It must never hold when something is
// sent again, which is hosting's, or read what an address answers beyond its status.
package webhook

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"code.dny.dev/ssrf"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"kubepanel.io/kubepanel/internal/hosting"
)

const (
	// tryTimeout bounds one try, as Standard Webhooks proposes (15 to 30 s); the lease of
	// a message is longer.
	tryTimeout  = 20 * time.Second
	dialTimeout = 10 * time.Second
	// maxAnswer is what is read of an answer, so that its connection can be used again.
	maxAnswer = 4 << 10
)

// Options say what is sent, and where it may go.
type Options struct {
	Rules *hosting.Provider
	// Deny are ranges beside all that is not public; Allow are ranges that may be reached
	// although they are not.
	Allow, Deny []netip.Prefix
	// Roots are the authorities that addresses are believed by; nil for the system's.
	Roots *x509.CertPool
	Log   *slog.Logger
}

// Sender sends messages.
type Sender struct {
	Options

	client *http.Client
}

// New prepares a sender.
func New(o Options) *Sender { return &Sender{Options: o, client: Client(o.Allow, o.Deny, o.Roots)} }

// Client reaches addresses that strangers chose: what is public or in allow, and not in
// deny. Addresses are believed by roots; nil for the system's authorities.
func Client(allow, deny []netip.Prefix, roots *x509.CertPool) *http.Client {
	allow4, allow6 := families(allow)
	deny4, deny6 := families(deny)
	guard := ssrf.New(ssrf.WithAnyPort(),
		ssrf.WithAllowedV4Prefixes(allow4...), ssrf.WithAllowedV6Prefixes(allow6...),
		ssrf.WithDeniedV4Prefixes(deny4...), ssrf.WithDeniedV6Prefixes(deny6...))
	// The address is looked at when the connection is made, after names were resolved: what
	// a name led to before counts for nothing.
	dialer := &net.Dialer{Timeout: dialTimeout, Control: guard.Safe}
	return &http.Client{
		Timeout: tryTimeout,
		Transport: &http.Transport{
			Proxy:       nil, // a proxy's address would be looked at in place of the real one
			DialContext: dialer.DialContext, TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout: dialTimeout, ResponseHeaderTimeout: tryTimeout, MaxResponseHeaderBytes: 16 << 10,
			MaxIdleConns: 100, IdleConnTimeout: time.Minute, ForceAttemptHTTP2: true,
		},
		// An address that moved has to be changed by its owner.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Private are the ranges that are not public and lead to programs all the same: this
// computer, private networks and what providers share (RFC 1918, 4193, 6598). Addresses of
// the link, where clouds hand out a machine's credentials, are not among them.
func Private() []netip.Prefix {
	var all []netip.Prefix
	for _, text := range []string{"127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "::1/128", "fc00::/7"} {
		all = append(all, netip.MustParsePrefix(text))
	}
	return all
}

func families(all []netip.Prefix) (v4, v6 []netip.Prefix) {
	for _, p := range all {
		if p.Addr().Is4() {
			v4 = append(v4, p)
		} else {
			v6 = append(v6, p)
		}
	}
	return v4, v6
}

// Turn sends everything that is due, once. Any number of panels may: hosting gives each
// message to one.
func (s *Sender) Turn(ctx context.Context) error {
	if err := s.Rules.Announce(ctx); err != nil {
		return fmt.Errorf("look for news: %w", err)
	}
	parcels, err := s.Rules.Parcels(ctx)
	if err != nil {
		return fmt.Errorf("take messages: %w", err)
	}
	var (
		all  sync.WaitGroup
		mu   sync.Mutex
		errs error
	)
	for _, p := range parcels {
		all.Go(func() {
			status, said := s.send(ctx, p)
			if err := s.Rules.Sent(context.WithoutCancel(ctx), p.Delivery, status, said); err != nil {
				mu.Lock()
				defer mu.Unlock()
				errs = errors.Join(errs, err)
			}
		})
	}
	all.Wait()
	return errs
}

// send tries once. It returns the status that was answered, 0 for none, and why it
// failed, in words that the webhook's owner may read: where the panel's network ends is
// not among them.
func (s *Sender) send(ctx context.Context, p hosting.Parcel) (status int, said string) {
	req, err := s.request(ctx, p)
	if err != nil {
		return 0, "The message could not be written."
	}
	resp, err := s.client.Do(req)
	switch {
	case errors.Is(err, ssrf.ErrProhibitedIP):
		return 0, "The address leads to a network that the provider does not allow."
	case errors.Is(err, context.DeadlineExceeded):
		return 0, "The address did not answer in time."
	case err != nil:
		var unknown x509.UnknownAuthorityError
		var name x509.HostnameError
		if errors.As(err, &unknown) || errors.As(err, &name) {
			return 0, "The address has no certificate that is valid for it."
		}
		return 0, "The address could not be reached."
	}
	defer resp.Body.Close()                                   // it is read as far as it counts
	io.Copy(io.Discard, io.LimitReader(resp.Body, maxAnswer)) //nolint:errcheck // what it says counts for nothing
	return resp.StatusCode, "The address answered " + http.StatusText(resp.StatusCode) + "."
}

func (s *Sender) request(ctx context.Context, p hosting.Parcel) (*http.Request, error) {
	key, err := standardwebhooks.NewWebhookRaw(p.Secret)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	signature, err := key.Sign(string(p.Delivery.ID), now, p.Delivery.Body)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.URL, bytes.NewReader(p.Delivery.Body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "Kubepanel-Webhook")
	req.Header.Set(standardwebhooks.HeaderWebhookID, string(p.Delivery.ID))
	req.Header.Set(standardwebhooks.HeaderWebhookTimestamp, fmt.Sprint(now.Unix()))
	req.Header.Set(standardwebhooks.HeaderWebhookSignature, signature)
	return req, nil
}
