package hosting

import (
	"crypto/rand"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Webhook is an address of an account that is told what stands in its part of the audit
// trail, as it happens.
type Webhook struct {
	ID    ID
	Owner ID
	Name  string
	URL   string
	// Events are what it is told of: site.create, or site.* for all about sites, or *.
	Events []string
	// Secret signs what is sent; the store keeps it encrypted.
	Secret []byte
	// Disabled: it gets nothing, for Why.
	Disabled  bool
	Why       string
	CreatedAt time.Time
	// Seq is the last entry of the trail that was looked at for it.
	Seq int64

	// Filled in by reading.
	OwnerRole    Role
	OwnerStopped bool
}

// On is what a decision about the webhook needs.
func (w *Webhook) On() Object { return Object{Owner: w.Owner} }

// Version names what can be changed of the webhook, as it is now.
func (w *Webhook) Version() string {
	return version(append([]string{string(w.ID), w.Name, w.URL, w.Why}, w.Events...)...)
}

// DeliveryState is what became of one message.
type DeliveryState string

// States of a delivery.
const (
	DeliveryPending   DeliveryState = "pending"
	DeliveryDelivered DeliveryState = "delivered"
	DeliveryFailed    DeliveryState = "failed"
)

// Delivery is one message to a webhook.
type Delivery struct {
	ID      ID
	Webhook ID
	Event   string
	Body    []byte // JSON, as it is signed and sent
	State   DeliveryState
	Tries   int
	// NextAt is when it is tried next; while somebody tries, when that is given up.
	NextAt    time.Time
	Status    int    // HTTP's of the last try; 0: none came
	Said      string // why the last try failed
	CreatedAt time.Time
	DoneAt    time.Time
}

// NewWebhook is a request for a webhook, or a change of one: what is nil stays.
type NewWebhook struct {
	Name, URL *string
	Events    *[]string
	Disabled  *bool
}

const (
	mostWebhooks  = 20
	mostEvents    = 50
	maxWebhookURL = 1000
	webhookSecret = 32 // octets; Standard Webhooks asks for 24 to 64
	everyEvent    = "*"
	eventOfTest   = "webhook.test"
)

// DeliveriesKept is how long what was sent can be looked at.
const DeliveriesKept = 7 * 24 * time.Hour

// apply writes a request into a webhook.
func (n NewWebhook) apply(w *Webhook) error {
	var f faults
	if n.Name != nil {
		var err error
		w.Name, err = ParsePersonName(*n.Name)
		f.check("name", err)
	}
	if n.URL != nil {
		w.URL = *n.URL
		f.check("url", checkWebhookURL(w.URL))
	}
	if n.Events != nil {
		w.Events = *n.Events
		checkEvents(w.Events, &f)
	}
	if n.Disabled != nil && *n.Disabled != w.Disabled {
		w.Disabled, w.Why = *n.Disabled, ""
		if w.Disabled {
			w.Why = "Its owner turned it off."
		}
	}
	return f.err()
}

// checkWebhookURL refuses what can't be an address for messages. Where it leads is
// looked at when something is sent, since names change.
func checkWebhookURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || len(text) > maxWebhookURL || !plainText(text):
		return errWebhookURL
	case u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.Fragment != "":
		return errWebhookURL
	}
	return nil
}

type sentenceError string

func (s sentenceError) Error() string { return string(s) }

const errWebhookURL = sentenceError("write the address like https://hooks.example/panel, without a user and without a #")

// plainText tells whether a text has nothing but visible ASCII.
func plainText(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' })
}

func checkEvents(events []string, f *faults) {
	if len(events) == 0 || len(events) > mostEvents {
		f.add("events", "choose at least one event, such as site.create, site.* or *, and at most 50")
	}
	for _, e := range events {
		kind, what, ok := strings.Cut(e, ".")
		if e != everyEvent && (!ok || kind == "" || what == "" || len(e) > 100 || !plainText(e)) {
			f.add("events", "an event is written like site.create, site.* or *")
			return
		}
	}
}

// wants tells whether a webhook is told of an event.
func (w *Webhook) wants(event string) bool {
	kind, _, _ := strings.Cut(event, ".")
	return slices.ContainsFunc(w.Events, func(e string) bool { return e == everyEvent || e == event || e == kind+".*" })
}

// sees tells whether an entry is in the owner's part of the trail.
func (w *Webhook) sees(e *Entry) bool {
	switch w.OwnerRole {
	case Administrator:
		return true
	case Reseller:
		return e.Reseller == w.Owner || e.Owner == w.Owner
	case Customer, Collaborator:
	}
	return e.Owner == w.Owner
}

func newSecret() []byte {
	b := make([]byte, webhookSecret)
	_, _ = rand.Read(b) // never fails
	return b
}
