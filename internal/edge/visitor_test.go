package edge_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// visitor is a client whose every name leads to the edge. It follows no redirect.
func (s *stage) visitor() *http.Client {
	transport := &http.Transport{
		ForceAttemptHTTP2:   true,
		MaxIdleConnsPerHost: 16,
		TLSClientConfig:     &tls.Config{RootCAs: s.root},
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			to := s.config.HTTPListen
			if strings.HasSuffix(address, ":443") {
				to = s.config.HTTPSListen
			}
			return (&net.Dialer{}).DialContext(ctx, network, to)
		},
	}
	s.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{
		Transport:     transport,
		Timeout:       20 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// answer is a response with its body read.
type answer struct {
	*http.Response
	body string
}

// get asks for url and ends the test when there is no answer. Headers are
// written "Name: value".
func (s *stage) get(client *http.Client, url string, headers ...string) answer {
	s.t.Helper()
	a, err := fetch(client, url, headers...)
	if err != nil {
		s.t.Fatalf("get %s: %v", url, err)
	}
	return a
}

func fetch(client *http.Client, url string, headers ...string) (answer, error) {
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return answer{}, err
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Add(name, value)
	}
	res, err := client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return answer{res, string(body)}, err
}

// served waits until host answers with status over HTTPS.
func (s *stage) served(host string, status int) {
	s.t.Helper()
	client := s.visitor()
	s.eventually(fmt.Sprintf("https://%s answers %d", host, status), func() bool {
		a, err := fetch(client, "https://"+host+"/")
		return err == nil && a.StatusCode == status
	})
}
