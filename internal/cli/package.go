package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"kubepanel.io/kubepanel/internal/client"
	"kubepanel.io/kubepanel/internal/hosting"
)

func newPackage(env *Env) *cobra.Command {
	return group("package", "Packages of a panel: what accounts may use", "  kubepanel package list\n  kubepanel package create Small --sites 3 --storage 20",
		newPackageList(env), newPackageShow(env), newPackageCreate(env), newPackageChange(env), newPackageDelete(env))
}

func allPackages(ctx context.Context, api *client.ClientWithResponses) ([]client.Package, error) {
	return everyPage(func(cursor *string, most *int64) ([]client.Package, *string, error) {
		found, err := api.ListPackagesWithResponse(ctx, &client.ListPackagesParams{Cursor: cursor, Limit: most})
		if err != nil {
			return nil, nil, err
		}
		if err := client.Check(found.StatusCode(), found.ApplicationProblemJSONDefault); err != nil {
			return nil, nil, err
		}
		return found.JSON200.Items, found.JSON200.Next, nil
	})
}

// packageID finds a package by its name or ID. The packages of a reseller stand in that
// one's list alone: the provider names them by their IDs.
func packageID(ctx context.Context, api *client.ClientWithResponses, name string) (string, error) {
	all, err := allPackages(ctx, api)
	if err != nil {
		return "", err
	}
	listed, err := named(all, "package", name, func(p *client.Package) (string, string) { return p.ID, p.Name })
	if err == nil {
		return listed.ID, nil
	}
	found, failed := api.GetPackageWithResponse(ctx, name)
	if failed != nil || found.JSON200 == nil {
		return "", err
	}
	return found.JSON200.ID, nil
}

func newPackageList(env *Env) *cobra.Command {
	return env.of(&cobra.Command{Use: "list", Aliases: []string{"ls"}, Short: "List packages", Example: "  kubepanel package list -o json"},
		func(ctx context.Context, api *client.ClientWithResponses) error {
			all, err := allPackages(ctx, api)
			if err != nil {
				return err
			}
			rows := make([][]string, 0, len(all))
			for _, p := range all {
				rows = append(rows, []string{clean(p.Name), fmt.Sprint(p.Users), amount(p.Quota.Sites), amount(p.Quota.Storage), amount(p.Quota.CPU), amount(p.Quota.Memory)})
			}
			return env.rows(all, []string{"NAME", "ACCOUNTS", "SITES", "STORAGE GiB", "CPU m", "MEMORY MiB"}, rows)
		})
}

// packageNamed reads a package with all its limits.
func packageNamed(ctx context.Context, api *client.ClientWithResponses, name string) (*client.GetPackageResponse, error) {
	id, err := packageID(ctx, api, name)
	if err != nil {
		return nil, err
	}
	found, err := api.GetPackageWithResponse(ctx, id)
	if err != nil {
		return nil, err
	}
	return found, client.Check(found.StatusCode(), found.ApplicationProblemJSONDefault)
}

func newPackageShow(env *Env) *cobra.Command {
	return env.about("the package's name", &cobra.Command{Use: "show NAME", Short: "Show a package with all its limits", Example: "  kubepanel package show Small"},
		func(ctx context.Context, api *client.ClientWithResponses, name string) error {
			found, err := packageNamed(ctx, api, name)
			if err != nil {
				return err
			}
			p := found.JSON200
			if env.structured() {
				return env.printStructured(p)
			}
			env.say("%s, which %d accounts have", clean(p.Name), p.Users)
			return table(env.Out, newLimitFlags().rows(&p.Quota))
		})
}

func newPackageCreate(env *Env) *cobra.Command {
	limits, reseller := newLimitFlags(), ""
	var cmd *cobra.Command
	cmd = env.about("the package's name", &cobra.Command{Use: "create NAME", Short: "Make a package; a limit that is left out is none",
		Example: "  kubepanel package create Small --sites 3 --storage 20 --memory 2048\n  kubepanel package create Small --reseller ann@resale.example --sites 1"},
		func(ctx context.Context, api *client.ClientWithResponses, name string) error {
			wish := client.NewPackage{Name: name}
			limits.onto(cmd.Flags(), &wish.Quota)
			if reseller != "" {
				id, err := userID(ctx, api, reseller)
				if err != nil {
					return err
				}
				wish.Reseller = &id
			}
			made, err := api.CreatePackageWithResponse(ctx, nil, wish)
			if err != nil {
				return err
			}
			if err := client.Check(made.StatusCode(), made.ApplicationProblemJSONDefault); err != nil {
				return err
			}
			return env.done(made.JSON201, "Made the package %s.", clean(name))
		})
	limits.add(cmd.Flags())
	cmd.Flags().StringVar(&reseller, "reseller", "", "`address` of the reseller who is to sell it")
	return cmd
}

func newPackageDelete(env *Env) *cobra.Command {
	yes := false
	return addYes(env.about("the package's name", &cobra.Command{Use: "delete NAME", Short: "Delete a package that no account has", Example: "  kubepanel package delete Small"},
		func(ctx context.Context, api *client.ClientWithResponses, name string) error {
			found, err := packageNamed(ctx, api, name)
			if err != nil {
				return err
			}
			if found.JSON200.Users > 0 {
				return &hosting.Error{Code: hosting.Conflict, Message: fmt.Sprintf("Accounts that have the package %s: %d.", clean(name), found.JSON200.Users), Mend: "Give them another package first."}
			}
			if err := env.confirm(ctx, yes, loss{tells: "Its limits are gone then, and nothing brings them back.", name: name, does: "delete it"}); err != nil {
				return err
			}
			gone, err := api.DeletePackageWithResponse(ctx, found.JSON200.ID, nil)
			if err != nil {
				return err
			}
			if err := client.Check(gone.StatusCode(), gone.ApplicationProblemJSONDefault); err != nil {
				return err
			}
			return env.done(map[string]string{"deleted": name}, "Deleted the package %s.", clean(name))
		}), &yes)
}
