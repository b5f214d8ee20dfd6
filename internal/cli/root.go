package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// defaultNamespace is where the platform runs unless somebody chose otherwise.
const defaultNamespace = "kubepanel-system"

// Run runs the command line args and returns the exit code. The commands in more
// stand beside the terminal's own.
func Run(ctx context.Context, env *Env, args []string, more ...*cobra.Command) int {
	root := newRoot(env)
	root.AddCommand(more...)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err != nil {
		explain(env.Err, err, env.verbose)
	}
	return exitCode(err)
}

func newRoot(env *Env) *cobra.Command {
	root := group("kubepanel", "Web hosting on Kubernetes", "", newSite(env), newPlatform(env), newVersion(env),
		newLogin(env), newLogout(env), newContext(env), newAccount(env), newUser(env), newPackage(env), newCollaborator(env), newAudit(env), newToken(env), newWebhook(env), newNode(env), newCompany(env), newApplication(env), newSettings(env), newDatabase(env))
	root.SilenceErrors, root.SilenceUsage = true, true
	root.SetIn(env.In)
	root.SetOut(env.Out)
	root.SetErr(env.Err)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return &usageError{message: err.Error(), command: cmd.CommandPath()}
	})
	flags := root.PersistentFlags()
	flags.StringVar(&env.target.Kubeconfig, "kubeconfig", "", "file that names the cluster (default: KUBECONFIG, then ~/.kube/config)")
	flags.StringVar(&env.target.Context, "context", "", "context of the kubeconfig (default: its current one)")
	flags.StringVar(&env.target.Namespace, "platform-namespace", defaultNamespace, "namespace that the platform runs in")
	flags.BoolVar(&env.cluster, "cluster", false, "with site: speak to the cluster also when you are signed in to a panel")
	flags.BoolVarP(&env.verbose, "verbose", "v", false, "with an error, tell its cause too")
	return root
}

// group is a command that only holds others. Alone it shows its help; with a word
// that it does not know it fails, which cobra leaves out below the root.
func group(use, short, example string, children ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use: use, Short: short, Example: example,
		SuggestionsMinimumDistance: 2,
		Args:                       cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			message := fmt.Sprintf("there is no command %q", cmd.CommandPath()+" "+args[0])
			if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
				message += fmt.Sprintf("; did you mean %s?", strings.Join(near, " or "))
			}
			return &usageError{message: message, command: cmd.CommandPath()}
		},
	}
	cmd.AddCommand(children...)
	return cmd
}

// oneName is the argument rule of commands about one site.
func oneName(cmd *cobra.Command, args []string) error {
	switch len(args) {
	case 1:
		return nil
	case 0:
		return &usageError{message: "the name of the site is missing", command: cmd.CommandPath()}
	}
	return &usageError{message: fmt.Sprintf("one site at a time: %q is one name too many", args[1]), command: cmd.CommandPath()}
}

// nothing is the argument rule of commands that take none.
func nothing(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return &usageError{message: fmt.Sprintf("%q is one word too many", args[0]), command: cmd.CommandPath()}
}

// atLeastOne refuses a command that was given nothing to do.
func atLeastOne(cmd *cobra.Command, flags ...string) error {
	for _, f := range flags {
		if cmd.Flags().Changed(f) {
			return nil
		}
	}
	return &usageError{message: "nothing to do: give one of --" + strings.Join(flags, ", --"), command: cmd.CommandPath()}
}

func newSite(env *Env) *cobra.Command {
	cmd := group("site", "Create, look at, change and delete sites",
		"  kubepanel site create blog.localhost --wordpress --wait\n  kubepanel site list\n  kubepanel site list --cluster",
		newSiteCreate(env), newSiteList(env), newSiteShow(env), newSiteSet(env), newSiteAssign(env),
		newSitePlan(env), newSiteRestart(env), newSiteWait(env), newSitePurgeCache(env), newSitePassword(env), newSiteDelete(env),
		newSiteFiles(env), newSiteLogs(env), newSiteCron(env), newSiteFindings(env), newSiteUsage(env))
	cmd.Long = `Create, look at, change and delete sites.

Whoever is signed in to a panel (kubepanel login) speaks to that panel, and sees and
changes what their account may. Without a panel, and with --cluster, --kubeconfig or
--context, the commands speak to the cluster with the rights of the account there; what
is made so has no owner at a panel until it is assigned to one. Owners, files, logs, cron
jobs and usage need a panel.`
	return cmd
}

func newPlatform(env *Env) *cobra.Command {
	return group("platform", "Look at the platform itself", "  kubepanel platform status",
		newPlatformStatus(env), newPlatformRuntimes(env), newPlatformCA(env))
}
