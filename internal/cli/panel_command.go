package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"kubepanel.io/kubepanel/internal/client"
	"kubepanel.io/kubepanel/internal/hosting"
)

// wording is what a command takes behind its name: so many, each called something. The
// last may be left out, or be there several times.
type wording struct {
	names          []string
	optional, many bool
}

func (w wording) args(cmd *cobra.Command, args []string) error {
	least := len(w.names)
	if w.optional {
		least--
	}
	switch {
	case len(args) < least:
		return &usageError{message: w.names[len(args)] + " is missing", command: cmd.CommandPath()}
	case len(args) > len(w.names) && !w.many:
		return &usageError{message: fmt.Sprintf("%q is one word too many", args[len(w.names)]), command: cmd.CommandPath()}
	}
	return nil
}

// with is a command of a panel that takes several words.
func (e *Env) with(w wording, cmd *cobra.Command, run func(ctx context.Context, api *client.ClientWithResponses, args []string) error) *cobra.Command {
	cmd.Args = w.args
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		api, err := e.api()
		if err != nil {
			return err
		}
		return run(cmd.Context(), api, args)
	}
	e.addOutput(cmd)
	return cmd
}

// optional is a value that is left out when it is the zero one.
func optional[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

// value is a value that may be missing.
func value[T any](v *T) T {
	if v == nil {
		var zero T
		return zero
	}
	return *v
}

// given is the value of a flag that is on the command line; nil when it is not.
func given[T any](f *pflag.FlagSet, flag string, v T) *T {
	if !f.Changed(flag) {
		return nil
	}
	return &v
}

// named finds the one of all that has a name or an ID; kind is what they are called, which
// is also the command that lists them.
func named[T any](all []T, kind, name string, of func(*T) (id, name string)) (*T, error) {
	var found []*T
	for i := range all {
		if id, called := of(&all[i]); id == name || called == name {
			found = append(found, &all[i])
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return nil, &hosting.Error{Code: hosting.NotFound, Message: fmt.Sprintf("There is no %s %q.", kind, name), Mend: "See which there are with: kubepanel " + kind + " list"}
	}
	return nil, &hosting.Error{Code: hosting.NotFound, Message: fmt.Sprintf("There is more than one %s %q.", kind, name), Mend: "Name one by its ID, see: kubepanel " + kind + " list -o json"}
}
