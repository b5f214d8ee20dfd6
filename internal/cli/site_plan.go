package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/client"
	"kubepanel.io/kubepanel/internal/hosting"
)

type sitePlan struct {
	env            *Env
	name, file     string
	change         siteChange
	delete, detail bool
}

func newSitePlan(env *Env) *cobra.Command {
	c := &sitePlan{env: env, change: siteChange{env: env}}
	cmd := &cobra.Command{
		Use:   "plan {NAME | -f FILE}",
		Short: "Show what a change of a site would do, and change nothing",
		Long: `Show what a change of a site would do, and change nothing: which objects and fields
change from what to what, what restarts or reloads, how long the site would not
answer, and what it may use then. A change that would be refused says so, in the
words of who refuses it.

With -f the site becomes what the file says, as kubectl replace does it; what the file
leaves out goes back to its default. A site that there is not is planned as a new one, at a
panel as one of yours. Values of Secrets and of environment variables are never shown.

Exit codes: as always; with --detailed-exitcode 0 means that nothing would change and 3
that something would.`,
		Example: `  kubepanel site plan -f blog.yaml
  kubepanel site plan blog.localhost --php 8.2
  kubepanel site plan blog.localhost --delete
  kubectl get domain blog.localhost -o yaml | sed s/8.4/8.2/ | kubepanel site plan -f -`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: env.siteNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := c.check(cmd, args); err != nil {
				return err
			}
			change, err := c.change.read(cmd)
			if err != nil {
				return err
			}
			return c.run(cmd.Context(), change)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&c.file, "file", "f", "", "`file` with a Domain; - reads standard input")
	c.change.add(cmd)
	f.BoolVar(&c.delete, "delete", false, "plan the deletion of the site")
	f.BoolVar(&c.detail, "detailed-exitcode", false, "end with 3 when something would change")
	env.addOutput(cmd)
	return cmd
}

// check finds what does not go together on the command line.
func (c *sitePlan) check(cmd *cobra.Command, args []string) error {
	misuse := func(message string) error { return &usageError{message: message, command: cmd.CommandPath()} }
	change := c.change.any()
	switch {
	case c.file != "" && (len(args) > 0 || change || c.delete):
		return misuse("a file says all by itself; leave out the name and the other options")
	case c.file != "":
		return nil
	case len(args) == 0:
		return misuse("the name of the site is missing; give it, or a file with -f")
	case change && c.delete:
		return misuse("--delete leaves nothing to change; give one of them")
	case !c.delete && !change:
		return misuse("nothing to plan: say what to change, or give --delete or --file")
	}
	c.name = args[0]
	return nil
}

func (c *sitePlan) run(ctx context.Context, change hosting.SiteChange) error {
	var plan *hosting.Plan
	err := c.env.either(func(api *client.ClientWithResponses) (err error) {
		plan, err = c.throughPanel(ctx, api, change)
		return err
	}, func() error {
		_, panel, err := c.env.open()
		if err != nil {
			return err
		}
		plan, err = c.plan(ctx, panel, change)
		return err
	})
	if err != nil {
		return err
	}
	if c.env.structured() {
		err = c.env.printStructured(plan)
	} else if len(plan.Refused) == 0 {
		err = c.env.printPlan(plan)
	}
	switch {
	case err != nil:
		return err
	case len(plan.Refused) > 0:
		return refusal(plan, "Nothing would be changed.")
	case c.detail && !plan.Empty():
		return errChanges
	}
	return nil
}

// refusal is the answer to a change whose plan says that it can't be made.
func refusal(p *hosting.Plan, mend string) error {
	return &hosting.Error{Code: hosting.Invalid, Fields: p.Refused, Mend: mend}
}

func (c *sitePlan) plan(ctx context.Context, panel *hosting.Panel, change hosting.SiteChange) (*hosting.Plan, error) {
	switch {
	case c.delete:
		return panel.PlanDelete(ctx, c.name)
	case c.file == "":
		return panel.PlanChange(ctx, c.name, change)
	}
	d, err := c.read()
	if err != nil {
		return nil, err
	}
	return panel.PlanSite(ctx, d)
}

// read reads the Domain in the file. A field that does not exist is a mistake and
// not a wish to be ignored.
func (c *sitePlan) read() (*v1alpha1.Domain, error) {
	text, err := c.env.text(c.file)
	if err != nil {
		return nil, err
	}
	return parseDomain([]byte(text))
}

// parseDomain reads one Domain of YAML or JSON.
func parseDomain(data []byte) (*v1alpha1.Domain, error) {
	bad := func(format string, args ...any) (*v1alpha1.Domain, error) {
		return nil, &hosting.Error{Code: hosting.Invalid, Message: fmt.Sprintf(format, args...),
			Mend: "See what a site's looks like with: kubepanel site show NAME --output yaml"}
	}
	d := &v1alpha1.Domain{}
	switch err := yaml.UnmarshalStrict(data, d); {
	case err != nil:
		return bad("The file has no Domain that can be read: %s.", err)
	case d.Kind != "Domain" || d.APIVersion != v1alpha1.GroupVersion.String():
		return bad("The file has a %q of %q; a Domain of %s is needed.", d.Kind, d.APIVersion, v1alpha1.GroupVersion)
	case d.Name == "":
		return bad("The Domain in the file has no metadata.name.")
	}
	return d, nil
}
