package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"kubepanel.io/kubepanel/internal/client"
	"kubepanel.io/kubepanel/internal/hosting"
)

func newCollaborator(env *Env) *cobra.Command {
	return group("collaborator", "Who else has rights on an account's sites", "  kubepanel collaborator list\n  kubepanel collaborator invite kim@agency.example --name Kim --right site.files",
		newCollaboratorList(env), newCollaboratorInvite(env), newCollaboratorChange(env), newCollaboratorRemove(env))
}

// sharing says whose sites are meant, and which.
type sharing struct {
	account, site string
	rights        []string
}

func (s *sharing) add(env *Env, cmd *cobra.Command, rights bool) {
	f := cmd.Flags()
	f.StringVar(&s.account, "account", "", "`address` of the account whose sites they are (default: your own)")
	f.StringVar(&s.site, "site", "", "`name` of the site (default: all of the account's, those to come included)")
	if rights {
		f.StringSliceVar(&s.rights, "right", nil, "`right` that they get, such as site.files or site.logs (may be repeated)")
		complete(cmd, "right", env.shares)
	}
}

// shares completes what a collaborator can be given.
func (e *Env) shares(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	api, err := e.api()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	ctx, stop := context.WithTimeout(cmd.Context(), completionTimeout)
	defer stop()
	found, err := api.GetPlatformWithResponse(ctx)
	if err != nil || found.JSON200 == nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return found.JSON200.Shares, cobra.ShellCompDirectiveNoFileComp
}

// owner returns the ID of the account that is meant.
func (s *sharing) owner(ctx context.Context, api *client.ClientWithResponses) (string, error) {
	if s.account != "" {
		return userID(ctx, api, s.account)
	}
	who, err := api.GetAccountWithResponse(ctx)
	if err != nil {
		return "", err
	}
	if err := client.Check(who.StatusCode(), who.ApplicationProblemJSONDefault); err != nil {
		return "", err
	}
	return who.JSON200.ID, nil
}

// on is what rights are on, in a sentence.
func on(site string) string {
	if site == "" {
		return "all sites"
	}
	return clean(site)
}

func allCollaborators(ctx context.Context, api *client.ClientWithResponses, owner string) ([]client.Collaborator, error) {
	return everyPage(func(cursor *string, most *int64) ([]client.Collaborator, *string, error) {
		found, err := api.ListCollaboratorsWithResponse(ctx, owner, &client.ListCollaboratorsParams{Cursor: cursor, Limit: most})
		if err != nil {
			return nil, nil, err
		}
		if err := client.Check(found.StatusCode(), found.ApplicationProblemJSONDefault); err != nil {
			return nil, nil, err
		}
		return found.JSON200.Items, found.JSON200.Next, nil
	})
}

// held finds whose sites are shared, and what a collaborator may do on them.
func (s *sharing) held(ctx context.Context, api *client.ClientWithResponses, who string) (owner string, was *client.Collaborator, err error) {
	if owner, err = s.owner(ctx, api); err != nil {
		return "", nil, err
	}
	was, err = s.grant(ctx, api, owner, who)
	return owner, was, err
}

// tag names what a collaborator may do, as it is now: what somebody else changes meanwhile
// is not overwritten.
func (s *sharing) tag(ctx context.Context, api *client.ClientWithResponses, owner string, was *client.Collaborator) (*string, error) {
	now, err := api.GetCollaboratorWithResponse(ctx, owner, was.ID, &client.GetCollaboratorParams{Site: was.Site})
	if err != nil {
		return nil, err
	}
	tag := now.HTTPResponse.Header.Get("Etag")
	return &tag, client.Check(now.StatusCode(), now.ApplicationProblemJSONDefault)
}

// grant finds what a collaborator, by address or ID, may do on exactly what is meant.
func (s *sharing) grant(ctx context.Context, api *client.ClientWithResponses, owner, who string) (*client.Collaborator, error) {
	all, err := allCollaborators(ctx, api, owner)
	if err != nil {
		return nil, err
	}
	elsewhere := []string{}
	for i := range all {
		c := &all[i]
		if c.Email != who && c.ID != who {
			continue
		}
		if value(c.Site) == s.site {
			return c, nil
		}
		elsewhere = append(elsewhere, on(value(c.Site)))
	}
	if len(elsewhere) == 0 {
		return nil, &hosting.Error{Code: hosting.NotFound, Message: fmt.Sprintf("There is no collaborator %q.", who), Mend: "See which there are with: kubepanel collaborator list"}
	}
	return nil, &hosting.Error{Code: hosting.NotFound, Message: fmt.Sprintf("%s has no rights on %s as such.", who, on(s.site)),
		Mend: "There are some on " + strings.Join(elsewhere, ", ") + ": name the site with --site, or leave it out for all."}
}

func newCollaboratorList(env *Env) *cobra.Command {
	var s sharing
	cmd := env.of(&cobra.Command{Use: "list", Aliases: []string{"ls"}, Short: "List who has rights on an account's sites",
		Example: "  kubepanel collaborator list\n  kubepanel collaborator list --account jo@shop.example -o json"},
		func(ctx context.Context, api *client.ClientWithResponses) error {
			owner, err := s.owner(ctx, api)
			if err != nil {
				return err
			}
			all, err := allCollaborators(ctx, api, owner)
			if err != nil {
				return err
			}
			rows := make([][]string, 0, len(all))
			for _, c := range all {
				rows = append(rows, []string{clean(c.Email), clean(c.Name), on(value(c.Site)), clean(join(c.Rights, ","))})
			}
			return env.rows(all, []string{"EMAIL", "NAME", "ON", "RIGHTS"}, rows)
		})
	cmd.Flags().StringVar(&s.account, "account", "", "`address` of the account whose sites they are (default: your own)")
	return cmd
}

func newCollaboratorInvite(env *Env) *cobra.Command {
	var s sharing
	var name string
	cmd := env.about("the collaborator's address", &cobra.Command{Use: "invite ADDRESS", Short: "Give somebody rights on sites",
		Long: `Give somebody rights on one site, or on all of an account's. An account is made for an
address that has none; its owner sets a password by the link of "kubepanel user link". To
see the sites is part of every right.`,
		Example: "  kubepanel collaborator invite kim@agency.example --name Kim --site shop.example \\\n    --right site.files --right site.logs\n" +
			"  kubepanel collaborator invite kim@agency.example --name Kim --right site.view \\\n    --account jo@shop.example"},
		func(ctx context.Context, api *client.ClientWithResponses, email string) error {
			owner, err := s.owner(ctx, api)
			if err != nil {
				return err
			}
			return env.share(ctx, api, owner, nil, client.Invitation{Email: email, Name: name, Site: optional(s.site), Rights: s.rights})
		})
	cmd.Flags().StringVar(&name, "name", "", "`name` of the person, for an account that is made")
	s.add(env, cmd, true)
	return cmd
}

// share gives rights, in place of those that a tag names where there is one, and says so.
func (e *Env) share(ctx context.Context, api *client.ClientWithResponses, owner string, tag *string, wish client.Invitation) error {
	if wish.Rights == nil {
		wish.Rights = []string{}
	}
	given, err := api.InviteCollaboratorWithResponse(ctx, owner, &client.InviteCollaboratorParams{IfMatch: tag}, wish)
	if err != nil {
		return err
	}
	if err := client.Check(given.StatusCode(), given.ApplicationProblemJSONDefault); err != nil {
		return err
	}
	c := given.JSON200
	return e.done(c, "%s has these rights on %s now: %s.\nWho has no password yet sets one by the link of: kubepanel user link %s",
		clean(c.Email), on(value(wish.Site)), clean(strings.Join(c.Rights, ", ")), clean(c.ID))
}

func newCollaboratorChange(env *Env) *cobra.Command {
	var s sharing
	cmd := env.about("the collaborator's address", &cobra.Command{Use: "change ADDRESS", Short: "Give a collaborator other rights; those that are named replace those of before",
		Example: "  kubepanel collaborator change kim@agency.example --site shop.example --right site.logs"},
		func(ctx context.Context, api *client.ClientWithResponses, who string) error {
			owner, was, err := s.held(ctx, api, who)
			if err != nil {
				return err
			}
			tag, err := s.tag(ctx, api, owner, was)
			if err != nil {
				return err
			}
			return env.share(ctx, api, owner, tag, client.Invitation{Email: was.Email, Name: was.Name, Site: was.Site, Rights: s.rights})
		})
	s.add(env, cmd, true)
	return cmd
}

func newCollaboratorRemove(env *Env) *cobra.Command {
	var s sharing
	cmd := env.about("the collaborator's address", &cobra.Command{Use: "remove ADDRESS", Aliases: []string{"delete"}, Short: "Take a collaborator's rights away; the account stays",
		Example: "  kubepanel collaborator remove kim@agency.example --site shop.example"},
		func(ctx context.Context, api *client.ClientWithResponses, who string) error {
			owner, was, err := s.held(ctx, api, who)
			if err != nil {
				return err
			}
			tag, err := s.tag(ctx, api, owner, was)
			if err != nil {
				return err
			}
			gone, err := api.RemoveCollaboratorWithResponse(ctx, owner, was.ID, &client.RemoveCollaboratorParams{Site: was.Site, IfMatch: tag})
			if err != nil {
				return err
			}
			if err := client.Check(gone.StatusCode(), gone.ApplicationProblemJSONDefault); err != nil {
				return err
			}
			return env.done(map[string]string{"removed": was.Email, "site": s.site}, "%s has no rights on %s any more.", clean(was.Email), on(s.site))
		})
	s.add(env, cmd, false)
	return cmd
}
