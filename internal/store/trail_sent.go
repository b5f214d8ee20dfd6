package store

import (
	"context"

	"kubepanel.io/kubepanel/internal/hosting"
)

// Sending implements hosting.SendingReader.
func (q *queries) Sending(ctx context.Context, server string) (*hosting.Sending, error) {
	s, err := one(ctx, q, func(row scanner) (hosting.Sending, error) {
		s := hosting.Sending{Server: server}
		var confirmed, next int64
		err := row.Scan(&s.Seq, &s.Hash, &confirmed, &s.Tries, &s.Fault, &next)
		s.ConfirmedAt, s.NextAt = moment(confirmed), moment(next)
		return s, err
	}, `SELECT seq, hash, confirmed_at, tries, fault, next_at FROM trail_sent WHERE server = ?`, server)
	err = answer("read how far the trail was sent", err)
	if hosting.CodeOf(err) == hosting.NotFound {
		return &hosting.Sending{Server: server}, nil
	}
	return &s, err
}

// PutSending implements hosting.SendingWriter.
func (q *queries) PutSending(ctx context.Context, s *hosting.Sending) error {
	return answer("write how far the trail was sent", q.exec(ctx, `INSERT INTO trail_sent (server, seq, hash, confirmed_at, tries, fault, next_at) VALUES (`+marks(7)+`)
		ON CONFLICT (server) DO UPDATE SET seq = excluded.seq, hash = excluded.hash, confirmed_at = excluded.confirmed_at, tries = excluded.tries, fault = excluded.fault, next_at = excluded.next_at`,
		s.Server, s.Seq, s.Hash, micros(s.ConfirmedAt), s.Tries, s.Fault, micros(s.NextAt)))
}
