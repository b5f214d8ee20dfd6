package cli

import (
	"context"

	"github.com/spf13/cobra"

	"kubepanel.io/kubepanel/internal/client"
)

func newUserChange(env *Env) *cobra.Command {
	var email, name, pack string
	var cmd *cobra.Command
	cmd = env.about("the account's address", &cobra.Command{Use: "change ADDRESS", Short: "Change an account; what is not named stays",
		Long: `Change an account. What is not named stays. A package that is too small for what the
account uses is refused, with what is too much. Where somebody else changed the account in
between, nothing is changed.`,
		Example: "  kubepanel user change jo@shop.example --package Large\n  kubepanel user change jo@shop.example --email jo@new.example --name \"Jo New\""},
		func(ctx context.Context, api *client.ClientWithResponses, address string) error {
			if err := atLeastOne(cmd, "email", "name", "package"); err != nil {
				return err
			}
			found, err := readUser(ctx, api, address)
			if err != nil {
				return err
			}
			f := cmd.Flags()
			wish := client.UserChange{Email: given(f, "email", email), Name: given(f, "name", name)}
			if f.Changed("package") {
				id, err := packageID(ctx, api, pack)
				if err != nil {
					return err
				}
				wish.Package = &id
			}
			tag := found.HTTPResponse.Header.Get("Etag")
			set, err := api.ChangeUserWithResponse(ctx, found.JSON200.ID, &client.ChangeUserParams{IfMatch: &tag}, wish)
			if err != nil {
				return err
			}
			if err := client.Check(set.StatusCode(), set.ApplicationProblemJSONDefault); err != nil {
				return err
			}
			return env.done(set.JSON200, "Changed the account %s.", clean(set.JSON200.Email))
		})
	f := cmd.Flags()
	f.StringVar(&email, "email", "", "another mail `address`, which it is found and signed in by")
	f.StringVar(&name, "name", "", "another `name` of the person or company")
	f.StringVar(&pack, "package", "", "`name` of another package")
	return cmd
}
