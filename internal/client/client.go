// Package client asks the panel's API: what is generated from its OpenAPI document, and
// what every program has to do beside that. It must never hold what a person sees.
package client

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
)

// prefix is where the API is, below the panel's address.
const prefix = "/api/v1"

// timeout bounds one request: little in the API takes long.
const timeout = 60 * time.Second

// ParseAddress returns a panel's address as it is kept: with a scheme and without a path.
func ParseAddress(text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || (u.Path != "" && u.Path != "/") {
		return "", &hosting.Error{Code: hosting.Invalid, Fields: []hosting.Field{{Name: "url", Message: fmt.Sprintf("%q is not a panel's address; write it like https://panel.example.com.", text)}}}
	}
	return u.Scheme + "://" + u.Host, nil
}

// Open returns a client of the panel at an address. ca is PEM of an authority that it is
// believed by beside the system's; "" for none.
func Open(address, token, ca string) (*ClientWithResponses, error) {
	roots, err := x509.SystemCertPool()
	if err != nil {
		return nil, fmt.Errorf("read the system's authorities: %w", err)
	}
	if ca != "" && !roots.AppendCertsFromPEM([]byte(ca)) {
		return nil, &hosting.Error{Code: hosting.Invalid, Fields: []hosting.Field{{Name: "ca-file", Message: "The file has no certificate in PEM; make it with: kubepanel platform ca."}}}
	}
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}
	return NewClientWithResponses(address+prefix,
		WithHTTPClient(doer{&http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}),
		WithRequestEditorFn(func(_ context.Context, r *http.Request) error {
			r.Header.Set("Authorization", "Bearer "+token)
			return nil
		}))
}

type longKey struct{}

// Long lets a request take as long as it does: a file's content, a log that is followed.
func Long(ctx context.Context) context.Context { return context.WithValue(ctx, longKey{}, true) }

// doer makes a hosting.Error of a panel that does not answer.
type doer struct{ client *http.Client }

// Do implements HttpRequestDoer.
func (d doer) Do(r *http.Request) (*http.Response, error) {
	client := *d.client
	if r.Context().Value(longKey{}) == nil {
		client.Timeout = timeout
	}
	resp, err := client.Do(r)
	if err != nil && r.Context().Err() == nil {
		return nil, &hosting.Error{Code: hosting.Unreachable, Message: "The panel at " + r.URL.Host + " does not answer.", Err: err,
			Mend: "See whether the address is right; a certificate of the platform's own needs: kubepanel login --ca-file."}
	}
	return resp, err
}

// maxProblem bounds a problem document, in octets.
const maxProblem = 1 << 20

// Stream returns the body of an answer that is read as it comes, or the error that it
// tells of.
func Stream(resp *http.Response, err error) (io.ReadCloser, error) {
	if err != nil {
		return nil, err
	}
	if resp.StatusCode < http.StatusMultipleChoices {
		return resp.Body, nil
	}
	defer resp.Body.Close() // it is read
	p := &Problem{}
	if json.NewDecoder(io.LimitReader(resp.Body, maxProblem)).Decode(p) != nil || p.Code == "" {
		p = nil
	}
	return nil, Check(resp.StatusCode, p)
}

// Check returns the error that an answer tells of, nil for an answer that is none.
func Check(status int, p *Problem) error {
	if status < http.StatusMultipleChoices {
		return nil
	}
	if p == nil {
		return &hosting.Error{Code: hosting.Internal, Message: fmt.Sprintf("The panel answered %d %s, which is no answer of its API.", status, http.StatusText(status)),
			Mend: "See whether the address is that of a panel."}
	}
	e := &hosting.Error{Code: hosting.Code(p.Code)}
	if p.Errors != nil {
		for _, f := range *p.Errors {
			field := hosting.Field{Message: f.Message}
			if f.Field != nil {
				field.Name = *f.Field
				if !sentence(f.Message) {
					field.Message = *f.Field + ": " + f.Message
				}
			}
			e.Fields = append(e.Fields, field)
		}
	}
	if p.Detail != nil && (len(e.Fields) == 0 || *p.Detail != (*p.Errors)[0].Message) {
		e.Message = *p.Detail
	}
	if p.Mend != nil {
		e.Mend = *p.Mend
	}
	return e
}

// sentence tells whether a message is one of hosting's, which says itself what it is
// about, and not one of the decoder's.
func sentence(message string) bool { return message != "" && message[0] >= 'A' && message[0] <= 'Z' }
