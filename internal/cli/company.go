package cli

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"kubepanel.io/kubepanel/internal/client"
	"kubepanel.io/kubepanel/internal/hosting"
)

func newCompany(env *Env) *cobra.Command {
	return group("company", "Companies whose people sign in to a panel by OpenID Connect", "  kubepanel company list\n  kubepanel company delete Works",
		newCompanyList(env), newCompanyCreate(env), newCompanyDelete(env))
}

func allCompanies(ctx context.Context, api *client.ClientWithResponses) ([]client.Company, error) {
	found, err := api.ListCompaniesWithResponse(ctx)
	if err != nil {
		return nil, err
	}
	if err := client.Check(found.StatusCode(), found.ApplicationProblemJSONDefault); err != nil {
		return nil, err
	}
	return found.JSON200.Items, nil
}

func newCompanyList(env *Env) *cobra.Command {
	return env.of(&cobra.Command{Use: "list", Aliases: []string{"ls"}, Short: "List the companies", Example: "  kubepanel company list"},
		func(ctx context.Context, api *client.ClientWithResponses) error {
			all, err := allCompanies(ctx, api)
			if err != nil {
				return err
			}
			rows := make([][]string, 0, len(all))
			for _, c := range all {
				made := "nobody"
				if c.Role != nil {
					made = string(*c.Role)
				}
				rows = append(rows, []string{clean(c.Name), clean(c.Issuer), clean(strings.Join(c.Domains, ",")), made})
			}
			return env.rows(all, []string{"NAME", "ISSUER", "DOMAINS", "MAKES"}, rows)
		})
}

func newCompanyCreate(env *Env) *cobra.Command {
	var wish client.CompanyWish
	var role, pack, secretFile string
	cmd := env.about("the company's name", &cobra.Command{Use: "create NAME", Short: "Let a company's people sign in by its provider",
		Long: `Let a company's people sign in by its OpenID Connect provider. The client's secret is read
from a file or standard input, never from an argument: other accounts of a computer see
those. The answer names the address that the provider has to know.`,
		Example: "  kubepanel company create Works --issuer https://login.works.example --client-id panel \\\n    --domain works.example < secret"},
		func(ctx context.Context, api *client.ClientWithResponses, name string) error {
			var err error
			if wish.Secret, err = env.secret(ctx, secretFile); err != nil {
				return err
			}
			if pack != "" {
				id, err := packageID(ctx, api, pack)
				if err != nil {
					return err
				}
				wish.Package = &id
			}
			if role != "" {
				wish.Role = new(client.CompanyWishRole(role))
			}
			wish.Name = name
			made, err := api.CreateCompanyWithResponse(ctx, nil, wish)
			if err != nil {
				return err
			}
			if err := client.Check(made.StatusCode(), made.ApplicationProblemJSONDefault); err != nil {
				return err
			}
			return env.done(made.JSON201, "The people of %s can sign in once its provider knows this address (redirect URI):\n%s", clean(name), clean(made.JSON201.Answers))
		})
	f := cmd.Flags()
	f.StringVar(&wish.Issuer, "issuer", "", "the provider's `address`")
	f.StringVar(&wish.ClientID, "client-id", "", "the panel's `name` at the provider")
	f.StringVar(&secretFile, "secret-file", "", "`file` with the client's secret (default: standard input)")
	f.StringSliceVar(&wish.Domains, "domain", nil, "`domain` of its people's mail addresses (may be repeated)")
	f.StringVar(&role, "role", "", "`role` of accounts that are made for who comes the first time (default: none are made)")
	f.StringVar(&pack, "package", "", "`name` of the package of customers who are made")
	return cmd
}

// secret reads a secret from a file, or from standard input where none is named.
func (e *Env) secret(ctx context.Context, file string) (*string, error) {
	if file == "" {
		if e.Ask {
			fmt.Fprint(e.Err, "Secret: ") // a person sits there
		}
		line, err := e.readLine(ctx)
		return &line, err
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, &hosting.Error{Code: hosting.Invalid, Message: "The file of the secret can't be read: " + file + ".", Err: err}
	}
	text := strings.TrimSpace(string(data))
	return &text, nil
}

func newCompanyDelete(env *Env) *cobra.Command {
	return env.about("the company's name", &cobra.Command{Use: "delete NAME", Short: "Let nobody sign in by a company any more; the accounts stay",
		Example: "  kubepanel company delete Works"},
		func(ctx context.Context, api *client.ClientWithResponses, name string) error {
			all, err := allCompanies(ctx, api)
			if err != nil {
				return err
			}
			var ids []string
			for _, c := range all {
				if c.Name == name || c.ID == name {
					ids = append(ids, c.ID)
				}
			}
			if len(ids) != 1 {
				return &hosting.Error{Code: hosting.NotFound, Message: fmt.Sprintf("There are %d companies %q.", len(ids), name), Mend: "Name one by its ID, see: kubepanel company list -o json"}
			}
			gone, err := api.DeleteCompanyWithResponse(ctx, ids[0], nil)
			if err != nil {
				return err
			}
			if err := client.Check(gone.StatusCode(), gone.ApplicationProblemJSONDefault); err != nil {
				return err
			}
			return env.done(map[string]string{"deleted": name}, "Nobody signs in by %s any more.", clean(name))
		})
}
