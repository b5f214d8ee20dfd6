package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"kubepanel.io/kubepanel/internal/hosting"
)

// sure lets a person think again before a change that visitors or the customer notice:
// one that restarts or stops the site, or takes a name or a key from it. It speaks on the
// error output, so that an answer for a program stays clean.
func (c *siteSet) sure(ctx context.Context, plan func() (*hosting.Plan, error)) error {
	if c.yes || c.dryRun || !c.env.Ask || !c.change.typed() {
		return nil
	}
	p, err := plan()
	switch {
	case err != nil:
		return err
	case len(p.Refused) > 0:
		return refusal(p, "Nothing was changed.")
	case !noticed(p):
		return nil
	}
	fmt.Fprintf(c.env.Err, "The site %s would be changed:\n", hosting.ShowBoth(p.Site)) // without the question there is no answer
	printFields(c.env.Err, p.Spec)
	if err := table(c.env.Err, effects(p)); err != nil {
		return err
	}
	return c.env.agreed(ctx, "Change it?")
}

// agreed asks a person for a yes.
func (e *Env) agreed(ctx context.Context, question string) error {
	fmt.Fprintf(e.Err, "%s [y/N] ", question) // without the question there is no answer
	answer, err := e.readLine(ctx)
	if err != nil {
		return err
	}
	if !slices.Contains([]string{"y", "yes"}, strings.ToLower(answer)) {
		return &hosting.Error{Code: hosting.Conflict, Message: "That is no yes, so nothing was changed."}
	}
	return nil
}

// noticed tells whether a change is one that somebody would mind to make by a slip.
func noticed(p *hosting.Plan) bool {
	return p.Downtime.Seconds > 0 || p.Downtime.Lasting || slices.ContainsFunc(p.Spec, takesAway) ||
		slices.ContainsFunc(p.Effects, func(e hosting.Effect) bool { return e.Kind == hosting.EffectRestart || e.Kind == hosting.EffectStop })
}

// takesAway tells whether a field of a plan is a name or a key that the site has no more.
func takesAway(f hosting.FieldChange) bool {
	if !strings.HasPrefix(f.Path, "spec.aliases") && f.Path != "spec.sftp.authorizedKeys" {
		return false
	}
	left := items(f.New)
	return slices.ContainsFunc(items(f.Old), func(had string) bool { return !slices.Contains(left, had) })
}

// items are the texts of a list in a plan; a value that is none is one of its own.
func items(v any) []string {
	switch list := v.(type) {
	case nil:
		return nil
	case []string:
		return list
	case []any:
		texts := make([]string, len(list))
		for i := range list {
			texts[i] = fmt.Sprint(list[i])
		}
		return texts
	}
	return []string{fmt.Sprint(v)}
}
