package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"kubepanel.io/kubepanel/internal/client"
	"kubepanel.io/kubepanel/internal/hosting"
)

// one is the argument rule of commands about one thing.
func one(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch len(args) {
		case 1:
			return nil
		case 0:
			return &usageError{message: what + " is missing", command: cmd.CommandPath()}
		}
		return &usageError{message: fmt.Sprintf("%q is one word too many", args[1]), command: cmd.CommandPath()}
	}
}

func sortedKeys[T any](m map[string]T) []string { return slices.Sorted(maps.Keys(m)) }

// done tells that something was done: a program gets v, a person a sentence.
func (e *Env) done(v any, format string, args ...any) error {
	if e.structured() {
		return e.printStructured(v)
	}
	e.say(format, args...)
	return nil
}

type login struct {
	env                     *Env
	name, tokenFile, caFile string
}

func newLogin(env *Env) *cobra.Command {
	l := &login{env: env}
	cmd := &cobra.Command{
		Use:   "login URL",
		Short: "Sign in to a panel with a token",
		Long: `Sign in to a panel with a token, which is read from standard input or a file, never
from an argument: other accounts of a computer see those. The token is kept in a file
that only you can read, and commands such as "kubepanel user list" use it from then on.

A token is made in the panel under Your account, Tokens; in its pod, panel token
--for ADDRESS prints one.`,
		Example: "  kubepanel login https://panel.example.com < token\n  kubepanel login https://panel.localhost --token-file token --ca-file kubepanel-ca.crt",
		Args:    one("the address of the panel"),
		RunE:    func(cmd *cobra.Command, args []string) error { return l.run(cmd.Context(), args[0]) },
	}
	f := cmd.Flags()
	f.StringVar(&l.tokenFile, "token-file", "", "`file` with the token (default: standard input)")
	f.StringVar(&l.caFile, "ca-file", "", "`file` with an authority to believe, as kubepanel platform ca prints it")
	f.StringVar(&l.name, "name", "", "`name` to remember the panel by (default: its host)")
	env.addOutput(cmd)
	return cmd
}

func (l *login) run(ctx context.Context, address string) error {
	address, err := client.ParseAddress(address)
	if err != nil {
		return err
	}
	p := panel{URL: address}
	if l.caFile != "" {
		ca, err := os.ReadFile(l.caFile)
		if err != nil {
			return &hosting.Error{Code: hosting.Invalid, Message: "The file of the authority can't be read: " + l.caFile + ".", Err: err}
		}
		p.CA = string(ca)
	}
	if p.Token, err = l.token(ctx); err != nil {
		return err
	}
	api, err := client.Open(p.URL, p.Token, p.CA)
	if err != nil {
		return err
	}
	who, err := api.GetAccountWithResponse(ctx)
	if err != nil {
		return err
	}
	if err := client.Check(who.StatusCode(), who.ApplicationProblemJSONDefault); err != nil {
		return err
	}
	all, err := l.env.readPanels()
	if err != nil {
		return err
	}
	if l.name == "" {
		u, err := url.Parse(p.URL)
		if err != nil {
			return err
		}
		l.name = u.Hostname()
	}
	all.Panels[l.name], all.Current = p, l.name
	if err := l.env.writePanels(all); err != nil {
		return err
	}
	return l.env.done(who.JSON200, "Signed in to %s as %s (%s).", p.URL, clean(who.JSON200.Email), who.JSON200.Role)
}

func (l *login) token(ctx context.Context) (string, error) {
	text := ""
	if l.tokenFile != "" {
		data, err := os.ReadFile(l.tokenFile)
		if err != nil {
			return "", &hosting.Error{Code: hosting.Invalid, Message: "The file of the token can't be read: " + l.tokenFile + ".", Err: err}
		}
		text = strings.TrimSpace(string(data))
	} else {
		if l.env.Ask {
			fmt.Fprint(l.env.Err, "Token: ") // a person sits there
		}
		var err error
		if text, err = l.env.readLine(ctx); err != nil {
			return "", err
		}
	}
	if !strings.HasPrefix(text, "kp_") || strings.ContainsAny(text, " \r\n\t") {
		return "", &hosting.Error{Code: hosting.Invalid, Message: "That is not a token: one begins with kp_.", Mend: "Have one printed in the panel's pod: panel token --for ADDRESS."}
	}
	return text, nil
}

func newLogout(env *Env) *cobra.Command {
	cmd := &cobra.Command{
		Use: "logout", Short: "Make the token of the panel in use worthless, and forget it",
		Example: "  kubepanel logout", Args: nothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			api, err := env.api()
			if err != nil {
				return err
			}
			ended, err := api.EndTokenWithResponse(cmd.Context())
			if err != nil {
				return err
			}
			err = client.Check(ended.StatusCode(), ended.ApplicationProblemJSONDefault)
			if e, ok := errors.AsType[*hosting.Error](err); err != nil && (!ok || e.Code != hosting.SignIn) { // worthless already is as good
				return err
			}
			all, err := env.readPanels()
			if err != nil {
				return err
			}
			was := all.Panels[all.Current].URL
			delete(all.Panels, all.Current)
			all.Current = ""
			if err := env.writePanels(all); err != nil {
				return err
			}
			return env.done(map[string]string{"url": was}, "Signed out of %s.", was)
		},
	}
	env.addOutput(cmd)
	return cmd
}
