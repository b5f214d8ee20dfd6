package hosting

import (
	"context"
	"encoding/json"
	"net/url"
	"time"
)

// message is what a webhook gets (Standard Webhooks, payload structure).
type message struct {
	Type      string      `json:"type"`
	Timestamp time.Time   `json:"timestamp"`
	Data      messageData `json:"data"`
}

// messageData is an entry of the trail, without where it came from.
type messageData struct {
	Seq    int64           `json:"seq,omitempty"`
	Object string          `json:"object,omitempty"`
	Owner  ID              `json:"owner,omitempty"`
	Actor  ID              `json:"actor,omitempty"`
	Name   string          `json:"actorName,omitempty"`
	Behind string          `json:"behindName,omitempty"`
	Before json.RawMessage `json:"before,omitempty"`
	After  json.RawMessage `json:"after,omitempty"`
}

func messageOf(e *Entry) ([]byte, error) {
	return json.Marshal(message{Type: e.Did, Timestamp: e.At.UTC(), Data: messageData{
		Seq: e.Seq, Object: e.Object, Owner: e.Owner, Actor: e.Actor, Name: e.ActorName, Behind: e.BehindName,
		Before: json.RawMessage(e.Before), After: json.RawMessage(e.After),
	}})
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// entriesAtOnce bounds how much of the trail one transaction reads.
const entriesAtOnce = 200

// Announce makes messages of what came into the trail since it last ran. Each entry
// becomes one message to each webhook that wants it, whatever dies and however many
// panels do this at once: the webhook's place in the trail moves in the transaction that
// makes the messages.
func (p *Provider) Announce(ctx context.Context) error {
	behind, err := p.Store.WebhooksBehind(ctx)
	if err != nil {
		return err
	}
	for i := range behind {
		if err := p.announce(ctx, behind[i].ID); err != nil {
			return err
		}
	}
	return nil
}

func (p *Provider) announce(ctx context.Context, id ID) error {
	return p.Store.Write(ctx, func(tx Tx) error {
		w, err := tx.Webhook(ctx, id)
		if err != nil {
			if CodeOf(err) == NotFound {
				return nil
			}
			return err
		}
		entries, err := tx.TrailAfter(ctx, w.Seq, entriesAtOnce)
		if err != nil || len(entries) == 0 || w.Disabled {
			return err
		}
		for i := range entries {
			e := &entries[i]
			w.Seq = e.Seq
			if !w.wants(e.Did) || !w.sees(e) {
				continue
			}
			body, err := messageOf(e)
			if err != nil {
				return err
			}
			if err := tx.InsertDelivery(ctx, newDelivery(w, e.Did, body, p.Now())); err != nil {
				return err
			}
		}
		return tx.UpdateWebhook(ctx, w)
	})
}

// Parcel is a message that its holder may send, and where to.
type Parcel struct {
	Delivery Delivery
	URL      string
	Secret   []byte
}

const (
	// parcelsAtOnce is how many messages one panel sends at once, parcelsOfOne how many of
	// them are of one account, whose addresses may all take their time, and parcelLease how
	// long it may take before another tries: longer than a try may last.
	parcelsAtOnce = 20
	parcelsOfOne  = 5
	parcelLease   = time.Minute
)

// Parcels takes messages that are due; nobody else gets them until the lease is over.
func (p *Provider) Parcels(ctx context.Context) ([]Parcel, error) {
	due, err := p.Store.DueDeliveries(ctx, p.Now(), 1, 1) // most of the time there is none, which costs no transaction
	if err != nil || len(due) == 0 {
		return nil, err
	}
	var parcels []Parcel
	err = p.Store.Write(ctx, func(tx Tx) error {
		parcels = nil
		due, err := tx.DueDeliveries(ctx, p.Now(), parcelsOfOne, parcelsAtOnce)
		if err != nil {
			return err
		}
		for _, d := range due {
			w, err := tx.Webhook(ctx, d.Webhook)
			if err != nil {
				return err
			}
			d.NextAt = p.Now().Add(parcelLease)
			d.Tries++
			if err := tx.UpdateDelivery(ctx, &d); err != nil {
				return err
			}
			parcels = append(parcels, Parcel{Delivery: d, URL: w.URL, Secret: w.Secret})
		}
		return nil
	})
	return parcels, err
}

// gone is the status of an address that will never be there again (RFC 9110 section
// 15.5.11).
const gone = 410

// waits are those before a message is tried again (Standard Webhooks, deliverability).
func waits() []time.Duration {
	return []time.Duration{5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour}
}

// Sent notes what became of a try: the status that was answered, 0 for none, and why it
// failed. A message that nobody took in three days, or an answer that the address is
// gone, turns the webhook off.
func (p *Provider) Sent(ctx context.Context, tried Delivery, status int, said string) error {
	return p.Store.Write(ctx, func(tx Tx) error {
		d, err := tx.Delivery(ctx, tried.Webhook, tried.ID)
		if err != nil {
			if CodeOf(err) == NotFound {
				return nil // deleted with its webhook
			}
			return err
		}
		if d.Tries != tried.Tries {
			return nil // somebody tried again meanwhile
		}
		d.Status, d.Said = status, said
		why := ""
		switch {
		case status >= 200 && status < 300:
			d.State, d.DoneAt, d.Said = DeliveryDelivered, p.Now(), ""
		case status == gone:
			d.State, d.DoneAt, why = DeliveryFailed, p.Now(), "The address answered that it is gone (410)."
		case d.Tries > len(waits()):
			d.State, d.DoneAt, why = DeliveryFailed, p.Now(), "The address took no message for three days."
		default:
			d.NextAt = p.Now().Add(waits()[d.Tries-1])
		}
		if err := tx.UpdateDelivery(ctx, d); err != nil || why == "" {
			return err
		}
		w, err := tx.Webhook(ctx, d.Webhook)
		if err != nil {
			return err
		}
		w.Disabled, w.Why = true, why
		return tx.UpdateWebhook(ctx, w)
	})
}
