package openid

import (
	"context"
	"encoding/base64"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/auth"
)

// Step is where a browser goes on to.
type Step struct {
	// To is the application's address, with a code or with why there is none. Empty: first
	// somebody has to sign in, and comes back with Next; Again: although somebody is
	// signed in.
	To    string
	Next  string
	Again bool
	// Asks names a public application, of which nobody can know that it is the one that
	// asks: the person has to agree (RFC 8252 section 8.6).
	Asks string
}

// asked is what an application sent a browser with.
type asked struct {
	app      *hosting.Application
	redirect *url.URL
	in       url.Values
}

// Authorize sends who is signed in back to an application with a code, or says what has
// to be done first. Its errors are for the person who sits there: nobody is sent to an
// address that isn't the application's (RFC 6749 section 4.1.2.1).
func (p *Provider) Authorize(ctx context.Context, a hosting.Actor, in url.Values) (*Step, error) {
	q, err := p.read(ctx, in)
	if err != nil {
		return nil, err
	}
	if no := q.refused(); no != nil {
		return p.back(q, no.values()), nil
	}
	quiet := slices.Contains(strings.Fields(in.Get("prompt")), "none")
	if step := p.first(ctx, a, q); step != nil {
		if quiet {
			return p.back(q, fault{"login_required", "Nobody is signed in, or not lately enough."}.values()), nil
		}
		return step, nil
	}
	if quiet && q.app.Public {
		return p.back(q, fault{"interaction_required", "The person has to agree."}.values()), nil
	}
	if err := mayEnter(a, q.app); err != nil {
		if quiet {
			return p.back(q, fault{"access_denied", err.Error()}.values()), nil
		}
		return nil, err
	}
	code, err := p.admit(ctx, a, q)
	if err != nil {
		return nil, err
	}
	step := p.back(q, url.Values{"code": {code}})
	if q.app.Public {
		step.Asks = q.app.Name
	}
	return step, nil
}

// read finds out which application it is, and that the address is its own.
func (p *Provider) read(ctx context.Context, in url.Values) (*asked, error) {
	if !single(in) {
		return nil, &hosting.Error{Code: hosting.Invalid, Message: "The application says something twice.", Mend: "Tell who runs it."}
	}
	app, err := p.store.Application(ctx, hosting.ID(in.Get("client_id")))
	if err != nil && hosting.CodeOf(err) == hosting.NotFound {
		return nil, &hosting.Error{Code: hosting.Invalid, Message: "This panel knows no such application.", Mend: "Who runs it can compare its client ID with the panel's page of applications."}
	}
	if err != nil {
		return nil, err
	}
	to := in.Get("redirect_uri")
	redirect, err := url.Parse(to)
	if err != nil || !app.Returns(to) {
		return nil, &hosting.Error{Code: hosting.Invalid, Message: app.Name + " sends people to an address that is not its own.", Mend: "Who runs it can compare its redirect address with the panel's page of applications, letter by letter."}
	}
	return &asked{app, redirect, in}, nil
}

// refused returns what an application is told that asks for what isn't there.
func (q *asked) refused() *fault {
	challenge, err := base64.RawURLEncoding.DecodeString(q.in.Get("code_challenge"))
	scopes := strings.Fields(q.in.Get("scope"))
	switch {
	case q.in.Has("request"):
		return &fault{"request_not_supported", "Send the parameters themselves."}
	case q.in.Has("request_uri"):
		return &fault{"request_uri_not_supported", "Send the parameters themselves."}
	case q.in.Get("response_type") != "code":
		return &fault{"unsupported_response_type", "response_type must be code."}
	case q.in.Get("response_mode") != "" && q.in.Get("response_mode") != "query":
		return &fault{"invalid_request", "response_mode must be query."}
	case !slices.Contains(scopes, "openid"):
		return &fault{"invalid_scope", "scope must contain openid."}
	case q.in.Get("code_challenge_method") != "S256" || err != nil || len(challenge) != 32:
		return &fault{"invalid_request", "PKCE is needed: code_challenge with code_challenge_method=S256 (RFC 7636)."}
	case len(q.in.Encode()) > maxQuery:
		return &fault{"invalid_request", "The request is too long."}
	}
	return nil
}

// first returns how somebody has to sign in before; nil when nothing has to be done.
func (p *Provider) first(ctx context.Context, a hosting.Actor, q *asked) *Step {
	if a.ID == "" {
		return &Step{Next: PathAuthorize + "?" + q.in.Encode()}
	}
	at, _ := p.Doors.Proof(ctx)
	age, err := strconv.ParseInt(q.in.Get("max_age"), 10, 32)
	prompted := slices.Contains(strings.Fields(q.in.Get("prompt")), "login") || err == nil && age == 0
	if !prompted && (err != nil || p.now().Sub(at) <= time.Duration(age)*time.Second) {
		return nil
	}
	next := url.Values{}
	for name, values := range q.in {
		next[name] = values
	}
	if prompted { // once, not again and again
		next.Del("prompt")
		next.Del("max_age")
	}
	return &Step{Next: PathAuthorize + "?" + next.Encode(), Again: true}
}

// admit makes a pass, and returns its code.
func (p *Provider) admit(ctx context.Context, a hosting.Actor, q *asked) (string, error) {
	session := auth.SessionOf(ctx)
	if session == "" {
		return "", &hosting.Error{Code: hosting.Forbidden, Message: "Only a person in a browser signs in to an application."}
	}
	at, factor := p.Doors.Proof(ctx)
	code, now := hosting.NewSecret(), p.now()
	scopes := slices.DeleteFunc(strings.Fields(q.in.Get("scope")), func(s string) bool { return !slices.Contains(scopes(), s) })
	slices.Sort(scopes)
	pass := &hosting.Pass{
		ID: hosting.NewID(), Application: q.app.ID, User: a.ID, Session: session, CodeHash: hosting.SecretHash(code),
		Redirect: q.in.Get("redirect_uri"), Challenge: q.in.Get("code_challenge"), Nonce: q.in.Get("nonce"), Scopes: slices.Compact(scopes),
		Factor: factor, ProvenAt: at, CreatedAt: now, ExpiresAt: now.Add(codeLife),
	}
	return code, p.store.Write(ctx, func(tx hosting.Tx) error {
		if err := tx.InsertPass(ctx, pass); err != nil {
			return err
		}
		return hosting.Record(ctx, tx, a, now, hosting.Deed{Did: "application.sign-in", Object: q.app.Called(), On: hosting.Object{Owner: a.ID, Reseller: a.Reseller}})
	})
}

// back leads to the application with an answer, which names the provider so that none
// can answer for another (RFC 9207).
func (p *Provider) back(q *asked, answer url.Values) *Step {
	answer.Set("iss", p.Issuer())
	if state := q.in.Get("state"); state != "" {
		answer.Set("state", state)
	}
	to := *q.redirect
	query := to.Query()
	for name, values := range answer {
		query[name] = values
	}
	to.RawQuery = query.Encode()
	return &Step{To: to.String()}
}
