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
		newPackageList(env), newPackageCreate(env), newPackageDelete(env))
}

func allPackages(ctx context.Context, api *client.ClientWithResponses) ([]client.Package, error) {
	found, err := api.ListPackagesWithResponse(ctx)
	if err != nil {
		return nil, err
	}
	if err := client.Check(found.StatusCode(), found.ApplicationProblemJSONDefault); err != nil {
		return nil, err
	}
	return found.JSON200.Items, nil
}

// packageID finds a package by its name.
func packageID(ctx context.Context, api *client.ClientWithResponses, name string) (string, error) {
	all, err := allPackages(ctx, api)
	if err != nil {
		return "", err
	}
	for _, p := range all {
		if p.Name == name {
			return p.ID, nil
		}
	}
	return "", &hosting.Error{Code: hosting.NotFound, Message: fmt.Sprintf("There is no package %q.", name), Mend: "See which there are with: kubepanel package list"}
}

func newPackageList(env *Env) *cobra.Command {
	return env.of(&cobra.Command{Use: "list", Aliases: []string{"ls"}, Short: "List packages", Example: "  kubepanel package list -o json"},
		func(ctx context.Context, api *client.ClientWithResponses) error {
			all, err := allPackages(ctx, api)
			if err != nil {
				return err
			}
			number := func(n *int64) string {
				if n == nil {
					return "-"
				}
				return fmt.Sprint(*n)
			}
			rows := make([][]string, 0, len(all))
			for _, p := range all {
				rows = append(rows, []string{clean(p.Name), fmt.Sprint(p.Users), number(p.Quota.Sites), number(p.Quota.Storage), number(p.Quota.CPU), number(p.Quota.Memory)})
			}
			return env.rows(all, []string{"NAME", "ACCOUNTS", "SITES", "STORAGE GiB", "CPU m", "MEMORY MiB"}, rows)
		})
}

func newPackageCreate(env *Env) *cobra.Command {
	limits := map[string]*int64{"sites": new(int64), "storage": new(int64), "cpu": new(int64), "memory": new(int64), "databases": new(int64)}
	var cmd *cobra.Command
	cmd = env.about("the package's name", &cobra.Command{Use: "create NAME", Short: "Make a package; a limit that is left out is none",
		Example: "  kubepanel package create Small --sites 3 --storage 20 --memory 2048"},
		func(ctx context.Context, api *client.ClientWithResponses, name string) error {
			limit := func(flag string) *int64 {
				if cmd.Flags().Changed(flag) {
					return limits[flag]
				}
				return nil
			}
			made, err := api.CreatePackageWithResponse(ctx, nil, client.NewPackage{Name: name, Quota: client.Quota{
				Sites: limit("sites"), Storage: limit("storage"), CPU: limit("cpu"), Memory: limit("memory"), Databases: limit("databases")}})
			if err != nil {
				return err
			}
			if err := client.Check(made.StatusCode(), made.ApplicationProblemJSONDefault); err != nil {
				return err
			}
			return env.done(made.JSON201, "Made the package %s.", clean(name))
		})
	f := cmd.Flags()
	f.Int64Var(limits["sites"], "sites", 0, "most `number` of sites")
	f.Int64Var(limits["storage"], "storage", 0, "most storage, in `GiB`")
	f.Int64Var(limits["cpu"], "cpu", 0, "most processor time, in `thousandths` of a core")
	f.Int64Var(limits["memory"], "memory", 0, "most memory, in `MiB`")
	f.Int64Var(limits["databases"], "databases", 0, "most `number` of databases")
	return cmd
}

func newPackageDelete(env *Env) *cobra.Command {
	return env.about("the package's name", &cobra.Command{Use: "delete NAME", Short: "Delete a package that no account has", Example: "  kubepanel package delete Small"},
		func(ctx context.Context, api *client.ClientWithResponses, name string) error {
			id, err := packageID(ctx, api, name)
			if err != nil {
				return err
			}
			gone, err := api.DeletePackageWithResponse(ctx, id, nil)
			if err != nil {
				return err
			}
			if err := client.Check(gone.StatusCode(), gone.ApplicationProblemJSONDefault); err != nil {
				return err
			}
			return env.done(map[string]string{"deleted": name}, "Deleted the package %s.", clean(name))
		})
}
