package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"kubepanel.io/kubepanel/internal/hosting"
)

// Exit codes. 2 and 130 are what shells use for misuse and for SIGINT.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitChanges     = 3 // site plan --detailed-exitcode: something would change
	exitInterrupted = 130
)

// errChanges ends a command that was asked to tell by its exit code that something
// would change. There is nothing to explain.
var errChanges = errors.New("something would change")

// usageError is a command line that can't be understood.
type usageError struct {
	message string
	command string // whose help says more
}

func (u *usageError) Error() string { return u.message }

// exitCode is the one place that turns errors into exit codes.
func exitCode(err error) int {
	if err == nil {
		return exitDone
	}
	if _, ok := errors.AsType[*usageError](err); ok {
		return exitUsage
	}
	if errors.Is(err, errChanges) {
		return exitChanges
	}
	switch hosting.CodeOf(err) {
	case hosting.Invalid:
		return exitUsage
	case hosting.Interrupted:
		return exitInterrupted
	}
	if errors.Is(err, context.Canceled) {
		return exitInterrupted
	}
	return exitFailed
}

// explain is the one place that turns errors into text.
func explain(w io.Writer, err error, verbose bool) {
	if errors.Is(err, errChanges) {
		return
	}
	line := func(format string, args ...any) {
		fmt.Fprintf(w, format+"\n", args...) // there is no one left to tell
	}
	if u, ok := errors.AsType[*usageError](err); ok {
		line("error: %s", clean(u.message))
		line("       See: %s --help", u.command)
		return
	}
	e, ok := errors.AsType[*hosting.Error](err)
	switch {
	case !ok && errors.Is(err, context.Canceled):
		line("Interrupted.")
		return
	case !ok:
		line("error: %s", clean(err.Error()))
		return
	}
	lead := "error: "
	if e.Code == hosting.Interrupted {
		lead = ""
	}
	indent := fmt.Sprintf("%*s", len(lead), "")
	for _, sentence := range sentences(e) {
		line("%s%s", lead, clean(sentence))
		lead = indent
	}
	if verbose && e.Err != nil {
		line("%scause: %s", lead, clean(e.Err.Error()))
	}
}

func sentences(e *hosting.Error) []string {
	var all []string
	if e.Message != "" {
		all = append(all, e.Message)
	}
	for _, f := range e.Fields {
		all = append(all, f.Message)
	}
	if e.Mend != "" {
		all = append(all, e.Mend)
	}
	return all
}
