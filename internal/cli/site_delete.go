package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/hosting"
)

// deleteTimeout covers a pod that uses its grace period and a volume that is
// slow to go.
const deleteTimeout = 2 * time.Minute

type siteDelete struct {
	env               *Env
	name              string
	yes, wait, dryRun bool
	timeout           time.Duration
}

func newSiteDelete(env *Env) *cobra.Command {
	c := &siteDelete{env: env}
	cmd := &cobra.Command{
		Use:     "delete NAME",
		Aliases: []string{"rm"},
		Short:   "Delete a site with its files and its database",
		Long: `Delete a site with its files, its database, its accounts and its address.

It asks to type the name of the site first. Backups that were made off the cluster
stay.`,
		Example:           "  kubepanel site delete blog.localhost\n  kubepanel site delete blog.localhost --yes --wait",
		Args:              oneName,
		ValidArgsFunction: env.siteNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			c.name = args[0]
			return env.eitherSite(c.name, func(s panelSite) error { return c.throughPanel(cmd.Context(), s) },
				func() error { return c.run(cmd.Context()) })
		},
	}
	f := cmd.Flags()
	f.BoolVarP(&c.yes, "yes", "y", false, "do not ask")
	f.BoolVar(&c.wait, "wait", false, "show every step until nothing is left")
	f.DurationVar(&c.timeout, "timeout", deleteTimeout, "longest `time` to wait with --wait")
	f.BoolVar(&c.dryRun, "dry-run", false, "say what would be lost and delete nothing")
	env.addOutput(cmd)
	return cmd
}

func (c *siteDelete) run(ctx context.Context) error {
	cluster, panel, err := c.env.open()
	if err != nil {
		return err
	}
	d, err := panel.Site(ctx, c.name)
	if err != nil {
		return err
	}
	if c.dryRun {
		return c.preview(ctx, panel, d)
	}
	if err := c.sure(ctx, d.Spec.DomainName, losses(d)); err != nil {
		return err
	}
	start := time.Now()
	if err := panel.DeleteSite(ctx, d, false); err != nil && hosting.CodeOf(err) != hosting.NotFound {
		return err
	}
	name := d.Spec.DomainName
	var seen watched
	if c.wait {
		if seen, err = c.env.follow(ctx, cluster, d, untilGone(d, start, c.timeout)); err != nil {
			return err
		}
	}
	switch {
	case c.env.structured():
		return c.env.printStructured(d)
	case c.wait:
		c.env.say("%s%s is gone after %s.", seen.gap, hosting.ShowBoth(name), seconds(time.Since(start)))
	default:
		c.env.say("%s is being deleted. Follow it with: kubepanel site wait %s --for deleted", hosting.ShowBoth(name), name)
	}
	return nil
}

func (c *siteDelete) preview(ctx context.Context, panel *hosting.Panel, d *v1alpha1.Domain) error {
	if err := panel.DeleteSite(ctx, d, true); err != nil {
		return err
	}
	if c.env.structured() {
		return c.env.printStructured(d)
	}
	c.env.say("%s", losses(d))
	c.env.say("Nothing was deleted: this was a dry run.")
	return nil
}

// sure lets nobody delete a site by a slip of the finger. It speaks on the
// error output, so that an answer for a program stays clean.
func (c *siteDelete) sure(ctx context.Context, name, losses string) error {
	if c.yes {
		return nil
	}
	if !c.env.Ask {
		return &hosting.Error{Code: hosting.Invalid, Message: "Deleting needs somebody who confirms it, and nobody can be asked here.",
			Mend: "Say so beforehand with: kubepanel site delete " + name + " --yes"}
	}
	fmt.Fprintf(c.env.Err, "%s\nType %s to delete it: ", losses, hosting.ShowName(name)) // without the question the answer will not fit
	typed, err := c.env.readLine(ctx)
	if err != nil {
		return err
	}
	if got, err := hosting.ParseName(typed); err != nil || got != name {
		return &hosting.Error{Code: hosting.Conflict, Message: "That is not the name of the site, so nothing was deleted."}
	}
	return nil
}

// losses says what is gone afterwards.
func losses(d *v1alpha1.Domain) string {
	lost := []string{fmt.Sprintf("all its files (a volume of %s)", d.Spec.Resources.Storage)}
	if on := d.Spec.Database.Enabled; on == nil || *on {
		name := "its database"
		if b := d.Status.Database; b != nil && b.Name != "" {
			name = "the database " + clean(b.Name)
		}
		lost = append(lost, name+" with everything in it")
	}
	lost = append(lost, "its SFTP account and all its passwords", "the names that lead to it: "+clean(strings.Join(allNames(d), ", ")))
	return fmt.Sprintf("This deletes the site %s for good:\n  - %s\nBackups that were made off the cluster stay.",
		hosting.ShowBoth(d.Spec.DomainName), strings.Join(lost, "\n  - "))
}

func allNames(d *v1alpha1.Domain) []string {
	names := []string{hosting.ShowName(d.Spec.DomainName)}
	for _, a := range d.Spec.Aliases {
		names = append(names, hosting.ShowName(a.Name))
	}
	return names
}
