package kube

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kubepanel.io/kubepanel/internal/hosting"
)

const mendCluster = "Start this computer's with `make up` and name it with `eval \"$(make -s env)\"`, or name another one in KUBECONFIG or with --kubeconfig."

// answer turns what the API server said, or that it said nothing, into what a
// person may hear. Everything it does not know keeps its cause.
func (s Store) answer(ctx context.Context, doing string, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	wrapped := fmt.Errorf("%s: %w", doing, err)
	status := apierrors.APIStatus(nil)
	if !errors.As(err, &status) {
		if isNetwork(err) {
			return &hosting.Error{Code: hosting.Unreachable, Message: fmt.Sprintf("The cluster at %s does not answer: %s.", s.Server, cause(err)), Mend: mendCluster, Err: wrapped}
		}
		return wrapped
	}
	said := status.Status()
	switch {
	case unknownResource(said):
		return &hosting.Error{Code: hosting.NotInstalled, Message: "Kubepanel is not installed in the cluster at " + s.Server + ": it has no such resources.",
			Mend: "Install the platform with `make up`, or the chart in deploy/kubepanel with helm.", Err: wrapped}
	case apierrors.IsNotFound(err):
		return &hosting.Error{Code: hosting.NotFound, Message: "There is no such thing: " + said.Message + ".", Err: wrapped}
	case apierrors.IsAlreadyExists(err):
		return &hosting.Error{Code: hosting.Conflict, Message: "The name is taken: " + said.Message + ".", Err: wrapped}
	case apierrors.IsConflict(err):
		return &hosting.Error{Code: hosting.Conflict, Message: "Somebody changed it meanwhile: " + said.Message + ".", Mend: "Look at it again and repeat what you asked for.", Err: wrapped}
	case apierrors.IsUnauthorized(err):
		return &hosting.Error{Code: hosting.Forbidden, Message: "The cluster at " + s.Server + " does not know you.",
			Mend: "The kubeconfig may be of an earlier cluster: get the present one with `eval \"$(make -s env)\"`, or ask the administrator.", Err: wrapped}
	case apierrors.IsForbidden(err):
		return &hosting.Error{Code: hosting.Forbidden, Message: "You may not do that: " + said.Message + ".",
			Mend: "Ask the administrator for the right, or use another account with --context or --kubeconfig.", Err: wrapped}
	case apierrors.IsInvalid(err):
		return invalid(said, wrapped)
	case apierrors.IsServiceUnavailable(err), apierrors.IsTimeout(err), apierrors.IsServerTimeout(err), apierrors.IsTooManyRequests(err), apierrors.IsInternalError(err):
		return &hosting.Error{Code: hosting.Unreachable, Message: "The cluster at " + s.Server + " can't answer now: " + said.Message + ".", Mend: "Try again in a moment.", Err: wrapped}
	}
	return wrapped
}

// unknownResource tells the answer to an address that the API server does not
// serve from the answer that an object is missing.
func unknownResource(said metav1.Status) bool {
	if said.Reason != metav1.StatusReasonNotFound || said.Details == nil {
		return false
	}
	for _, c := range said.Details.Causes {
		if c.Type == metav1.CauseTypeUnexpectedServerResponse {
			return true
		}
	}
	return false
}

// invalid hands on every sentence of the schema's rules.
func invalid(said metav1.Status, wrapped error) error {
	e := &hosting.Error{Code: hosting.Invalid, Err: wrapped}
	if said.Details != nil {
		for _, c := range said.Details.Causes {
			if c.Field == "<nil>" {
				continue // says only that no rule was asked, since a type was wrong
			}
			// One of a list is at fault where the list is.
			name, _, _ := strings.Cut(c.Field, "[")
			e.Fields = append(e.Fields, hosting.Field{Name: name, Message: c.Field + ": " + c.Message + "."})
		}
	}
	if len(e.Fields) == 0 {
		e.Message = said.Message + "."
	}
	return e
}

// isNetwork tells an answer that did not come from one that we can't explain.
func isNetwork(err error) bool {
	if _, ok := errors.AsType[*url.Error](err); ok {
		return true
	}
	_, ok := errors.AsType[net.Error](err)
	return ok
}

// cause leaves out method and address, which say nothing to a person.
func cause(err error) string {
	if e, ok := errors.AsType[*net.OpError](err); ok {
		return e.Err.Error()
	}
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err.Error()
	}
	return err.Error()
}
