package operator

import (
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// class says how far a step came. Higher is worse: the worst step speaks for the
// object in Ready.
type class int

const (
	done    class = iota // satisfied
	blocked              // did not run: a step that it needs is not there yet
	paused               // as asked, but not serving
	waiting              // healthy, not done
	trouble              // something is wrong; we look again, it may mend itself
	failed               // an error; tried again
	stalled              // only a person can help
)

func (c class) String() string {
	return [...]string{"done", "blocked", "paused", "waiting", "trouble", "failed", "stalled"}[c]
}

// outcome is what a step answers when a plain error would say too little.
type outcome struct {
	class           class
	reason, message string
	after           time.Duration
	applied         bool
}

func (o *outcome) Error() string { return o.reason + ": " + o.message }

func answer(c class, after time.Duration, reason, format string, args []any) error {
	return &outcome{class: c, reason: reason, message: fmt.Sprintf(format, args...), after: after}
}

// Done says the step is satisfied and why that may surprise: it was asked to do
// nothing, for example.
func Done(reason, format string, args ...any) error {
	return answer(done, 0, reason, format, args)
}

// Until says the step is satisfied for d, and why: the loop looks again then.
func Until(d time.Duration, reason, format string, args ...any) error {
	return answer(done, d, reason, format, args)
}

// Pause says everything is as it was asked to be, and that this does not serve
// anybody: a suspended site.
func Pause(reason, format string, args ...any) error {
	return answer(paused, 0, reason, format, args)
}

// Wait reports progress. The loop looks again after d, or sooner when a watched
// object changes.
func Wait(d time.Duration, reason, format string, args ...any) error {
	return answer(waiting, d, reason, format, args)
}

// Trouble reports that something is wrong outside the spec. The loop looks again
// after d; it may mend itself, and the message says what would mend it.
func Trouble(d time.Duration, reason, format string, args ...any) error {
	return answer(trouble, d, reason, format, args)
}

// Stall says only a change of the spec, or a person, can help. The loop looks
// again when a watched object changes, and at the slow resync.
func Stall(reason, format string, args ...any) error {
	return answer(stalled, 0, reason, format, args)
}

// Applied marks an outcome whose objects exist: steps that need this one may go
// on although it is not satisfied.
func Applied(err error) error {
	o, ok := errors.AsType[*outcome](err)
	if !ok {
		return err
	}
	c := *o
	c.applied = true
	return &c
}

// read turns what a step returned into an outcome.
func read(err error) outcome {
	if err == nil {
		return outcome{class: done, reason: "Satisfied"}
	}
	if o, ok := errors.AsType[*outcome](err); ok {
		return *o
	}
	o := outcome{class: failed, reason: "Failed"}
	// Customers read conditions. Kubernetes says what it refuses in words about
	// objects of the site; any other error may name addresses or secrets and goes
	// to the log only.
	if status := apierrors.APIStatus(nil); errors.As(err, &status) {
		o.reason = "KubernetesRefused"
		o.message = fmt.Sprintf("Kubernetes answered: %s. It is tried again.", status.Status().Message)
		return o
	}
	o.message = "This step met an error and is tried again; the operator's log has the cause."
	return o
}

// lets tells whether steps that need this one may run.
func (o outcome) lets() bool { return o.class == done || o.applied }
