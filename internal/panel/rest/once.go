package rest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/auth"
)

// The header of draft-ietf-httpapi-idempotency-key-header-07.
const (
	keyHeader = "Idempotency-Key"
	maxKey    = 200
	// maxKept bounds an answer that is kept, in octets.
	maxKept = 64 << 10
)

// kept is an answer as it is kept.
type kept struct {
	Status int               `json:"status"`
	Header map[string]string `json:"header"`
	Body   string            `json:"body"`
}

func (k kept) write(w http.ResponseWriter) {
	for name, value := range k.Header {
		w.Header().Set(name, value)
	}
	w.WriteHeader(k.Status)
	io.WriteString(w, k.Body) //nolint:errcheck // a client that went away
}

// without returns the answer without a field of its body; "" for none.
func (k kept) without(field string) (kept, error) {
	if field == "" || k.Status >= http.StatusMultipleChoices {
		return k, nil
	}
	var body map[string]json.RawMessage
	if err := json.Unmarshal([]byte(k.Body), &body); err != nil {
		return kept{}, fmt.Errorf("read an answer to keep it without its %s: %w", field, err)
	}
	delete(body, field)
	text, err := json.Marshal(body)
	if err != nil {
		return kept{}, err
	}
	k.Header, k.Body = maps.Clone(k.Header), string(text)
	delete(k.Header, "Content-Length")
	if version, _, ok := strings.Cut(strings.Trim(k.Header["Etag"], `"`), "."); ok {
		k.Header["Etag"] = tag(version, k.Body)
	}
	return k, nil
}

type onceKey struct{}

// rules are hosting's, for the request that ctx belongs to.
func (s *Server) rules(ctx context.Context) *hosting.Provider {
	if o, ok := ctx.Value(onceKey{}).(*hosting.Once); ok {
		return s.Rules.Once(o)
	}
	return s.Rules
}

// once has requests with a key count once: the first is answered by next, and every
// later one with the first one's answer.
func (s *Server) once(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key := r.Header.Get(keyHeader)
		_, pattern := s.mux.Handler(r)
		a, _ := auth.ActorOf(r.Context())
		// Who lacks the scope is refused by the operation, and sees no answer of another token's.
		if op, known := s.facts[pattern]; r.Method != http.MethodPost || key == "" || !known || op.secret || op.admits(a) != nil {
			next.ServeHTTP(w, r)
			return
		}
		if len(key) > maxKey || !visible(key) {
			p := newProblem(hosting.Invalid, "The key can't be used.")
			p.Errors = []ProblemField{{Field: keyHeader, Message: fmt.Sprintf("Write up to %d visible ASCII characters, such as a UUID.", maxKey)}}
			p.write(w)
			return
		}
		if err := s.count(w, r, key, next); err != nil {
			s.problem(r.Context(), "count a request once", err).write(w)
		}
	})
}

func visible(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' })
}

func (s *Server) count(w http.ResponseWriter, r *http.Request, key string, next http.Handler) error {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return bodyProblem(err)
	}
	a, _ := auth.ActorOf(r.Context())
	var most time.Duration
	if _, pattern := s.mux.Handler(r); s.facts[pattern].long {
		most = longest
	}
	o, err := s.Rules.BeginOnce(r.Context(), a, key, digest(r, body), most)
	switch {
	case err != nil && hosting.CodeOf(err) == hosting.Conflict:
		p := s.problem(r.Context(), "count a request once", err)
		p.wait = waitBusy
		return p
	case err != nil:
		return err
	case o.Answer != nil:
		var k kept
		if err := json.Unmarshal(o.Answer, &k); err != nil {
			return fmt.Errorf("read an answer that was kept: %w", err)
		}
		w.Header().Set("Idempotency-Replayed", "true")
		k.write(w)
		return nil
	}
	k, err := s.work(r, o, body, next)
	if err != nil {
		return err
	}
	// Whether somebody still waits for the answer or not, it is to be kept.
	_, pattern := s.mux.Handler(r)
	if err := s.keep(context.WithoutCancel(r.Context()), o, k, s.facts[pattern].shows); err != nil {
		s.Log.WarnContext(r.Context(), "keep an answer", "err", err)
	}
	k.write(w)
	return nil
}

// work answers a request. When somebody died after making what it asks for, the answer
// is what was made.
func (s *Server) work(r *http.Request, o *hosting.Once, body []byte, next http.Handler) (kept, error) {
	ctx := context.WithValue(r.Context(), onceKey{}, o)
	if o.Made != "" {
		k, found, err := s.made(r, o, next)
		if err != nil || found {
			return k, err
		}
		if err := s.Rules.ForgetMade(ctx, o); err != nil {
			return kept{}, err
		}
	}
	again := r.Clone(ctx)
	again.Body = io.NopCloser(bytes.NewReader(body))
	return record(again, next), nil
}

// made shows what a request made before its answer was lost: the thing that stands below
// the address of the request. It returns false when that is not there after all.
func (s *Server) made(r *http.Request, o *hosting.Once, next http.Handler) (kept, bool, error) {
	a, _ := auth.ActorOf(r.Context())
	if r.URL.Path == Prefix+"/sites" {
		site, err := s.Rules.Site(r.Context(), a, o.Made)
		if err == nil && site.Domain == nil { // whether it is made is found out within minutes
			return kept{}, false, &Problem{Type: Prefix + "/docs#unreachable", Title: http.StatusText(http.StatusServiceUnavailable), Status: http.StatusServiceUnavailable,
				Code: hosting.Unreachable, Detail: "Whether the site is being made is not known yet.", Mend: "Ask again with the same key.", wait: waitUnreachable}
		}
	}
	look := r.Clone(r.Context())
	look.Method, look.Body, look.ContentLength = http.MethodGet, http.NoBody, 0
	look.URL.Path += "/" + o.Made
	look.URL.RawPath, look.URL.RawQuery = "", ""
	if strings.HasSuffix(r.URL.Path, "/test") || strings.HasSuffix(r.URL.Path, "/replay") {
		look.URL.Path = deliveriesOf(r.URL.Path) + "/" + o.Made
	}
	k := record(look, next)
	switch k.Status {
	case http.StatusOK:
		_, pattern := s.mux.Handler(r)
		k.Status = s.facts[pattern].status
		k.Header["Location"] = look.URL.Path
		return k, true, nil
	case http.StatusNotFound:
		return k, false, nil
	}
	return k, true, nil
}

// deliveriesOf is where the messages of a webhook are, from an address below it.
func deliveriesOf(path string) string {
	parts := strings.SplitN(strings.TrimPrefix(path, Prefix+"/webhooks/"), "/", 2)
	return Prefix + "/webhooks/" + parts[0] + "/deliveries"
}

// keep stores an answer without the field that it shows once, or lets the request be
// tried again when the cause of its failure passes.
func (s *Server) keep(ctx context.Context, o *hosting.Once, k kept, shows string) error {
	passing := k.Status >= http.StatusInternalServerError || k.Status == http.StatusTooManyRequests || k.Status == http.StatusUnauthorized
	if passing || len(k.Body) > maxKept {
		return s.Rules.DropOnce(ctx, o)
	}
	k, err := k.without(shows)
	if err != nil {
		return err // the request stays open: who asks again is answered with what it made
	}
	text, err := json.Marshal(k)
	if err != nil {
		return err
	}
	return s.Rules.EndOnce(ctx, o, text)
}

// digest names all that a request asks.
func digest(r *http.Request, body []byte) string {
	h := sha256.New()
	for _, part := range []string{r.Method, r.URL.Path, r.URL.RawQuery, r.Header.Get("If-Match"), string(body)} {
		fmt.Fprintf(h, "%d:%s,", len(part), part)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// bodyProblem says why a body could not be read.
func bodyProblem(err error) error {
	if large, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return decoded(http.StatusRequestEntityTooLarge, fmt.Sprintf("a request has at most %d KiB", large.Limit>>10))
	}
	return decoded(http.StatusBadRequest, "the request ended early")
}
