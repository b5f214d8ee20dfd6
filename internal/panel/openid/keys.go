package openid

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"net/http"
	"time"

	"github.com/go-jose/go-jose/v4"

	"kubepanel.io/kubepanel/internal/hosting"
)

// Every panel signs with the keys that the store has, so that none has to be told of
// another's. A key is shown to applications before it signs and until the last of its
// signatures has ended.
const (
	// keySigns is how long a key signs, keyAhead how long before the next one is shown.
	keySigns = 30 * 24 * time.Hour
	keyAhead = 24 * time.Hour
	// usualBits is the size of a key: RS256 is what every application knows (OpenID Connect
	// Core section 15.1), and this size is as strong as 128 bits (NIST SP 800-57 part 1).
	usualBits = 3072
)

// keySet shows the keys' public halves (RFC 7517).
func (p *Provider) keySet(w http.ResponseWriter, r *http.Request) {
	all, err := p.keys(r.Context())
	if err != nil {
		p.refuse(w, r, err)
		return
	}
	var set jose.JSONWebKeySet
	for _, k := range all {
		if p.outlived(k) {
			continue
		}
		key, err := readKey(k)
		if err != nil {
			p.refuse(w, r, err)
			return
		}
		set.Keys = append(set.Keys, key.Public())
	}
	w.Header().Set("Cache-Control", "public, max-age="+keySetLife)
	write(w, http.StatusOK, set)
}

// signs returns the key that signs now.
func (p *Provider) signs(ctx context.Context) (*jose.JSONWebKey, error) {
	all, err := p.keys(ctx)
	if err != nil {
		return nil, err
	}
	for _, k := range all {
		if current(k, p.now()) {
			return readKey(k)
		}
	}
	return nil, fmt.Errorf("none of %d keys signs now", len(all))
}

func readKey(k hosting.SigningKey) (*jose.JSONWebKey, error) {
	private, err := x509.ParsePKCS8PrivateKey(k.Private)
	if err != nil {
		return nil, fmt.Errorf("read signing key %s: %w", k.ID, err)
	}
	return &jose.JSONWebKey{Key: private, KeyID: k.ID, Algorithm: string(jose.RS256), Use: "sig"}, nil
}

// keys returns those that sign or did lately, and the next; it makes what is missing.
func (p *Provider) keys(ctx context.Context) ([]hosting.SigningKey, error) {
	all, err := p.store.SigningKeys(ctx)
	if err != nil {
		return nil, err
	}
	if _, due := p.next(all); !due {
		return all, nil
	}
	private, err := rsa.GenerateKey(rand.Reader, cmp.Or(p.KeyBits, usualBits))
	if err != nil {
		return nil, fmt.Errorf("make a signing key: %w", err)
	}
	data, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, fmt.Errorf("write a signing key: %w", err)
	}
	fresh := hosting.SigningKey{ID: rand.Text(), Private: data}
	err = p.store.Write(ctx, func(tx hosting.Tx) error {
		now, err := tx.SigningKeys(ctx)
		if err != nil {
			return err
		}
		begins, due := p.next(now)
		if !due { // another panel was quicker
			return nil
		}
		for _, k := range now {
			if p.outlived(k) {
				if err := tx.DeleteSigningKey(ctx, k.ID); err != nil {
					return err
				}
			}
		}
		fresh.BeginsAt, fresh.EndsAt = begins, begins.Add(keySigns)
		if err := tx.InsertSigningKey(ctx, &fresh); err != nil {
			return err
		}
		return hosting.Record(ctx, tx, hosting.Actor{Name: "panel"}, p.now(), hosting.Deed{Did: "signing-key.made", Object: fresh.ID})
	})
	if err != nil {
		return nil, err
	}
	return p.store.SigningKeys(ctx)
}

// next tells whether a key is missing, and when it has to begin.
func (p *Provider) next(all []hosting.SigningKey) (begins time.Time, missing bool) {
	now := p.now()
	var last time.Time // when the last key ends of those that follow each other without a gap
	for _, k := range all {
		if current(k, now) || !last.IsZero() && !k.BeginsAt.After(last) {
			last = k.EndsAt
		}
	}
	if last.IsZero() {
		return now, true
	}
	return last, last.Sub(now) < keyAhead
}

// outlived tells a key of which no signature can be good any more.
func (p *Provider) outlived(k hosting.SigningKey) bool {
	return p.now().Sub(k.EndsAt) > tokenLife+keySlack
}

func current(k hosting.SigningKey, now time.Time) bool {
	return !k.BeginsAt.After(now) && k.EndsAt.After(now)
}
