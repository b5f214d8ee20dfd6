package rest

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"kubepanel.io/kubepanel/internal/hosting"
)

func (s *Server) audit() {
	handle(s, operation{method: http.MethodGet, path: "/audit", id: "listAudit", summary: "List what was done, the newest first", scope: hosting.RightAuditView,
		says: "The whole trail stands in the order of its numbers, a part in the order of its times; the two differ where the clocks of several panels do."}, s.listAudit)
	handle(s, operation{method: http.MethodGet, path: "/audit/export", id: "exportAudit", summary: "Write out all of the trail that you may see, the newest first",
		scope: hosting.RightAuditView, stream: true, long: true, says: "One JSON object a line (application/x-ndjson)."}, s.exportAudit)
	handle(s, operation{method: http.MethodPost, path: "/audit/verify", id: "verifyAudit", summary: "Recalculate the whole trail", scope: hosting.RightAuditView, secret: true,
		says: "For administrators. A trail that is not what was written answers 409 with the code broken."}, s.verifyAudit)
	handle(s, operation{method: http.MethodGet, path: "/audit/sending", id: "getAuditSending", summary: "Show how far the trail came to the log server", scope: hosting.RightAuditView,
		says: "For administrators."}, s.getSending)
}

// Entry is one line of the audit trail.
type Entry struct {
	Seq        int64           `json:"seq"`
	At         time.Time       `json:"at"`
	Did        string          `json:"did" example:"site.create"`
	Object     string          `json:"object" doc:"What it was done to: a site's name, an account's address."`
	Actor      hosting.ID      `json:"actor,omitempty"`
	ActorName  string          `json:"actorName"`
	Behind     hosting.ID      `json:"behind,omitempty"`
	BehindName string          `json:"behindName,omitempty" doc:"Who really sat there, for support."`
	Address    string          `json:"address,omitempty"`
	Owner      hosting.ID      `json:"owner,omitempty" doc:"The account whose trail it belongs to."`
	Reseller   hosting.ID      `json:"reseller,omitempty" doc:"Whose customer that is."`
	Before     json.RawMessage `json:"before,omitempty" doc:"What was, without any secret."`
	After      json.RawMessage `json:"after,omitempty" doc:"What is since, without any secret."`
	Hash       string          `json:"hash" doc:"SHA-256 of the entry before and all of this one, so that kubepanel audit verify FILE can recalculate what was exported."`
}

func entryOf(e *hosting.Entry) Entry { return Entry(e.Line()) }

// AuditFilter narrows the trail.
type AuditFilter struct {
	Did    string     `query:"did" maxLength:"100" doc:"Only this, such as site.create."`
	Object string     `query:"object" maxLength:"300" doc:"Only what was done to this."`
	Actor  hosting.ID `query:"actor" maxLength:"64" doc:"Only what this account did."`
	From   time.Time  `query:"from" doc:"Only what was done from then on."`
	To     time.Time  `query:"to" doc:"Only what was done before."`
}

func (f AuditFilter) query() hosting.AuditQuery {
	return hosting.AuditQuery{Did: f.Did, Object: f.Object, Actor: f.Actor, From: f.From, To: f.To}
}

func (s *Server) listAudit(ctx context.Context, a hosting.Actor, in *struct {
	Paging
	AuditFilter
}) (*answer[List[Entry]], error) {
	q := in.query()
	q.Limit = in.Limit
	var err error
	if q.Before, err = in.before(); err != nil {
		return nil, err
	}
	found, err := s.Rules.Trail(ctx, a, q)
	if err != nil {
		return nil, err
	}
	l := listOf(found, entryOf)
	l.Total = nil // nobody counted
	return &answer[List[Entry]]{l}, nil
}

// stream is an answer that is written as it is read.
type stream struct {
	ContentType string `header:"Content-Type"`
	Body        func(huma.Context)
}

func (s *Server) exportAudit(ctx context.Context, a hosting.Actor, in *AuditFilter) (*stream, error) {
	each, err := s.Rules.ExportTrail(ctx, a, in.query()) // whether it may be read is answered before anything is sent
	if err != nil {
		return nil, err
	}
	return &stream{ContentType: "application/x-ndjson", Body: func(to huma.Context) {
		to.SetHeader("Content-Type", "application/x-ndjson")
		to.SetStatus(http.StatusOK)
		lines, gone := json.NewEncoder(to.BodyWriter()), false
		err := each(func(e *hosting.Entry) error {
			err := lines.Encode(e.Line())
			gone = err != nil
			return err
		})
		if err != nil && !gone {
			s.Log.ErrorContext(ctx, "export the trail", "err", err)
			panic(http.ErrAbortHandler) // the client must not take it for the end
		}
	}}, nil
}

// Verified is the answer about a whole trail.
type Verified struct {
	Entries int64 `json:"entries" doc:"How many there are, each as it was written."`
}

func (s *Server) verifyAudit(ctx context.Context, a hosting.Actor, _ *struct{}) (*answer[Verified], error) {
	n, err := s.Rules.VerifyTrail(ctx, a)
	if err != nil {
		return nil, err
	}
	return &answer[Verified]{Verified{n}}, nil
}

// Sending is how far the trail came to the log server.
type Sending struct {
	Server      string            `json:"server" doc:"Where the trail is sent, as syslog by TLS; empty: nowhere." example:"logs.example.com:6514"`
	Seq         int64             `json:"seq" doc:"The last entry that the server confirmed; 0 for none."`
	Hash        string            `json:"hash" doc:"That entry's hash."`
	ConfirmedAt *time.Time        `json:"confirmedAt,omitempty" doc:"When it did."`
	Waiting     int64             `json:"waiting" doc:"How many entries it has not confirmed."`
	Since       *time.Time        `json:"since,omitempty" doc:"When the first of them was made."`
	Late        bool              `json:"late" doc:"Entries wait for longer than they should, or could not be sent."`
	Tries       int               `json:"tries" doc:"How often it was tried in vain since."`
	Fault       hosting.SendFault `json:"fault,omitempty" enum:"unreachable,certificate,refused,slow,unconfirmed,settings" doc:"Why it was in vain."`
	Message     string            `json:"message,omitempty" doc:"That in words."`
	Mend        string            `json:"mend,omitempty" doc:"What helps."`
}

func (s *Server) getSending(ctx context.Context, a hosting.Actor, _ *struct{}) (*answer[Sending], error) {
	state, err := s.Rules.TrailSending(ctx, a)
	if err != nil || state == nil {
		return &answer[Sending]{}, err
	}
	told := Sending{Server: state.Server, Seq: state.Seq, Hash: state.Hash, ConfirmedAt: moment(state.ConfirmedAt), Waiting: state.Waiting, Since: moment(state.Since),
		Late: state.Late(s.Now()), Tries: state.Tries, Fault: state.Fault}
	if why := state.Fault.Explain(); why != nil {
		told.Message, told.Mend = why.Message, why.Mend
	}
	return &answer[Sending]{told}, nil
}
