package cli

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/client"
	"kubepanel.io/kubepanel/internal/hosting"
)

// createTimeout is how long --wait waits unless told otherwise: a warm platform
// needs seconds, a node that pulls images from afar minutes.
const createTimeout = 5 * time.Minute

// What a site gets unless told otherwise: enough for a WordPress with a handful
// of plug-ins.
const (
	defaultStorage = "5Gi"
	defaultCPU     = "1000m"
	defaultMemory  = "512Mi"
)

type siteCreate struct {
	env       *Env
	req       hosting.NewSite
	word      hosting.NewWordPress
	wordpress bool
	owner     string
	// envFile is a file with variables.
	envFile      string
	wait, dryRun bool
	timeout      time.Duration
}

func newSiteCreate(env *Env) *cobra.Command {
	c := &siteCreate{env: env}
	cmd := &cobra.Command{
		Use:   "create NAME",
		Short: "Create a site",
		Long: `Create a site: its files, its pod, its database, its SFTP account and its address.

NAME is the site's full name, in any script: it is stored as DNS has it, so
müller.example becomes xn--mller-kva.example. Names below .localhost lead to this
computer in every browser, so they need no DNS.`,
		Example: `  # a finished WordPress, and wait until visitors can see it
  kubepanel site create blog.localhost --wordpress --wait

  # an empty PHP site with a second name and more room
  kubepanel site create shop.example --alias shop.example.net --php 8.2 --storage 20Gi

  # a Python, Node.js or static site; what there is: kubepanel platform runtimes
  kubepanel site create app.example --runtime python:3.13 --setting app=shop.wsgi:application
  kubepanel site create chat.example --runtime nodejs --no-database --env-file chat.env
  kubepanel site create docs.example --runtime static --no-database --memory 128Mi

  # look first: the object that would be created, ready for kubectl apply
  kubepanel site create shop.example --dry-run --output yaml`,
		Args: oneName,
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			c.req.Name = args[0]
			if err := c.wordpressFlags(cmd); err != nil {
				return err
			}
			var err error
			if c.req.Env, err = c.env.variables(c.req.Env, c.envFile); err != nil {
				return err
			}
			return c.run(cmd.Context())
		},
	}
	c.flags(cmd)
	return cmd
}

func (c *siteCreate) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&c.wordpress, "wordpress", false, "install WordPress, finished, with an administrator")
	f.StringVar(&c.req.Runtime, "runtime", "", "what runs the site, as `TYPE[:VERSION]` such as python:3.13 (default: php)")
	f.StringVar(&c.req.PHP, "php", "", "`version` of PHP (default: the platform's)")
	f.StringArrayVar(&c.req.Settings, "setting", nil, "setting of the runtime, as `KEY=VALUE` (may be repeated)")
	f.StringArrayVar(&c.req.Env, "env", nil, "variable of the program, as `NAME=VALUE` (may be repeated)")
	f.StringVar(&c.envFile, "env-file", "", envFileUsage)
	f.StringVar(&c.req.Storage, "storage", defaultStorage, "`size` of the site's volume")
	f.StringVar(&c.req.CPU, "cpu", defaultCPU, "most processor time, as an `amount` such as 500m or 2 cores")
	f.StringVar(&c.req.Memory, "memory", defaultMemory, "most memory, as an `amount` such as 512Mi or 2Gi")
	f.StringArrayVar(&c.req.Aliases, "alias", nil, "further `name` that leads to this site (may be repeated)")
	f.StringVar(&c.req.Title, "title", "", "what people call the site, as a line of `text`")
	f.StringVar(&c.word.AdminUser, "admin-user", "", "`name` of WordPress' administrator (default: admin)")
	f.StringVar(&c.word.AdminEmail, "admin-email", "", "mail `address` of the administrator (default: admin at the site's name)")
	f.StringVar(&c.word.Locale, "locale", "", "`language` of WordPress, such as de_DE (default: en_US)")
	f.BoolVar(&c.req.Redis, "redis", false, "keep an object cache in Redis beside the site")
	f.BoolVar(&c.req.NoDatabase, "no-database", false, "make no database")
	f.StringVar(&c.owner, "owner", "", "`address` of the account at the panel that it is to belong to (default: yours)")
	f.BoolVar(&c.wait, "wait", false, "show every step until the site is live")
	f.DurationVar(&c.timeout, "timeout", createTimeout, "longest `time` to wait with --wait")
	f.BoolVar(&c.dryRun, "dry-run", false, "check everything, print the object and create nothing")
	c.env.addOutput(cmd)
	complete(cmd, "php", c.env.phpVersions)
	complete(cmd, "runtime", c.env.runtimes)
}

// wordpressFlags refuses settings of a WordPress that was not asked for.
func (c *siteCreate) wordpressFlags(cmd *cobra.Command) error {
	if c.wordpress {
		c.req.WordPress = &c.word
		return nil
	}
	for _, f := range []string{"admin-user", "admin-email", "locale"} {
		if cmd.Flags().Changed(f) {
			return &usageError{message: fmt.Sprintf("--%s is about WordPress; add --wordpress or leave it out", f), command: cmd.CommandPath()}
		}
	}
	return nil
}

func (c *siteCreate) run(ctx context.Context) error {
	// A slip is told at once, whether or not there is a cluster.
	if err := c.req.Check(); err != nil {
		return err
	}
	return c.env.either(func(api *client.ClientWithResponses) error { return c.throughPanel(ctx, api) },
		func() error { return c.create(ctx) })
}

// create makes a site in the cluster.
func (c *siteCreate) create(ctx context.Context) error {
	if c.owner != "" {
		return &hosting.Error{Code: hosting.Invalid, Message: "The cluster knows no owners of sites.", Mend: "Sign in to a panel with: kubepanel login; or leave out --owner."}
	}
	cluster, panel, err := c.env.open()
	if err != nil {
		return err
	}
	start := time.Now()
	d, err := panel.CreateSite(ctx, c.req, c.dryRun)
	if err != nil {
		return err
	}
	if c.dryRun {
		return c.env.printObject(d)
	}
	seen := watched{last: d}
	if c.wait {
		g := untilLive(d, start, c.timeout)
		g.fresh, g.going = true, func(d *v1alpha1.Domain) string {
			return fmt.Sprintf("The site %s is still being created", hosting.ShowName(d.Spec.DomainName))
		}
		if seen, err = c.env.follow(ctx, cluster, d, g); err != nil {
			return err
		}
	}
	if c.env.structured() {
		return c.env.printStructured(seen.last)
	}
	return c.tell(seen, time.Since(start))
}

func (c *siteCreate) tell(seen watched, took time.Duration) error {
	name := seen.last.Spec.DomainName
	if !c.wait {
		c.env.say("The site %s is being created. Follow it with: kubepanel site wait %s", hosting.ShowBoth(name), name)
		return nil
	}
	c.env.say("%s%s is live after %s.", seen.gap, hosting.ShowName(name), seconds(took))
	if err := table(c.env.Out, seen.spent); err != nil {
		return err
	}
	c.env.say("")
	return table(c.env.Out, siteDoors(seen.last))
}

// untilLive is the goal of a site that serves visitors as its spec asks.
func untilLive(d *v1alpha1.Domain, start time.Time, timeout time.Duration) goal {
	name := d.Spec.DomainName
	g := goal{start: start, timeout: timeout, again: "kubepanel site wait " + name,
		going: func(*v1alpha1.Domain) string { return "The platform goes on with " + hosting.ShowName(name) }}
	g.reached = func(d *v1alpha1.Domain) (bool, error) {
		switch {
		case d == nil:
			return false, &hosting.Error{Code: hosting.NotFound, Message: fmt.Sprintf("The site %s was deleted meanwhile.", hosting.ShowBoth(name))}
		case !d.DeletionTimestamp.IsZero():
			return false, &hosting.Error{Code: hosting.Conflict, Message: fmt.Sprintf("The site %s is being deleted.", hosting.ShowBoth(name)),
				Mend: "Follow that with: kubepanel site wait " + name + " --for deleted"}
		case hosting.Live(d):
			return true, nil
		}
		return false, hosting.StallOf(d)
	}
	return g
}

// siteDoors are the ways into a site, for a person who just got it.
func siteDoors(d *v1alpha1.Domain) [][]string {
	name := d.Spec.DomainName
	rows := [][]string{{"  URL", d.Status.Endpoints.Site()}}
	if d.Spec.WordPress.Preinstall {
		rows = append(rows,
			[]string{"  Admin", fmt.Sprintf("%s/wp-admin/ as %s", d.Status.Endpoints.Site(), adminUser(d))},
			[]string{"  Password", "kubepanel site password " + name})
		return rows
	}
	if s := d.Status.SFTP; s != nil && s.Host != "" {
		rows = append(rows,
			[]string{"  SFTP", fmt.Sprintf("sftp -P %d %s@%s", s.Port, s.Username, s.Host)},
			[]string{"  Password", "kubepanel site password " + name + " --for sftp"})
	}
	return rows
}

// adminUser is the name that the contract gives the administrator by default.
func adminUser(d *v1alpha1.Domain) string {
	return cmp.Or(d.Spec.WordPress.AdminUser, "admin")
}
