package lab

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

// visitorLimit ends a request that hangs; sites answer within a second.
const visitorLimit = 20 * time.Second

// maxPage is more than any page of ours; what is longer is a mistake.
const maxPage = 8 << 20

// visitor is somebody at this computer who trusts the platform's CA and nobody
// else, and follows no redirect by himself.
type visitor struct {
	http *http.Client
	// connections is what http rides on, for those who want to change the way.
	connections *http.Transport
}

// page is what a visitor got.
type page struct {
	status int
	header http.Header
	body   string
}

// newVisitor makes a visitor who comes from an address of the loopback range,
// which tells him from all others. Every name leads to the forwarder, as
// *.localhost does for a browser.
func (c *cluster) newVisitor(t testing.TB, from string) visitor {
	t.Helper()
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(c.ca) {
		t.Fatalf("'kubepanel platform ca' printed no certificate:\n%s", c.ca)
	}
	dialer := net.Dialer{Timeout: visitorLimit, LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	transport := &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			_, port, err := net.SplitHostPort(address)
			if err != nil {
				return nil, err
			}
			return dialer.DialContext(ctx, network, net.JoinHostPort("127.0.0.1", port))
		},
		TLSClientConfig:     &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		MaxIdleConnsPerHost: 64,
	}
	t.Cleanup(transport.CloseIdleConnections)
	return visitor{connections: transport, http: &http.Client{
		Transport:     transport,
		Timeout:       visitorLimit,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// get asks for a page.
func (v visitor) get(ctx context.Context, url string) (page, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return page{}, err
	}
	return v.do(request)
}

func (v visitor) do(request *http.Request) (page, error) {
	response, err := v.http.Do(request)
	if err != nil {
		return page{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxPage))
	if err != nil {
		return page{}, fmt.Errorf("read %s: %w", request.URL, err)
	}
	return page{status: response.StatusCode, header: response.Header, body: string(body)}, nil
}

// must asks for a page that has to be there.
func (v visitor) must(t testing.TB, url string) page {
	t.Helper()
	got, err := v.get(t.Context(), url)
	if err != nil {
		t.Fatalf("get %s: %v", url, err)
	}
	if got.status != http.StatusOK {
		t.Fatalf("get %s = %d, want 200: %.500s", url, got.status, got.body)
	}
	return got
}
