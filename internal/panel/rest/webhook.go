package rest

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
)

func (s *Server) webhooks() {
	see, do := hosting.RightWebhookView, hosting.RightWebhookChange
	handle(s, operation{method: http.MethodGet, path: "/webhooks", id: "listWebhooks", summary: "List your webhooks", scope: see}, s.listWebhooks)
	handle(s, operation{method: http.MethodPost, path: "/webhooks", id: "createWebhook", summary: "Have an address be told what happens", scope: do, status: http.StatusCreated, shows: "secret",
		says: "It is told what comes into your part of the audit trail from now on, signed as Standard Webhooks has it. The secret is shown this once."}, s.createWebhook)
	handle(s, operation{method: http.MethodGet, path: "/webhooks/{webhook}", id: "getWebhook", summary: "Show a webhook", scope: see}, s.getWebhook)
	handle(s, operation{method: http.MethodPatch, path: "/webhooks/{webhook}", id: "changeWebhook", summary: "Change a webhook, or turn it on or off", scope: do}, s.changeWebhook)
	handle(s, operation{method: http.MethodDelete, path: "/webhooks/{webhook}", id: "deleteWebhook", summary: "Delete a webhook", scope: do, status: http.StatusNoContent}, s.deleteWebhook)
	handle(s, operation{method: http.MethodPost, path: "/webhooks/{webhook}/secret", id: "renewWebhookSecret", summary: "Give a webhook another secret", scope: do, secret: true}, s.renewWebhook)
	handle(s, operation{method: http.MethodPost, path: "/webhooks/{webhook}/test", id: "testWebhook", summary: "Send an empty message", scope: do, status: http.StatusAccepted}, s.testWebhook)
	handle(s, operation{method: http.MethodGet, path: "/webhooks/{webhook}/deliveries", id: "listDeliveries", summary: "List what was sent, the newest first", scope: see}, s.listDeliveries)
	handle(s, operation{method: http.MethodGet, path: "/webhooks/{webhook}/deliveries/{delivery}", id: "getDelivery", summary: "Show a message that was sent", scope: see}, s.getDelivery)
	handle(s, operation{method: http.MethodPost, path: "/webhooks/{webhook}/deliveries/{delivery}/replay", id: "replayDelivery", summary: "Send a message once more",
		scope: do, status: http.StatusAccepted}, s.replay)
}

// Webhook is an address that is told what happens.
type Webhook struct {
	ID        hosting.ID `json:"id"`
	Name      string     `json:"name"`
	URL       string     `json:"url"`
	Events    []string   `json:"events"`
	Disabled  bool       `json:"disabled"`
	Why       string     `json:"why,omitempty" doc:"Why it is disabled."`
	Secret    string     `json:"secret,omitempty" doc:"What messages are signed with; shown when it is made or renewed."`
	CreatedAt time.Time  `json:"createdAt"`
}

func webhookOf(w *hosting.Webhook) Webhook {
	return Webhook{ID: w.ID, Name: w.Name, URL: w.URL, Events: w.Events, Disabled: w.Disabled, Why: w.Why, CreatedAt: w.CreatedAt}
}

// withSecret shows the secret as Standard Webhooks writes it.
func withSecret(w *hosting.Webhook) Webhook {
	r := webhookOf(w)
	r.Secret = "whsec_" + base64.StdEncoding.EncodeToString(w.Secret)
	return r
}

// WebhookPath is an operation on one webhook.
type WebhookPath struct {
	Webhook hosting.ID `path:"webhook" maxLength:"64"`
}

func (s *Server) listWebhooks(ctx context.Context, a hosting.Actor, _ *struct{}) (*answer[List[Webhook]], error) {
	found, err := s.Rules.Webhooks(ctx, a)
	if err != nil {
		return nil, err
	}
	return &answer[List[Webhook]]{listOf(hosting.Page[hosting.Webhook]{Items: found, Total: int64(len(found))}, webhookOf)}, nil
}

func (s *Server) createWebhook(ctx context.Context, a hosting.Actor, in *struct {
	Body struct {
		Name   string   `json:"name" maxLength:"300"`
		URL    string   `json:"url" maxLength:"2000" example:"https://hooks.example/panel"`
		Events []string `json:"events" maxItems:"100" doc:"Such as site.create, site.* for all about sites, or * for everything."`
	} `nameHint:"NewWebhook"`
}) (*versioned[Webhook], error) {
	b := in.Body
	made, err := s.rules(ctx).CreateWebhook(ctx, a, hosting.NewWebhook{Name: &b.Name, URL: &b.URL, Events: &b.Events})
	if err != nil {
		return nil, err
	}
	r := versionedAs(made.Version(), withSecret(made))
	r.Location = Prefix + "/webhooks/" + string(made.ID)
	return r, nil
}

func (s *Server) getWebhook(ctx context.Context, a hosting.Actor, in *WebhookPath) (*versioned[Webhook], error) {
	found, err := s.Rules.Webhook(ctx, a, in.Webhook)
	if err != nil {
		return nil, err
	}
	return versionedAs(found.Version(), webhookOf(found)), nil
}

func (s *Server) changeWebhook(ctx context.Context, a hosting.Actor, in *struct {
	WebhookPath
	Condition
	Body struct {
		Name     *string   `json:"name,omitempty" maxLength:"300"`
		URL      *string   `json:"url,omitempty" maxLength:"2000"`
		Events   *[]string `json:"events,omitempty" maxItems:"100"`
		Disabled *bool     `json:"disabled,omitempty"`
	} `nameHint:"WebhookChange"`
}) (*versioned[Webhook], error) {
	b := in.Body
	changed, err := s.Rules.If(in.version()).ChangeWebhook(ctx, a, in.Webhook, hosting.NewWebhook{Name: b.Name, URL: b.URL, Events: b.Events, Disabled: b.Disabled})
	if err != nil {
		return nil, err
	}
	return versionedAs(changed.Version(), webhookOf(changed)), nil
}

func (s *Server) deleteWebhook(ctx context.Context, a hosting.Actor, in *struct {
	WebhookPath
	Condition
}) (*struct{}, error) {
	return nil, s.Rules.If(in.version()).DeleteWebhook(ctx, a, in.Webhook)
}

func (s *Server) renewWebhook(ctx context.Context, a hosting.Actor, in *WebhookPath) (*versioned[Webhook], error) {
	changed, err := s.Rules.RenewWebhook(ctx, a, in.Webhook)
	if err != nil {
		return nil, err
	}
	return versionedAs(changed.Version(), withSecret(changed)), nil
}

// Delivery is one message to a webhook.
type Delivery struct {
	ID        hosting.ID            `json:"id" doc:"The header webhook-id of the message."`
	Event     string                `json:"event"`
	State     hosting.DeliveryState `json:"state" enum:"pending,delivered,failed"`
	Tries     int                   `json:"tries"`
	NextAt    *time.Time            `json:"nextAt,omitempty" doc:"When it is tried next."`
	Status    int                   `json:"status,omitempty" doc:"The status that the address answered last."`
	Said      string                `json:"said,omitempty" doc:"Why the last try failed."`
	CreatedAt time.Time             `json:"createdAt"`
	DoneAt    *time.Time            `json:"doneAt,omitempty"`
	Body      json.RawMessage       `json:"body" doc:"What was sent."`
}

func deliveryOf(d *hosting.Delivery) Delivery {
	r := Delivery{ID: d.ID, Event: d.Event, State: d.State, Tries: d.Tries, Status: d.Status, Said: d.Said,
		CreatedAt: d.CreatedAt, DoneAt: moment(d.DoneAt), Body: d.Body}
	if d.State == hosting.DeliveryPending {
		r.NextAt = moment(d.NextAt)
	}
	return r
}

func (s *Server) listDeliveries(ctx context.Context, a hosting.Actor, in *struct {
	WebhookPath
	Paging
}) (*answer[List[Delivery]], error) {
	after, err := in.after()
	if err != nil {
		return nil, err
	}
	found, err := s.Rules.Deliveries(ctx, a, in.Webhook, after, in.Limit)
	if err != nil {
		return nil, err
	}
	l := listOf(found, deliveryOf)
	l.Total = nil // nobody counted
	return &answer[List[Delivery]]{l}, nil
}

// DeliveryPath is an operation on one message.
type DeliveryPath struct {
	WebhookPath
	Delivery hosting.ID `path:"delivery" maxLength:"64"`
}

func (s *Server) getDelivery(ctx context.Context, a hosting.Actor, in *DeliveryPath) (*answer[Delivery], error) {
	found, err := s.Rules.Delivery(ctx, a, in.Webhook, in.Delivery)
	if err != nil {
		return nil, err
	}
	return &answer[Delivery]{deliveryOf(found)}, nil
}

func (s *Server) testWebhook(ctx context.Context, a hosting.Actor, in *WebhookPath) (*answer[Delivery], error) {
	made, err := s.rules(ctx).TestWebhook(ctx, a, in.Webhook)
	if err != nil {
		return nil, err
	}
	return &answer[Delivery]{deliveryOf(made)}, nil
}

func (s *Server) replay(ctx context.Context, a hosting.Actor, in *DeliveryPath) (*answer[Delivery], error) {
	made, err := s.rules(ctx).Replay(ctx, a, in.Webhook, in.Delivery)
	if err != nil {
		return nil, err
	}
	return &answer[Delivery]{deliveryOf(made)}, nil
}
