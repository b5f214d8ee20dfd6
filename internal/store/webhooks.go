package store

import (
	"context"
	"encoding/json"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
)

func webhookPlace(id string) string { return "webhooks." + id }

const selectWebhook = `SELECT w.id, w.owner_id, w.name, w.url, w.events, w.secret, w.disabled, w.why, w.seq, w.created_at,
	u.role, CASE WHEN u.suspended = 1 OR r.suspended = 1 THEN 1 ELSE 0 END
	FROM webhooks w JOIN users u ON u.id = w.owner_id LEFT JOIN users r ON r.id = u.reseller_id `

func (q *queries) scanWebhook(row scanner) (hosting.Webhook, error) {
	var w hosting.Webhook
	var events string
	var created, disabled, stopped int64
	if err := row.Scan(&w.ID, &w.Owner, &w.Name, &w.URL, &events, &w.Secret, &disabled, &w.Why, &w.Seq, &created, &w.OwnerRole, &stopped); err != nil {
		return w, err
	}
	w.CreatedAt, w.Disabled, w.OwnerStopped = moment(created), disabled != 0, stopped != 0
	var err error
	if w.Secret, err = q.db.ring.open(webhookPlace(string(w.ID)), w.Secret); err != nil {
		return w, err
	}
	return w, json.Unmarshal([]byte(events), &w.Events)
}

// Webhook implements hosting.WebhookReader.
func (q *queries) Webhook(ctx context.Context, id hosting.ID) (*hosting.Webhook, error) {
	w, err := one(ctx, q, q.scanWebhook, selectWebhook+`WHERE w.id = ?`, id)
	return &w, answer("read a webhook", err)
}

// Webhooks implements hosting.WebhookReader.
func (q *queries) Webhooks(ctx context.Context, owner hosting.ID) ([]hosting.Webhook, error) {
	all, err := list(ctx, q, q.scanWebhook, selectWebhook+`WHERE w.owner_id = ? ORDER BY w.id`, owner)
	return all, answer("list webhooks", err)
}

// WebhooksBehind implements hosting.WebhookReader.
func (q *queries) WebhooksBehind(ctx context.Context) ([]hosting.Webhook, error) {
	all, err := list(ctx, q, q.scanWebhook, selectWebhook+`WHERE w.disabled = 0 AND w.seq < (SELECT seq FROM trail_end WHERE id = 1) ORDER BY w.id`)
	return all, answer("list webhooks that are behind", err)
}

// InsertWebhook implements hosting.WebhookWriter.
func (q *queries) InsertWebhook(ctx context.Context, w *hosting.Webhook) error {
	events, sealed, err := q.webhookColumns(w)
	if err != nil {
		return err
	}
	return answer("insert a webhook", q.exec(ctx,
		`INSERT INTO webhooks (id, owner_id, name, url, events, secret, disabled, why, seq, created_at) VALUES (`+marks(10)+`)`,
		w.ID, w.Owner, w.Name, w.URL, events, sealed, truth(w.Disabled), w.Why, w.Seq, micros(w.CreatedAt)))
}

// UpdateWebhook implements hosting.WebhookWriter.
func (q *queries) UpdateWebhook(ctx context.Context, w *hosting.Webhook) error {
	events, sealed, err := q.webhookColumns(w)
	if err != nil {
		return err
	}
	return answer("change a webhook", q.change(ctx, `UPDATE webhooks SET name = ?, url = ?, events = ?, secret = ?, disabled = ?, why = ?, seq = ? WHERE id = ?`,
		w.Name, w.URL, events, sealed, truth(w.Disabled), w.Why, w.Seq, w.ID))
}

func (q *queries) webhookColumns(w *hosting.Webhook) (events string, sealed []byte, err error) {
	text, err := json.Marshal(w.Events)
	if err != nil {
		return "", nil, err
	}
	sealed, err = q.db.ring.seal(webhookPlace(string(w.ID)), w.Secret)
	return string(text), sealed, err
}

// DeleteWebhook implements hosting.WebhookWriter.
func (q *queries) DeleteWebhook(ctx context.Context, id hosting.ID) error {
	return answer("delete a webhook", q.change(ctx, `DELETE FROM webhooks WHERE id = ?`, id))
}

const selectDelivery = `SELECT d.id, d.webhook_id, d.event, d.body, d.state, d.tries, d.next_at, d.status, d.said, d.created_at, d.done_at FROM deliveries d `

func scanDelivery(row scanner) (hosting.Delivery, error) {
	var d hosting.Delivery
	var body string
	var next, created, done int64
	err := row.Scan(&d.ID, &d.Webhook, &d.Event, &body, &d.State, &d.Tries, &next, &d.Status, &d.Said, &created, &done)
	d.Body, d.NextAt, d.CreatedAt, d.DoneAt = []byte(body), moment(next), moment(created), moment(done)
	return d, err
}

// Delivery implements hosting.WebhookReader.
func (q *queries) Delivery(ctx context.Context, webhook, id hosting.ID) (*hosting.Delivery, error) {
	d, err := one(ctx, q, scanDelivery, selectDelivery+`WHERE d.id = ? AND d.webhook_id = ?`, id, webhook)
	return &d, answer("read a delivery", err)
}

// Deliveries implements hosting.WebhookReader. IDs grow with time.
func (q *queries) Deliveries(ctx context.Context, webhook, before hosting.ID, limit int) ([]hosting.Delivery, error) {
	w := where{}
	w.and(`d.webhook_id = ?`, webhook)
	if before != "" {
		w.and(`d.id < ?`, before)
	}
	all, err := list(ctx, q, scanDelivery, selectDelivery+w.String()+` ORDER BY d.id DESC LIMIT ?`, append(w.args, limit+1)...)
	return all, answer("list deliveries", err)
}

// DueDeliveries implements hosting.WebhookReader.
func (q *queries) DueDeliveries(ctx context.Context, now time.Time, ofOne, limit int) ([]hosting.Delivery, error) {
	all, err := list(ctx, q, scanDelivery, selectDelivery+`JOIN (
			SELECT d.id, ROW_NUMBER() OVER (PARTITION BY w.owner_id ORDER BY d.next_at, d.id) AS turn
			FROM deliveries d JOIN webhooks w ON w.id = d.webhook_id JOIN users u ON u.id = w.owner_id
			LEFT JOIN users r ON r.id = u.reseller_id
			WHERE d.state = ? AND d.next_at <= ? AND w.disabled = 0 AND u.suspended = 0 AND COALESCE(r.suspended, 0) = 0
		) due ON due.id = d.id WHERE due.turn <= ? ORDER BY d.next_at, d.id LIMIT ?`, hosting.DeliveryPending, micros(now), ofOne, limit)
	return all, answer("list messages that are due", err)
}

// InsertDelivery implements hosting.WebhookWriter.
func (q *queries) InsertDelivery(ctx context.Context, d *hosting.Delivery) error {
	return answer("insert a delivery", q.exec(ctx,
		`INSERT INTO deliveries (id, webhook_id, event, body, state, tries, next_at, status, said, created_at, done_at) VALUES (`+marks(11)+`)`,
		d.ID, d.Webhook, d.Event, string(d.Body), d.State, d.Tries, micros(d.NextAt), d.Status, d.Said, micros(d.CreatedAt), micros(d.DoneAt)))
}

// UpdateDelivery implements hosting.WebhookWriter.
func (q *queries) UpdateDelivery(ctx context.Context, d *hosting.Delivery) error {
	return answer("change a delivery", q.change(ctx, `UPDATE deliveries SET state = ?, tries = ?, next_at = ?, status = ?, said = ?, done_at = ? WHERE id = ?`,
		d.State, d.Tries, micros(d.NextAt), d.Status, d.Said, micros(d.DoneAt), d.ID))
}

// TrailAfter implements hosting.WebhookReader.
func (q *queries) TrailAfter(ctx context.Context, seq int64, limit int) ([]hosting.Entry, error) {
	all, err := list(ctx, q, scanEntry, selectEntry+`WHERE seq > ? ORDER BY seq LIMIT ?`, seq, limit)
	return all, answer("read the trail", err)
}

// TrailEnd implements hosting.WebhookReader.
func (q *queries) TrailEnd(ctx context.Context) (int64, error) {
	end, err := q.trailEnd(ctx)
	return end.seq, answer("read the end of the trail", err)
}
