package hosting

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// WebhookReader reads webhooks and what was sent to them.
type WebhookReader interface {
	Webhook(ctx context.Context, id ID) (*Webhook, error)
	Webhooks(ctx context.Context, owner ID) ([]Webhook, error)
	// WebhooksBehind returns those that are enabled and were not told of all of the trail.
	WebhooksBehind(ctx context.Context) ([]Webhook, error)
	Delivery(ctx context.Context, webhook, id ID) (*Delivery, error)
	// Deliveries returns the newest before an ID, one more than limit when there are more.
	Deliveries(ctx context.Context, webhook, before ID, limit int) ([]Delivery, error)
	// DueDeliveries returns those to be tried now, of accounts that may be used, and of each
	// of these at most ofOne.
	DueDeliveries(ctx context.Context, now time.Time, ofOne, limit int) ([]Delivery, error)
	// TrailAfter returns the entries behind a number, the oldest first.
	TrailAfter(ctx context.Context, seq int64, limit int) ([]Entry, error)
	// TrailEnd returns the number of the last entry.
	TrailEnd(ctx context.Context) (int64, error)
}

// WebhookWriter writes them.
type WebhookWriter interface {
	InsertWebhook(ctx context.Context, w *Webhook) error
	UpdateWebhook(ctx context.Context, w *Webhook) error
	DeleteWebhook(ctx context.Context, id ID) error
	InsertDelivery(ctx context.Context, d *Delivery) error
	UpdateDelivery(ctx context.Context, d *Delivery) error
}

// Webhooks returns the actor's own.
func (p *Provider) Webhooks(ctx context.Context, a Actor) ([]Webhook, error) {
	if err := May(a, RightWebhookView, Object{Owner: a.ID}); err != nil {
		return nil, err
	}
	return p.Store.Webhooks(ctx, a.ID)
}

// Webhook returns one of the actor's own.
func (p *Provider) Webhook(ctx context.Context, a Actor, id ID) (*Webhook, error) {
	return webhook(ctx, p.Store, a, RightWebhookView, id)
}

func webhook(ctx context.Context, r Reader, a Actor, do Right, id ID) (*Webhook, error) {
	w, err := r.Webhook(ctx, id)
	if err != nil {
		return nil, seen(err)
	}
	return w, May(a, do, w.On())
}

// CreateWebhook makes one for the actor. It is told of what happens from now on.
func (p *Provider) CreateWebhook(ctx context.Context, a Actor, req NewWebhook) (*Webhook, error) {
	if err := May(a, RightWebhookChange, Object{Owner: a.ID}); err != nil {
		return nil, err
	}
	none := ""
	w := &Webhook{ID: NewID(), Owner: a.ID, Secret: newSecret(), CreatedAt: p.Now()}
	for _, field := range []**string{&req.Name, &req.URL} {
		if *field == nil {
			*field = &none
		}
	}
	if req.Events == nil {
		req.Events = &[]string{}
	}
	if err := req.apply(w); err != nil {
		return nil, err
	}
	err := p.write(ctx, a, func(tx Tx) (change, error) {
		have, err := tx.Webhooks(ctx, a.ID)
		if err != nil {
			return change{}, err
		}
		if len(have) >= mostWebhooks {
			return change{}, &Error{Code: Conflict, Message: fmt.Sprintf("You have %d webhooks, which is the most there can be.", mostWebhooks), Mend: "Delete one first."}
		}
		if w.Seq, err = tx.TrailEnd(ctx); err != nil {
			return change{}, err
		}
		w.Seq++ // the entry of its own making, which follows
		return change{did: RightWebhookChange, object: w.Name, on: whose(a), after: w.told(), made: string(w.ID)}, tx.InsertWebhook(ctx, w)
	})
	return w, err
}

// whose is the actor's own account as an object, for the trail.
func whose(a Actor) Object { return Object{Owner: a.ID, Reseller: a.Reseller} }

// told is what the trail keeps of a webhook. An address may have a secret in its path
// or query, so only its host stands there.
func (w *Webhook) told() any {
	return map[string]any{"name": w.Name, "host": hostOf(w.URL), "events": w.Events, "disabled": w.Disabled}
}

// ChangeWebhook changes one of the actor's own.
func (p *Provider) ChangeWebhook(ctx context.Context, a Actor, id ID, req NewWebhook) (*Webhook, error) {
	return p.editWebhook(ctx, a, id, req.apply)
}

// RenewWebhook gives one of the actor's own another secret.
func (p *Provider) RenewWebhook(ctx context.Context, a Actor, id ID) (*Webhook, error) {
	return p.editWebhook(ctx, a, id, func(w *Webhook) error {
		w.Secret = newSecret()
		return nil
	})
}

func (p *Provider) editWebhook(ctx context.Context, a Actor, id ID, edit func(*Webhook) error) (*Webhook, error) {
	var w *Webhook
	err := p.write(ctx, a, func(tx Tx) (change, error) {
		was, err := webhook(ctx, tx, a, RightWebhookChange, id)
		if err != nil {
			return change{}, err
		}
		if err := p.expected(was.Version()); err != nil {
			return change{}, err
		}
		w = new(*was)
		if err := edit(w); err != nil {
			return change{}, err
		}
		if was.Disabled && !w.Disabled { // what happened meanwhile is not told any more
			if w.Seq, err = tx.TrailEnd(ctx); err != nil {
				return change{}, err
			}
		}
		return change{did: RightWebhookChange, object: w.Name, on: whose(a), before: was.told(), after: w.told()}, tx.UpdateWebhook(ctx, w)
	})
	return w, err
}

// DeleteWebhook deletes one of the actor's own with what was sent to it.
func (p *Provider) DeleteWebhook(ctx context.Context, a Actor, id ID) error {
	return p.write(ctx, a, func(tx Tx) (change, error) {
		w, err := webhook(ctx, tx, a, RightWebhookChange, id)
		if err != nil {
			return change{}, err
		}
		if err := p.expected(w.Version()); err != nil {
			return change{}, err
		}
		return change{did: RightWebhookChange, object: w.Name, on: whose(a), before: w.told()}, tx.DeleteWebhook(ctx, id)
	})
}

// TestWebhook sends an empty message to a webhook.
func (p *Provider) TestWebhook(ctx context.Context, a Actor, id ID) (*Delivery, error) {
	return p.enqueue(ctx, a, id, func(context.Context, Tx) (event string, body []byte, err error) {
		body, err = json.Marshal(message{Type: eventOfTest, Timestamp: p.Now().UTC(), Data: messageData{}})
		return eventOfTest, body, err
	})
}

// Replay sends a message once more, under a new number.
func (p *Provider) Replay(ctx context.Context, a Actor, id, delivery ID) (*Delivery, error) {
	return p.enqueue(ctx, a, id, func(ctx context.Context, tx Tx) (string, []byte, error) {
		d, err := tx.Delivery(ctx, id, delivery)
		if err != nil {
			return "", nil, seen(err)
		}
		return d.Event, d.Body, nil
	})
}

func (p *Provider) enqueue(ctx context.Context, a Actor, id ID, what func(context.Context, Tx) (string, []byte, error)) (*Delivery, error) {
	var d *Delivery
	err := p.write(ctx, a, func(tx Tx) (change, error) {
		w, err := webhook(ctx, tx, a, RightWebhookChange, id)
		if err != nil {
			return change{}, err
		}
		if w.Disabled {
			return change{}, &Error{Code: Conflict, Message: "The webhook is turned off: " + w.Why, Mend: "Turn it on first."}
		}
		event, body, err := what(ctx, tx)
		if err != nil {
			return change{}, err
		}
		d = newDelivery(w, event, body, p.Now())
		return change{did: RightWebhookChange, object: w.Name, on: whose(a), after: "sent " + event, made: string(d.ID)}, tx.InsertDelivery(ctx, d)
	})
	return d, err
}

func newDelivery(w *Webhook, event string, body []byte, now time.Time) *Delivery {
	return &Delivery{ID: NewID(), Webhook: w.ID, Event: event, Body: body, State: DeliveryPending, NextAt: now, CreatedAt: now}
}

// Deliveries returns what was sent to one of the actor's own webhooks, the newest first.
func (p *Provider) Deliveries(ctx context.Context, a Actor, id ID, after string, most int) (Page[Delivery], error) {
	if _, err := webhook(ctx, p.Store, a, RightWebhookView, id); err != nil {
		return Page[Delivery]{}, err
	}
	most = limit(most)
	all, err := p.Store.Deliveries(ctx, id, ID(after), most)
	if err != nil {
		return Page[Delivery]{}, err
	}
	return page(all, most, 0, func(d Delivery) string { return string(d.ID) }), nil
}

// Delivery returns one of them.
func (p *Provider) Delivery(ctx context.Context, a Actor, id, delivery ID) (*Delivery, error) {
	if _, err := webhook(ctx, p.Store, a, RightWebhookView, id); err != nil {
		return nil, err
	}
	d, err := p.Store.Delivery(ctx, id, delivery)
	return d, seen(err)
}
