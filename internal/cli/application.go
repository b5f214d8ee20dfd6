package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"kubepanel.io/kubepanel/internal/client"
)

func newApplication(env *Env) *cobra.Command {
	cmd := group("application", "Applications that people sign in to by a panel", "  kubepanel application list\n  kubepanel application secret Grafana",
		newApplicationList(env), newApplicationCreate(env), newApplicationChange(env), newApplicationSecret(env), newApplicationDelete(env))
	cmd.Aliases = []string{"app"}
	return cmd
}

func allApplications(ctx context.Context, api *client.ClientWithResponses) ([]client.Application, error) {
	return everyPage(func(cursor *string, most *int64) ([]client.Application, *string, error) {
		found, err := api.ListApplicationsWithResponse(ctx, &client.ListApplicationsParams{Cursor: cursor, Limit: most})
		if err != nil {
			return nil, nil, err
		}
		if err := client.Check(found.StatusCode(), found.ApplicationProblemJSONDefault); err != nil {
			return nil, nil, err
		}
		return found.JSON200.Items, found.JSON200.Next, nil
	})
}

// applicationID finds an application by its name or ID.
func applicationID(ctx context.Context, api *client.ClientWithResponses, name string) (string, error) {
	all, err := allApplications(ctx, api)
	if err != nil {
		return "", err
	}
	found, err := named(all, "application", name, func(a *client.Application) (string, string) { return a.ID, a.Name })
	if err != nil {
		return "", err
	}
	return found.ID, nil
}

func newApplicationList(env *Env) *cobra.Command {
	return env.of(&cobra.Command{Use: "list", Aliases: []string{"ls"}, Short: "List the applications", Example: "  kubepanel application list\n  kubepanel application list -o json"},
		func(ctx context.Context, api *client.ClientWithResponses) error {
			all, err := allApplications(ctx, api)
			if err != nil {
				return err
			}
			rows := make([][]string, 0, len(all))
			for _, a := range all {
				rows = append(rows, []string{clean(a.Name), clean(a.ID), join(a.Roles, ","), clean(strings.Join(a.Redirects, ","))})
			}
			return env.rows(all, []string{"NAME", "CLIENT ID", "ROLES", "REDIRECTS"}, rows)
		})
}

// applicationFlags say who may sign in to an application, and where they come back to.
type applicationFlags struct {
	redirects, farewells, roles []string
	logout                      string
	inside                      bool
}

func (a *applicationFlags) add(f *pflag.FlagSet, roles []string) {
	f.StringArrayVar(&a.redirects, "redirect", nil, "`address` that people are sent back to, compared letter by letter (may be repeated)")
	f.StringArrayVar(&a.farewells, "farewell", nil, "`address` that people may be sent to after signing out (may be repeated)")
	f.StringVar(&a.logout, "logout", "", "`address` that is told when somebody's session ends (back-channel logout); '' for none")
	f.BoolVar(&a.inside, "inside", false, "that address may be one that is not public, such as a service of the cluster")
	f.StringSliceVar(&a.roles, "role", roles, "`role` whose accounts may sign in (may be repeated)")
}

// onto puts what is on the command line, or with all what is its default, into a wish.
func (a *applicationFlags) onto(f *pflag.FlagSet, all bool, wish *client.NewApplication) {
	if f.Changed("redirect") {
		wish.Redirects = a.redirects
	}
	if f.Changed("farewell") {
		wish.Farewells = &a.farewells
	}
	if f.Changed("logout") {
		wish.Logout = &a.logout
	}
	if f.Changed("inside") {
		wish.Inside = &a.inside
	}
	if all || f.Changed("role") {
		wish.Roles = make([]client.NewApplicationRoles, 0, len(a.roles))
		for _, role := range a.roles {
			wish.Roles = append(wish.Roles, client.NewApplicationRoles(role))
		}
	}
}

func newApplicationCreate(env *Env) *cobra.Command {
	var a applicationFlags
	var public bool
	var cmd *cobra.Command
	cmd = env.about("the application's name", &cobra.Command{Use: "create NAME", Aliases: []string{"add"}, Short: "Let people sign in to an application by the panel, and print its secret once",
		Long: `Let people sign in to an application by the panel, as a client of OpenID Connect. The
answer has the client's ID and its secret, which is shown this once. A program on people's
own computers can keep none: with --public it has no secret, each sign-in asks the person,
and at 127.0.0.1 and [::1] any port is good.`,
		Example: "  kubepanel application create Grafana --role administrator \\\n    --redirect https://grafana.example.com/login/generic_oauth\n" +
			"  kubepanel application create deployer --public --redirect http://127.0.0.1/done"},
		func(ctx context.Context, api *client.ClientWithResponses, name string) error {
			wish := client.NewApplication{Name: name, Redirects: []string{}, Public: &public}
			a.onto(cmd.Flags(), true, &wish)
			made, err := api.CreateApplicationWithResponse(ctx, nil, wish)
			if err != nil {
				return err
			}
			if err := client.Check(made.StatusCode(), made.ApplicationProblemJSONDefault); err != nil {
				return err
			}
			return env.secretOf(made.JSON201)
		})
	a.add(cmd.Flags(), []string{"administrator"})
	cmd.Flags().BoolVar(&public, "public", false, "it runs on people's own computers, and has no secret")
	return cmd
}

// secretOf shows the secret of an application that has just been made, if it has one.
func (e *Env) secretOf(a *client.Application) error {
	if a.Secret == nil {
		return e.done(a, "The application %s signs in with this ID, and has no secret:\n%s", clean(a.Name), clean(a.ID))
	}
	return e.done(a, "The application %s signs in with this ID and secret, which is shown this once:\n%s\n%s", clean(a.Name), clean(a.ID), text(a.Secret))
}

func newApplicationChange(env *Env) *cobra.Command {
	var a applicationFlags
	var rename string
	var cmd *cobra.Command
	cmd = env.about("the application's name", &cobra.Command{Use: "change NAME", Short: "Change an application; what is not named stays",
		Long: `Change an application. What is not named stays; a list that is named replaces the one of
before. Where somebody else changed it in between, nothing is changed.`,
		Example: "  kubepanel application change Grafana --role administrator --role reseller\n  kubepanel application change Grafana --inside --logout http://grafana.tools.svc:3000/logout"},
		func(ctx context.Context, api *client.ClientWithResponses, name string) error {
			if err := atLeastOne(cmd, "name", "redirect", "farewell", "logout", "inside", "role"); err != nil {
				return err
			}
			id, err := applicationID(ctx, api, name)
			if err != nil {
				return err
			}
			found, err := api.GetApplicationWithResponse(ctx, id)
			if err != nil {
				return err
			}
			if err := client.Check(found.StatusCode(), found.ApplicationProblemJSONDefault); err != nil {
				return err
			}
			was := found.JSON200
			wish := client.NewApplication{Name: or(rename, was.Name), Redirects: was.Redirects, Farewells: was.Farewells, Logout: was.Logout, Inside: was.Inside}
			for _, role := range was.Roles {
				wish.Roles = append(wish.Roles, client.NewApplicationRoles(role))
			}
			a.onto(cmd.Flags(), false, &wish)
			tag := found.HTTPResponse.Header.Get("Etag")
			set, err := api.ReplaceApplicationWithResponse(ctx, id, &client.ReplaceApplicationParams{IfMatch: &tag}, wish)
			if err != nil {
				return err
			}
			if err := client.Check(set.StatusCode(), set.ApplicationProblemJSONDefault); err != nil {
				return err
			}
			return env.done(set.JSON200, "Changed the application %s.", clean(set.JSON200.Name))
		})
	cmd.Flags().StringVar(&rename, "name", "", "another `name`")
	a.add(cmd.Flags(), nil)
	return cmd
}

func newApplicationSecret(env *Env) *cobra.Command {
	yes := false
	return addYes(env.about("the application's name", &cobra.Command{Use: "secret NAME", Short: "Give an application another secret, and print it once; the former counts no more",
		Example: "  kubepanel application secret Grafana"},
		func(ctx context.Context, api *client.ClientWithResponses, name string) error {
			id, err := applicationID(ctx, api, name)
			if err != nil {
				return err
			}
			tells := "The former secret counts no more at once: nobody signs in to the application until it has the new one."
			if err := env.confirm(ctx, yes, loss{tells: tells, name: name, does: "make another one"}); err != nil {
				return err
			}
			made, err := api.RenewApplicationSecretWithResponse(ctx, id)
			if err != nil {
				return err
			}
			if err := client.Check(made.StatusCode(), made.ApplicationProblemJSONDefault); err != nil {
				return err
			}
			return env.secretOf(made.JSON200)
		}), &yes)
}

func newApplicationDelete(env *Env) *cobra.Command {
	yes := false
	return addYes(env.about("the application's name", &cobra.Command{Use: "delete NAME", Aliases: []string{"remove"}, Short: "Let nobody sign in to an application by the panel any more",
		Example: "  kubepanel application delete Grafana"},
		func(ctx context.Context, api *client.ClientWithResponses, name string) error {
			id, err := applicationID(ctx, api, name)
			if err != nil {
				return err
			}
			if err := env.confirm(ctx, yes, loss{tells: "Nobody signs in to this application any more then, and its secret counts no more.", name: name, does: "delete it"}); err != nil {
				return err
			}
			gone, err := api.DeleteApplicationWithResponse(ctx, id, nil)
			if err != nil {
				return err
			}
			if err := client.Check(gone.StatusCode(), gone.ApplicationProblemJSONDefault); err != nil {
				return err
			}
			return env.done(map[string]string{"deleted": name}, "Nobody signs in to %s by the panel any more.", clean(name))
		}), &yes)
}
