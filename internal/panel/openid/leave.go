package openid

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"

	"github.com/go-jose/go-jose/v4"

	"kubepanel.io/kubepanel/internal/hosting"
)

// Leave tells where a browser goes that an application signs out of the panel (OpenID
// Connect RP-Initiated Logout). sure: the application showed that it is about who is
// signed in here; otherwise that person is asked first, since anybody can make such a
// link.
func (p *Provider) Leave(ctx context.Context, a hosting.Actor, in url.Values) (to string, sure bool, err error) {
	if !single(in) {
		return "", false, &hosting.Error{Code: hosting.Invalid, Message: "The application says something twice.", Mend: "Tell who runs it."}
	}
	id, subject := hosting.ID(in.Get("client_id")), ""
	if hint := in.Get("id_token_hint"); hint != "" {
		said, err := p.recognise(ctx, hint)
		if err != nil {
			return "", false, err
		}
		if said != nil && (id == "" || id == hosting.ID(said.Audience)) {
			id, subject = hosting.ID(said.Audience), said.Subject
		}
	}
	sure = a.ID == "" || a.Behind == "" && subject == string(a.ID)
	app, err := p.store.Application(ctx, id)
	if err != nil {
		if hosting.CodeOf(err) == hosting.NotFound {
			err = nil
		}
		return "", sure, err
	}
	return farewell(app, in), sure, nil
}

// farewell is the address of an application after signing out, "" for none of its own.
func farewell(app *hosting.Application, in url.Values) string {
	text := in.Get("post_logout_redirect_uri")
	u, err := url.Parse(text)
	if err != nil || !slices.Contains(app.Farewells, text) {
		return ""
	}
	if state := in.Get("state"); state != "" {
		query := u.Query()
		query.Set("state", state)
		u.RawQuery = query.Encode()
	}
	return u.String()
}

// recognise reads what the panel itself signed, also when its time is over; nil when it
// did not sign it with a key that it still has.
func (p *Provider) recognise(ctx context.Context, text string) (*statement, error) {
	signed, err := jose.ParseSigned(text, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil || len(signed.Signatures) != 1 {
		return nil, nil //nolint:nilerr // a stranger's text says nothing
	}
	all, err := p.store.SigningKeys(ctx)
	if err != nil {
		return nil, err
	}
	for _, k := range all {
		if k.ID != signed.Signatures[0].Header.KeyID {
			continue
		}
		key, err := readKey(k)
		if err != nil {
			return nil, err
		}
		var said statement
		data, err := signed.Verify(key.Public())
		if err != nil || json.Unmarshal(data, &said) != nil || said.Issuer != p.Issuer() {
			return nil, nil //nolint:nilerr // see above
		}
		return &said, nil
	}
	return nil, nil
}
