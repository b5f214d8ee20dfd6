package rest

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/auth"
	"kubepanel.io/kubepanel/internal/panel/metrics"
)

// schemeToken is the name of the one way to authenticate.
const schemeToken = "token"

// operation is one line of the API: what it is called, where it is, and the right
// that a token must have for it.
type operation struct {
	method, path string
	id, summary  string
	// scope is the right that a token needs; "" for what every token may do.
	scope hosting.Right
	// also is a second one, for what the answer shows or whom it is about.
	also   hosting.Right
	status int
	// secret: the answer holds what is stored by nobody, so no Idempotency-Key keeps it.
	secret bool
	// shows is the field of the answer that is shown this once: what a key keeps is the
	// answer without it.
	shows string
	// stream: the answer is sent as it is made, and has no entity tag.
	stream bool
	// parts: parts of the answer can be had (RFC 9110 section 14).
	parts bool
	// long: it may take minutes, so the server's bounds of time are put off.
	long bool
	// later: a client may hear at once where its progress is shown (RFC 7240 section 4.1).
	later bool
	// body bounds a request's body that is read as it comes, in octets; 0 for none such.
	body int64
	// says more than the summary.
	says string
}

// handle registers an operation. Its handler gets who asks, and its errors become
// problem documents.
func handle[I, O any](s *Server, op operation, h func(context.Context, hosting.Actor, *I) (*O, error)) {
	tag, _, _ := strings.Cut(strings.TrimPrefix(op.path, "/"), "/")
	if op.status == 0 {
		op.status = http.StatusOK
	}
	registered := huma.Operation{
		OperationID: op.id, Method: op.method, Path: op.path, Summary: op.summary, Description: op.description(),
		Tags: []string{tag}, DefaultStatus: op.status, MaxBodyBytes: max(op.body, maxBody), Responses: s.responses(op),
	}
	registered.Security = []map[string][]string{{schemeToken: op.scopes()}}
	if op.method == http.MethodPost && !op.secret {
		registered.Parameters = append(registered.Parameters, idempotencyParameter())
	}
	if op.body > 0 {
		registered.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
			"application/octet-stream": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}}
	}
	s.facts[op.method+" "+Prefix+op.path] = op
	huma.Register(s.api, registered, func(ctx context.Context, in *I) (*O, error) {
		metrics.Route(ctx, op.method+" "+Prefix+op.path)
		a, _ := auth.ActorOf(ctx)
		if err := op.admits(a); err != nil {
			return nil, s.problem(ctx, op.id, err)
		}
		out, err := h(ctx, a, in)
		if going, ok := errors.AsType[*hosting.Going](err); ok {
			return nil, s.accepted(going)
		}
		if err != nil {
			return nil, s.problem(ctx, op.id, err)
		}
		return out, nil
	})
}

func (op operation) description() string {
	var lines []string
	if op.says != "" {
		lines = append(lines, op.says)
	}
	if op.shows != "" {
		lines = append(lines, "With an `"+keyHeader+"` the first answer alone has the "+op.shows+": the same request again is answered without it.")
	}
	switch scopes := op.scopes(); len(scopes) {
	case 0:
	case 1:
		lines = append(lines, "A token needs the scope `"+scopes[0]+"`.")
	default:
		lines = append(lines, "A token needs the scopes `"+strings.Join(scopes, "` and `")+"`.")
	}
	return strings.Join(lines, "\n\n")
}

// scopes are the rights that a token needs.
func (op operation) scopes() []string {
	all := []string{}
	for _, s := range []hosting.Right{op.scope, op.also} {
		if s != "" {
			all = append(all, string(s))
		}
	}
	return all
}

// admits refuses a token that lacks a scope before anything is done: an answer that could
// not be shown would look like a refusal of what was done. What its account may do is for
// hosting.May.
func (op operation) admits(a hosting.Actor) error {
	if a.Scopes == nil {
		return nil
	}
	for _, s := range op.scopes() {
		if !slices.Contains(a.Scopes, hosting.Right(s)) {
			return &hosting.Error{Code: hosting.Forbidden, Message: "This token lacks the scope " + s + ".", Mend: "Use a token that has it."}
		}
	}
	return nil
}

// responses are those that every operation has beside its own.
func (s *Server) responses(op operation) map[string]*huma.Response {
	all := map[string]*huma.Response{"default": {
		Description: "What went wrong, as a problem document (RFC 9457).",
		Content: map[string]*huma.MediaType{problemType: {
			Schema: s.api.OpenAPI().Components.Schemas.Schema(typeOfProblem(), true, "Problem"),
		}},
	}}
	if op.method == http.MethodGet {
		all["304"] = &huma.Response{Description: "It is still what If-None-Match names."}
	}
	if op.later {
		text := &huma.Param{Schema: &huma.Schema{Type: huma.TypeString}}
		all["202"] = &huma.Response{
			Description: "It goes on; Location shows how far it is.",
			Headers:     map[string]*huma.Param{"Location": text, "Preference-Applied": text},
			Content:     map[string]*huma.MediaType{"application/json": {Schema: s.api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[FileJob](), true, "FileJob")}},
		}
	}
	if op.parts {
		all["206"] = &huma.Response{Description: "The part that Range asks for."}
	}
	return all
}

func idempotencyParameter() *huma.Param {
	longest := maxKey
	return &huma.Param{
		Name: keyHeader, In: "header",
		Description: "Makes the request count once: the same key with the same request gets the first one's answer again, for a day.",
		Schema:      &huma.Schema{Type: huma.TypeString, MaxLength: &longest},
	}
}
