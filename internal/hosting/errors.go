package hosting

import (
	"errors"
	"strings"
	"time"
)

// Code says what kind of answer an error is. The faces map codes to exit codes
// and HTTP statuses; nothing else does.
type Code string

// Codes.
const (
	Invalid      Code = "invalid"       // the request can never succeed as written
	NotFound     Code = "not_found"     // there is no such thing, or not for this actor
	Conflict     Code = "conflict"      // somebody else has it, or changed it meanwhile
	Changed      Code = "changed"       // it is not any more what the actor saw
	Forbidden    Code = "forbidden"     // the actor may not do that
	OverQuota    Code = "over_quota"    // the package has no room for it
	Limited      Code = "rate_limited"  // too many tries; later
	Broken       Code = "broken"        // the audit trail is not what was written
	SignIn       Code = "sign_in"       // nobody is signed in, or not far enough
	Unreachable  Code = "unreachable"   // the cluster does not answer
	NotInstalled Code = "not_installed" // the cluster has no platform, or a broken one
	Stalled      Code = "stalled"       // the site needs a person
	Timeout      Code = "timeout"       // it is still going on, but we were told not to wait longer
	Interrupted  Code = "interrupted"   // a person stopped looking
	Internal     Code = "internal"      // everything we did not foresee
)

// Error is an answer meant for a person. Anything that is not an *Error is
// Internal.
type Error struct {
	Code    Code
	Message string  // what is wrong, in one sentence
	Mend    string  // what mends it, in one sentence; empty when Message says it
	Fields  []Field // the faults of a request, in the order of the request
	Err     error   // the cause, for a log or a verbose answer
}

// Field is one fault of a request.
type Field struct {
	Name    string `json:"name,omitempty"`
	Message string `json:"message"`
}

// Error joins all sentences.
func (e *Error) Error() string {
	parts := make([]string, 0, len(e.Fields)+2)
	if e.Message != "" {
		parts = append(parts, e.Message)
	}
	for _, f := range e.Fields {
		parts = append(parts, f.Message)
	}
	if e.Mend != "" {
		parts = append(parts, e.Mend)
	}
	return strings.Join(parts, " ")
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// CodeOf returns the code of err, or Internal for a foreign error.
func CodeOf(err error) Code {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return Internal
}

// faults collects what is wrong with a request, so that a person reads all of it
// at once.
type faults []Field

func (f *faults) add(field, message string) {
	*f = append(*f, Field{Name: field, Message: sentence(message)})
}

// span adds that a time ends before it begins; zero times bound nothing.
func (f *faults) span(from, to time.Time) {
	if !from.IsZero() && !to.IsZero() && to.Before(from) {
		f.add("to", "the end is before the beginning; exchange the two")
	}
}

// check adds what err says of field and returns whether there was nothing to add.
func (f *faults) check(field string, err error) bool {
	if err == nil {
		return true
	}
	f.add(field, err.Error())
	return false
}

func (f faults) err() error {
	if len(f) == 0 {
		return nil
	}
	return &Error{Code: Invalid, Fields: f}
}
