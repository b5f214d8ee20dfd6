package cli

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"kubepanel.io/kubepanel/internal/client"
	"kubepanel.io/kubepanel/internal/hosting"
)

func newCompany(env *Env) *cobra.Command {
	return group("company", "Companies whose people sign in to a panel by OpenID Connect", "  kubepanel company list\n  kubepanel company delete Works",
		newCompanyList(env), newCompanyCreate(env), newCompanyChange(env), newCompanyDelete(env))
}

func allCompanies(ctx context.Context, api *client.ClientWithResponses) ([]client.Company, error) {
	return everyPage(func(cursor *string, most *int64) ([]client.Company, *string, error) {
		found, err := api.ListCompaniesWithResponse(ctx, &client.ListCompaniesParams{Cursor: cursor, Limit: most})
		if err != nil {
			return nil, nil, err
		}
		if err := client.Check(found.StatusCode(), found.ApplicationProblemJSONDefault); err != nil {
			return nil, nil, err
		}
		return found.JSON200.Items, found.JSON200.Next, nil
	})
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

// companyFlags say how a company's people sign in.
type companyFlags struct {
	issuer, clientID, role, pack, secretFile string
	domains                                  []string
	asksFactor                               bool
}

func (c *companyFlags) add(f *pflag.FlagSet) {
	f.StringVar(&c.issuer, "issuer", "", "the provider's `address`")
	f.StringVar(&c.clientID, "client-id", "", "the panel's `name` at the provider")
	f.StringVar(&c.secretFile, "secret-file", "", "`file` with the client's secret; - is standard input")
	f.StringSliceVar(&c.domains, "domain", nil, "`domain` of its people's mail addresses (may be repeated)")
	f.StringVar(&c.role, "role", "", "`role` of accounts that are made for who comes the first time; none are made without it")
	f.StringVar(&c.pack, "package", "", "`name` of the package of customers who are made")
	f.BoolVar(&c.asksFactor, "asks-factor", false, "the provider asks for a second factor itself, so that the panel need not")
}

// onto puts what is on the command line into what is known of a company.
func (c *companyFlags) onto(ctx context.Context, api *client.ClientWithResponses, f *pflag.FlagSet, wish *client.CompanyWish) error {
	wish.Issuer = or(value(given(f, "issuer", c.issuer)), wish.Issuer)
	wish.ClientID = or(value(given(f, "client-id", c.clientID)), wish.ClientID)
	if f.Changed("domain") {
		wish.Domains = c.domains
	}
	if f.Changed("role") {
		wish.Role = optional(client.CompanyWishRole(c.role))
	}
	if f.Changed("asks-factor") {
		wish.AsksFactor = &c.asksFactor
	}
	if !f.Changed("package") {
		return nil
	}
	if wish.Package = nil; c.pack == "" {
		return nil
	}
	id, err := packageID(ctx, api, c.pack)
	wish.Package = &id
	return err
}

func newCompanyCreate(env *Env) *cobra.Command {
	var c companyFlags
	var cmd *cobra.Command
	cmd = env.about("the company's name", &cobra.Command{Use: "create NAME", Short: "Let a company's people sign in by its provider",
		Long: `Let a company's people sign in by its OpenID Connect provider. The client's secret is read
from a file or standard input, never from an argument: other accounts of a computer see
those. The answer names the address that the provider has to know.`,
		Example: "  kubepanel company create Works --issuer https://login.works.example --client-id panel \\\n    --domain works.example < secret"},
		func(ctx context.Context, api *client.ClientWithResponses, name string) error {
			wish := client.CompanyWish{Name: name, Domains: []string{}}
			var err error
			if wish.Secret, err = env.secret(ctx, c.secretFile); err != nil {
				return err
			}
			if err := c.onto(ctx, api, cmd.Flags(), &wish); err != nil {
				return err
			}
			made, err := api.CreateCompanyWithResponse(ctx, nil, wish)
			if err != nil {
				return err
			}
			if err := client.Check(made.StatusCode(), made.ApplicationProblemJSONDefault); err != nil {
				return err
			}
			return env.done(made.JSON201, "The people of %s can sign in once its provider knows this address (redirect URI):\n%s", clean(name), clean(made.JSON201.Answers))
		})
	c.add(cmd.Flags())
	return cmd
}

func newCompanyChange(env *Env) *cobra.Command {
	var c companyFlags
	var rename string
	var cmd *cobra.Command
	cmd = env.about("the company's name", &cobra.Command{Use: "change NAME", Short: "Change how a company's people sign in; what is not named stays",
		Long: `Change how a company's people sign in. What is not named stays, the client's secret too: a
new one is read from the file that --secret-file names. Where somebody else changed it in
between, nothing is changed.`,
		Example: "  kubepanel company change Works --domain works.example --domain works.test\n  kubepanel company change Works --secret-file - < secret"},
		func(ctx context.Context, api *client.ClientWithResponses, name string) error {
			f := cmd.Flags()
			if err := atLeastOne(cmd, "name", "issuer", "client-id", "secret-file", "domain", "role", "package", "asks-factor"); err != nil {
				return err
			}
			id, err := companyID(ctx, api, name)
			if err != nil {
				return err
			}
			found, err := api.GetCompanyWithResponse(ctx, id)
			if err != nil {
				return err
			}
			if err := client.Check(found.StatusCode(), found.ApplicationProblemJSONDefault); err != nil {
				return err
			}
			wish := wishOf(found.JSON200)
			wish.Name = or(rename, wish.Name)
			if f.Changed("secret-file") {
				if wish.Secret, err = env.secret(ctx, c.secretFile); err != nil {
					return err
				}
			}
			if err := c.onto(ctx, api, f, &wish); err != nil {
				return err
			}
			tag := found.HTTPResponse.Header.Get("Etag")
			set, err := api.ChangeCompanyWithResponse(ctx, id, &client.ChangeCompanyParams{IfMatch: &tag}, wish)
			if err != nil {
				return err
			}
			if err := client.Check(set.StatusCode(), set.ApplicationProblemJSONDefault); err != nil {
				return err
			}
			return env.done(set.JSON200, "Changed the company %s.", clean(set.JSON200.Name))
		})
	cmd.Flags().StringVar(&rename, "name", "", "another `name` for its button")
	c.add(cmd.Flags())
	return cmd
}

// wishOf asks for a company as it is.
func wishOf(c *client.Company) client.CompanyWish {
	wish := client.CompanyWish{Name: c.Name, Issuer: c.Issuer, ClientID: c.ClientID, Domains: c.Domains, Package: c.Package, AsksFactor: c.AsksFactor}
	if c.Role != nil {
		wish.Role = optional(client.CompanyWishRole(*c.Role))
	}
	return wish
}

// companyID finds a company by its name or ID.
func companyID(ctx context.Context, api *client.ClientWithResponses, name string) (string, error) {
	all, err := allCompanies(ctx, api)
	if err != nil {
		return "", err
	}
	found, err := named(all, "company", name, func(c *client.Company) (string, string) { return c.ID, c.Name })
	if err != nil {
		return "", err
	}
	return found.ID, nil
}

// secret reads a secret from a file, or from standard input where none or - is named.
func (e *Env) secret(ctx context.Context, file string) (*string, error) {
	if file == "" || file == "-" {
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
	yes := false
	return addYes(env.about("the company's name", &cobra.Command{Use: "delete NAME", Short: "Let nobody sign in by a company any more; the accounts stay",
		Example: "  kubepanel company delete Works"},
		func(ctx context.Context, api *client.ClientWithResponses, name string) error {
			id, err := companyID(ctx, api, name)
			if err != nil {
				return err
			}
			if err := env.confirm(ctx, yes, loss{tells: "Nobody signs in by this company any more then.", name: name, does: "delete it"}); err != nil {
				return err
			}
			gone, err := api.DeleteCompanyWithResponse(ctx, id, nil)
			if err != nil {
				return err
			}
			if err := client.Check(gone.StatusCode(), gone.ApplicationProblemJSONDefault); err != nil {
				return err
			}
			return env.done(map[string]string{"deleted": name}, "Nobody signs in by %s any more.", clean(name))
		}), &yes)
}
