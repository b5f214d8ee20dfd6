package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"kubepanel.io/kubepanel/internal/client"
)

// packageChange gives a package another name or other limits.
type packageChange struct {
	env         *Env
	cmd         *cobra.Command
	rename      string
	limits      limitFlags
	yes, dryRun bool
}

func newPackageChange(env *Env) *cobra.Command {
	c := &packageChange{env: env, limits: newLimitFlags()}
	c.cmd = env.about("the package's name", &cobra.Command{Use: "change NAME", Short: "Change a package; what is not named stays",
		Long: `Change a package. What is not named stays, and a limit of none is taken away. Where the
change puts accounts over their quota it first shows whom, and asks: they keep what they
have and get nothing more of it. Where somebody else changed it in between, nothing is
changed.`,
		Example: "  kubepanel package change Small --sites 5 --memory none\n  kubepanel package change Small --storage 10 --dry-run"}, c.run)
	f := c.cmd.Flags()
	f.StringVar(&c.rename, "name", "", "another `name`")
	c.limits.add(f)
	f.BoolVar(&c.dryRun, "dry-run", false, "show whom it would put over their quota, and change nothing")
	f.BoolVarP(&c.yes, "yes", "y", false, "do not ask")
	return c.cmd
}

func (c *packageChange) run(ctx context.Context, api *client.ClientWithResponses, name string) error {
	if err := atLeastOne(c.cmd, append([]string{"name"}, c.limits.names()...)...); err != nil {
		return err
	}
	found, err := packageNamed(ctx, api, name)
	if err != nil {
		return err
	}
	id := found.JSON200.ID
	wish := client.PackageChange{Name: or(c.rename, found.JSON200.Name), Quota: found.JSON200.Quota}
	c.limits.onto(c.cmd.Flags(), &wish.Quota)
	over, err := c.over(ctx, api, id, wish.Quota)
	if err != nil {
		return err
	}
	if c.dryRun {
		return c.preview(over)
	}
	if err := c.sure(ctx, name, over); err != nil {
		return err
	}
	accept, tag := len(over) > 0, found.HTTPResponse.Header.Get("Etag")
	set, err := api.ChangePackageWithResponse(ctx, id, &client.ChangePackageParams{Accept: &accept, IfMatch: &tag}, wish)
	if err != nil {
		return err
	}
	if err := client.Check(set.StatusCode(), set.ApplicationProblemJSONDefault); err != nil {
		return err
	}
	return c.env.done(set.JSON200, "Changed the package %s.", clean(set.JSON200.Name))
}

// over asks whom other limits would put over their quota.
func (c *packageChange) over(ctx context.Context, api *client.ClientWithResponses, id string, q client.Quota) ([]client.Excess, error) {
	planned, err := api.PlanPackageWithResponse(ctx, id, client.PackagePlan{Quota: q})
	if err != nil {
		return nil, err
	}
	if err := client.Check(planned.StatusCode(), planned.ApplicationProblemJSONDefault); err != nil {
		return nil, err
	}
	return planned.JSON200.Items, nil
}

func (c *packageChange) preview(over []client.Excess) error {
	if c.env.structured() {
		return c.env.printStructured(over)
	}
	if len(over) == 0 {
		c.env.say("Nobody would be over their quota. Nothing was changed: this was a dry run.")
		return nil
	}
	if err := table(c.env.Out, overRows(over)); err != nil {
		return err
	}
	c.env.say("Nothing was changed: this was a dry run.")
	return nil
}

// sure shows who would be over their quota, and asks whether that is meant.
func (c *packageChange) sure(ctx context.Context, name string, over []client.Excess) error {
	if len(over) == 0 || c.yes {
		return nil
	}
	if err := table(c.env.Err, overRows(over)); err != nil {
		return err
	}
	return c.env.confirm(ctx, c.yes, loss{
		tells: fmt.Sprintf("%d of the package's accounts use more than that: they keep what they have and get nothing more of it.", len(over)),
		name:  name, does: "change it anyway"})
}
