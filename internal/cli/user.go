package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"kubepanel.io/kubepanel/internal/client"
	"kubepanel.io/kubepanel/internal/hosting"
)

func newUser(env *Env) *cobra.Command {
	return group("user", "Accounts of a panel", "  kubepanel user list\n  kubepanel user suspend jo@shop.example",
		newUserList(env), newUserShow(env), newUserCreate(env), newUserChange(env), newUserSuspend(env, true), newUserSuspend(env, false), newUserSignOut(env), newUserLink(env), newUserResetFactors(env), newUserDelete(env))
}

// about is a command on one thing of a panel.
func (e *Env) about(what string, cmd *cobra.Command, run func(ctx context.Context, api *client.ClientWithResponses, name string) error) *cobra.Command {
	cmd.Args = one(what)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		api, err := e.api()
		if err != nil {
			return err
		}
		return run(cmd.Context(), api, args[0])
	}
	e.addOutput(cmd)
	return cmd
}

// of is a command on all of a panel.
func (e *Env) of(cmd *cobra.Command, run func(ctx context.Context, api *client.ClientWithResponses) error) *cobra.Command {
	cmd.Args = nothing
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		api, err := e.api()
		if err != nil {
			return err
		}
		return run(cmd.Context(), api)
	}
	e.addOutput(cmd)
	return cmd
}

// rows shows a list: a program gets the items, a person a table.
func (e *Env) rows(items any, head []string, rows [][]string) error {
	if e.structured() {
		return e.printStructured(items)
	}
	return table(e.Out, append([][]string{head}, rows...))
}

// text is a value that may be missing.
func text(s *string) string {
	if s == nil || *s == "" {
		return "-"
	}
	return clean(*s)
}

func newUserList(env *Env) *cobra.Command {
	var search string
	cmd := env.of(&cobra.Command{Use: "list", Aliases: []string{"ls"}, Short: "List the accounts that you may see",
		Example: "  kubepanel user list\n  kubepanel user list --search shop -o json"},
		func(ctx context.Context, api *client.ClientWithResponses) error {
			users, err := allUsers(ctx, api, search)
			if err != nil {
				return err
			}
			rows := make([][]string, 0, len(users))
			for _, u := range users {
				rows = append(rows, []string{clean(u.Email), clean(u.Name), string(u.Role), text(u.PackageName), fmt.Sprint(u.Sites), map[bool]string{true: "suspended", false: "active"}[u.Stopped]})
			}
			return env.rows(users, []string{"EMAIL", "NAME", "ROLE", "PACKAGE", "SITES", "STATE"}, rows)
		})
	cmd.Flags().StringVar(&search, "search", "", "a `part` of the name or address")
	return cmd
}

func allUsers(ctx context.Context, api *client.ClientWithResponses, search string) ([]client.User, error) {
	users, cursor, most := []client.User{}, "", int64(200)
	for {
		page, err := api.ListUsersWithResponse(ctx, &client.ListUsersParams{Q: &search, Cursor: &cursor, Limit: &most})
		if err != nil {
			return nil, err
		}
		if err := client.Check(page.StatusCode(), page.ApplicationProblemJSONDefault); err != nil {
			return nil, err
		}
		users = append(users, page.JSON200.Items...)
		if page.JSON200.Next == nil || *page.JSON200.Next == "" {
			return users, nil
		}
		cursor = *page.JSON200.Next
	}
}

// userID finds an account by its address; an ID is taken as it is.
func userID(ctx context.Context, api *client.ClientWithResponses, name string) (string, error) {
	users, err := allUsers(ctx, api, name)
	if err != nil {
		return "", err
	}
	for _, u := range users {
		if u.Email == name {
			return u.ID, nil
		}
	}
	return name, nil
}

// readUser reads an account by its address or ID; its answer has the tag of what was read.
func readUser(ctx context.Context, api *client.ClientWithResponses, name string) (*client.GetUserResponse, error) {
	id, err := userID(ctx, api, name)
	if err != nil {
		return nil, err
	}
	found, err := api.GetUserWithResponse(ctx, id)
	if err != nil {
		return nil, err
	}
	return found, client.Check(found.StatusCode(), found.ApplicationProblemJSONDefault)
}

func newUserShow(env *Env) *cobra.Command {
	return env.about("the account's address", &cobra.Command{Use: "show ADDRESS", Short: "Show an account, and what it uses",
		Example: "  kubepanel user show jo@shop.example"},
		func(ctx context.Context, api *client.ClientWithResponses, name string) error {
			found, err := readUser(ctx, api, name)
			if err != nil {
				return err
			}
			usage, err := api.GetUserUsageWithResponse(ctx, found.JSON200.ID)
			if err != nil {
				return err
			}
			if err := client.Check(usage.StatusCode(), usage.ApplicationProblemJSONDefault); err != nil {
				return err
			}
			u := found.JSON200
			if env.structured() {
				return env.printStructured(u)
			}
			env.say("%s, %s, %s\n", clean(u.Email), clean(u.Name), u.Role)
			rows := make([][]string, 0, len(usage.JSON200.Items))
			for _, l := range usage.JSON200.Items {
				limit := "no limit"
				if l.Limit != nil {
					limit = fmt.Sprint(*l.Limit)
				}
				rows = append(rows, []string{l.Resource, fmt.Sprint(l.Used), limit, text(l.Unit)})
			}
			return table(env.Out, append([][]string{{"RESOURCE", "USED", "LIMIT", "UNIT"}}, rows...))
		})
}

func newUserCreate(env *Env) *cobra.Command {
	var name, role, pack, reseller string
	cmd := env.about("the account's address", &cobra.Command{Use: "create ADDRESS", Short: "Make an account, which has no password yet",
		Example: "  kubepanel user create jo@shop.example --name Jo --package Small\n  kubepanel user link jo@shop.example"},
		func(ctx context.Context, api *client.ClientWithResponses, email string) error {
			req := client.NewUser{Email: email, Name: name, Role: client.NewUserRole(role)}
			if reseller != "" {
				id, err := userID(ctx, api, reseller)
				if err != nil {
					return err
				}
				req.Reseller = &id
			}
			if pack != "" {
				id, err := packageID(ctx, api, pack)
				if err != nil {
					return err
				}
				req.Package = &id
			}
			made, err := api.CreateUserWithResponse(ctx, nil, req)
			if err != nil {
				return err
			}
			if err := client.Check(made.StatusCode(), made.ApplicationProblemJSONDefault); err != nil {
				return err
			}
			return env.done(made.JSON201, "Made the account %s. Hand on the link of: kubepanel user link %s", email, email)
		})
	f := cmd.Flags()
	f.StringVar(&name, "name", "", "`name` of the person or company")
	f.StringVar(&role, "role", "customer", "`role`: customer, reseller or administrator")
	f.StringVar(&pack, "package", "", "`name` of the package that it has")
	f.StringVar(&reseller, "reseller", "", "`address` of the reseller whose customer it is to be")
	return cmd
}

func newUserSuspend(env *Env, suspend bool) *cobra.Command {
	verb, short, said := "resume", "Let a suspended account go on", "The account %s and its sites go on."
	if suspend {
		verb, short, said = "suspend", "Suspend an account with its sites; nothing is lost", "The account %s and its sites are suspended."
	}
	return env.about("the account's address", &cobra.Command{Use: verb + " ADDRESS", Short: short, Example: "  kubepanel user " + verb + " jo@shop.example"},
		func(ctx context.Context, api *client.ClientWithResponses, name string) error {
			id, err := userID(ctx, api, name)
			if err != nil {
				return err
			}
			var status int
			var wrong *client.Problem
			var user *client.User
			if suspend {
				done, err := api.SuspendUserWithResponse(ctx, id, nil)
				if err != nil {
					return err
				}
				status, wrong, user = done.StatusCode(), done.ApplicationProblemJSONDefault, done.JSON200
			} else {
				done, err := api.ResumeUserWithResponse(ctx, id, nil)
				if err != nil {
					return err
				}
				status, wrong, user = done.StatusCode(), done.ApplicationProblemJSONDefault, done.JSON200
			}
			if err := client.Check(status, wrong); err != nil {
				return err
			}
			return env.done(user, said, clean(name))
		})
}

func newUserSignOut(env *Env) *cobra.Command {
	return env.about("the account's address", &cobra.Command{Use: "sign-out ADDRESS", Short: "End all sessions of an account: every browser has to sign in again",
		Example: "  kubepanel user sign-out jo@shop.example"},
		func(ctx context.Context, api *client.ClientWithResponses, name string) error {
			id, err := userID(ctx, api, name)
			if err != nil {
				return err
			}
			ended, err := api.EndUserSessionsWithResponse(ctx, id)
			if err != nil {
				return err
			}
			if err := client.Check(ended.StatusCode(), ended.ApplicationProblemJSONDefault); err != nil {
				return err
			}
			return env.done(map[string]string{"signedOut": name}, "Every browser of %s has to sign in again.", clean(name))
		})
}

func newUserLink(env *Env) *cobra.Command {
	return env.about("the account's address", &cobra.Command{Use: "link ADDRESS", Short: "Print a one-time link that sets the account's password",
		Example: "  kubepanel user link jo@shop.example"},
		func(ctx context.Context, api *client.ClientWithResponses, name string) error {
			id, err := userID(ctx, api, name)
			if err != nil {
				return err
			}
			made, err := api.CreateUserLinkWithResponse(ctx, id)
			if err != nil {
				return err
			}
			if err := client.Check(made.StatusCode(), made.ApplicationProblemJSONDefault); err != nil {
				return err
			}
			return env.done(made.JSON201, "%s", made.JSON201.URL)
		})
}

func newUserDelete(env *Env) *cobra.Command {
	yes := false
	return addYes(env.about("the account's address", &cobra.Command{Use: "delete ADDRESS", Short: "Delete an account that has nothing left",
		Example: "  kubepanel user delete jo@shop.example"},
		func(ctx context.Context, api *client.ClientWithResponses, name string) error {
			found, err := readUser(ctx, api, name)
			if err != nil {
				return err
			}
			if found.JSON200.Sites > 0 {
				return &hosting.Error{Code: hosting.Conflict, Message: fmt.Sprintf("Sites that %s still has: %d.", clean(name), found.JSON200.Sites), Mend: "Delete them first, or give them to another account."}
			}
			tells := "Its tokens, its webhooks, its ways to sign in and the rights that it gave or was given go with it. Nothing brings them back."
			if found.JSON200.Role == client.UserRoleReseller { // nothing counts those for others
				tells = "It is refused as long as it has customers or packages of its own. " + tells
			}
			if err := env.confirm(ctx, yes, loss{tells: tells, name: name, does: "delete it"}); err != nil {
				return err
			}
			gone, err := api.DeleteUserWithResponse(ctx, found.JSON200.ID, nil)
			if err != nil {
				return err
			}
			if err := client.Check(gone.StatusCode(), gone.ApplicationProblemJSONDefault); err != nil {
				return err
			}
			return env.done(map[string]string{"deleted": name}, "Deleted the account %s.", clean(name))
		}), &yes)
}
