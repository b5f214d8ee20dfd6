package rest

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/auth"
	"kubepanel.io/kubepanel/internal/panel/httpstatus"
)

const problemType = "application/problem+json"

// Problem says what went wrong (RFC 9457).
type Problem struct {
	Type   string         `json:"type" format:"uri-reference" doc:"Where the code is explained."`
	Title  string         `json:"title" doc:"The status in words."`
	Status int            `json:"status" minimum:"400" maximum:"599"`
	Code   hosting.Code   `json:"code" doc:"What kind of problem it is; programs decide by this." example:"over_quota"`
	Detail string         `json:"detail,omitempty" doc:"What is wrong, in a sentence."`
	Mend   string         `json:"mend,omitempty" doc:"What mends it, in a sentence."`
	ID     string         `json:"id,omitempty" doc:"Names this one in the provider's log, where the cause is ours."`
	Errors []ProblemField `json:"errors,omitempty" doc:"Each fault of the request."`

	wait int // seconds until it is worth asking again; 0: no word about that
}

// ProblemField is one fault of a request.
type ProblemField struct {
	Field   string `json:"field,omitempty" doc:"The field of the body, or the parameter, that it is about."`
	Message string `json:"message"`
}

// Error implements error.
func (p *Problem) Error() string { return p.Detail }

// GetStatus implements huma.StatusError.
func (p *Problem) GetStatus() int { return p.Status }

// GetHeaders implements huma.HeadersError.
func (p *Problem) GetHeaders() http.Header {
	h := http.Header{}
	if p.wait > 0 {
		h.Set("Retry-After", strconv.Itoa(p.wait))
	}
	return h
}

// ContentType implements huma.ContentTypeFilter.
func (p *Problem) ContentType(string) string { return problemType }

func typeOfProblem() reflect.Type { return reflect.TypeFor[Problem]() }

// newProblem fills in what follows from a code.
func newProblem(code hosting.Code, detail string) *Problem {
	p := &Problem{Type: Prefix + "/docs#" + string(code), Code: code, Status: httpstatus.Of(code), Detail: detail}
	p.Title = http.StatusText(p.Status)
	return p
}

// Waits that an answer proposes, in seconds.
const (
	waitUnreachable = 5
	waitBusy        = 2
	waitTries       = 900
)

// problem makes a document of a rule's answer. What is no answer for people goes into
// the log under a number, and the document tells the number alone.
func (s *Server) problem(ctx context.Context, doing string, err error) *Problem {
	if p, ok := errors.AsType[*Problem](err); ok {
		return p
	}
	code := hosting.CodeOf(err)
	e, ok := errors.AsType[*hosting.Error](err)
	if !ok || code == hosting.Internal {
		p := newProblem(hosting.Internal, "Something broke on our side.")
		p.ID = rand.Text()[:8]
		p.Mend = "Try again; if it stays, tell your provider the number " + p.ID + "."
		if ctx.Err() == nil {
			s.Log.ErrorContext(ctx, "request failed", "id", p.ID, "operation", doing, "err", err)
		}
		return p
	}
	a, _ := auth.ActorOf(ctx)
	s.Doors.Refused(ctx, s.Log, a, doing, err)
	p := newProblem(code, e.Message)
	p.Mend = e.Mend
	for _, f := range e.Fields {
		p.Errors = append(p.Errors, ProblemField{Field: fieldName(doing, f.Name), Message: f.Message})
	}
	if p.Detail == "" && len(p.Errors) > 0 {
		p.Detail = p.Errors[0].Message
	}
	switch code {
	case hosting.Unreachable, hosting.NotInstalled, hosting.Timeout:
		p.wait = waitUnreachable
	case hosting.Limited:
		p.wait = waitTries
	default:
	}
	return p
}

// fieldName is what a fault's field is called in an operation's body, where that differs
// from the name that a rule, a flag of the terminal or the API server has for it.
func fieldName(operation, rule string) string {
	switch operation {
	case "planSiteSpec":
		if strings.HasPrefix(rule, "spec.") { // so has its body
			return rule
		}
	case "createPackage", "changePackage", "planPackage":
		if slices.Contains(hosting.Resources(), hosting.Resource(rule)) {
			first, second, _ := strings.Cut(rule, "_")
			return "quota." + first + strings.ToUpper(second[:min(1, len(second))]) + second[min(1, len(second)):]
		}
	case "moveFiles", "copyFiles", "trashFiles":
		if rule == "path" {
			return "paths"
		}
	case "packFiles":
		if name, ok := map[string]string{"path": "folder", "name": "archive"}[rule]; ok {
			return name
		}
	}
	ours := map[string]string{
		"alias": "aliases", "setting": "settings", "no-database": "database", "php": "runtime",
		"admin-user": "wordpress.adminUser", "admin-email": "wordpress.adminEmail", "locale": "wordpress.locale",
		"timezone": "timeZone", "line": "shell", "timeout": "timeoutSeconds", "client": "clientId",
		"preferred-nodes": "preferredNodes", "proxy-mode": "proxyMode",
		"spec.timezone": "timeZone", "spec.webserver.documentRoot": "documentRoot", "spec.webserver.clientMaxBodySize": "uploadSize",
		"spec.webserver.wwwRedirect": "wwwRedirect", "spec.webserver.customConfig": "webserverConfig", "spec.workload.customConfig": "runtimeConfig",
		"spec.sftp.authorizedKeys": "authorizedKeys",
	}
	if name, ok := ours[rule]; ok {
		return name
	}
	return rule
}

// decoded makes a document of what the decoder refuses.
func decoded(status int, message string, errs ...error) *Problem {
	code := hosting.Invalid
	switch {
	case status == http.StatusRequestTimeout:
		code = hosting.Timeout
	case status >= http.StatusInternalServerError:
		code = hosting.Internal
	}
	p := newProblem(code, "The request is not as the document describes it.")
	p.Mend = "Compare it with " + Prefix + "/docs."
	p.Status, p.Title = status, http.StatusText(status)
	for _, err := range errs {
		f := ProblemField{Message: message}
		var d *huma.ErrorDetail
		if from, ok := err.(huma.ErrorDetailer); ok {
			d = from.ErrorDetail()
		}
		if d != nil {
			f.Message = d.Message
			f.Field = plainField(d.Location)
		}
		p.Errors = append(p.Errors, f)
	}
	if len(errs) == 0 && message != "" {
		p.Detail = strings.ToUpper(message[:1]) + message[1:] + "."
	}
	return p
}

// plainField is the field that a place in a request names: name for body.name.
func plainField(location string) string {
	_, field, ok := strings.Cut(location, ".")
	if !ok {
		return ""
	}
	return field
}

// speakOurWay has the library's own refusals be problem documents of ours. It keeps
// them in variables of its own.
var speakOurWay = sync.OnceFunc(func() {
	huma.DefaultArrayNullable = false
	huma.NewError = func(status int, message string, errs ...error) huma.StatusError {
		return decoded(status, message, errs...)
	}
	huma.NewErrorWithContext = func(_ huma.Context, status int, message string, errs ...error) huma.StatusError {
		return decoded(status, message, errs...)
	}
})

// write sends a problem from outside of an operation.
func (p *Problem) write(w http.ResponseWriter) {
	for name, values := range p.GetHeaders() {
		w.Header()[name] = values
	}
	if p.Status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="kubepanel"`) // RFC 6750 section 3
	}
	w.Header().Set("Content-Type", problemType)
	w.WriteHeader(p.Status)
	json.NewEncoder(w).Encode(p) //nolint:errcheck // a client that went away
}
