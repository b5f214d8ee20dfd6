package cli

import (
	"context"
	"os"

	"github.com/spf13/cobra"

	"kubepanel.io/kubepanel/internal/client"
	"kubepanel.io/kubepanel/internal/hosting"
)

func newSettings(env *Env) *cobra.Command {
	return group("settings", "How a panel looks: the provider's name, colours and logo", "  kubepanel settings show\n  kubepanel settings set --name \"Example Hosting\"",
		newSettingsShow(env), newSettingsSet(env), newSettingsLogo(env))
}

func newSettingsShow(env *Env) *cobra.Command {
	return env.of(&cobra.Command{Use: "show", Short: "Show what is set of the panel itself", Example: "  kubepanel settings show -o json"},
		func(ctx context.Context, api *client.ClientWithResponses) error {
			found, err := api.GetPanelSettingsWithResponse(ctx)
			if err != nil {
				return err
			}
			if err := client.Check(found.StatusCode(), found.ApplicationProblemJSONDefault); err != nil {
				return err
			}
			return env.showSettings(found.JSON200)
		})
}

// showSettings shows settings, of which what is empty is as the panel came.
func (e *Env) showSettings(s *client.PanelSettings) error {
	if e.structured() {
		return e.printStructured(s)
	}
	own := func(text string) string { return or(clean(text), "the panel's own") }
	colours := own("")
	if s.Light != "" {
		colours = clean(s.Light) + " in the light theme, " + clean(s.Dark) + " in the dark one"
	}
	return table(e.Out, [][]string{{"Name", own(s.Name)}, {"Colours", colours}, {"Logo", own(s.Logo)},
		{"First steps", map[bool]string{false: "shown", true: "put away"}[s.FirstStepsAway]}})
}

func newSettingsSet(env *Env) *cobra.Command {
	var name, light, dark string
	var away bool
	var cmd *cobra.Command
	cmd = env.of(&cobra.Command{Use: "set", Short: "Change the panel's name or colours",
		Long: `Change the panel's name or colours. What is left out stays, and what is given as an empty
text becomes what the panel came with. Both colours are set, or none; one that texts could
not be read in is refused.`,
		Example: "  kubepanel settings set --name \"Example Hosting\" --light '#0b6b3a' --dark '#6fd39b'\n  kubepanel settings set --light '' --dark ''"},
		func(ctx context.Context, api *client.ClientWithResponses) error {
			if err := atLeastOne(cmd, "name", "light", "dark", "first-steps-away"); err != nil {
				return err
			}
			f := cmd.Flags()
			set, err := api.ChangePanelSettingsWithResponse(ctx, nil, client.PanelChange{
				Name: given(f, "name", name), Light: given(f, "light", light), Dark: given(f, "dark", dark), FirstStepsAway: given(f, "first-steps-away", away)})
			if err != nil {
				return err
			}
			if err := client.Check(set.StatusCode(), set.ApplicationProblemJSONDefault); err != nil {
				return err
			}
			return env.done(set.JSON200, "The panel is changed; its pages show it within ten seconds.")
		})
	f := cmd.Flags()
	f.StringVar(&name, "name", "", "the provider's `name`")
	f.StringVar(&light, "light", "", "`colour` of the light theme, as #rrggbb")
	f.StringVar(&dark, "dark", "", "`colour` of the dark theme, as #rrggbb")
	f.BoolVar(&away, "first-steps-away", false, "put the checklist of a new platform away; =false brings it back")
	return cmd
}

func newSettingsLogo(env *Env) *cobra.Command {
	return group("logo", "The panel's logo", "  kubepanel settings logo set logo.png", newLogoSet(env), newLogoGet(env), newLogoRemove(env))
}

func newLogoSet(env *Env) *cobra.Command {
	return env.about("the file of the logo", &cobra.Command{Use: "set FILE", Short: "Give the panel a logo: a PNG, JPEG or GIF of up to 512 kB",
		Example: "  kubepanel settings logo set logo.png"},
		func(ctx context.Context, api *client.ClientWithResponses, name string) error {
			file, err := os.Open(name)
			if err != nil {
				return &hosting.Error{Code: hosting.Invalid, Message: "The file can't be read: " + name + ".", Err: err}
			}
			defer file.Close() // it was only read
			set, err := api.PutPanelLogoWithBodyWithResponse(ctx, nil, "application/octet-stream", file)
			if err != nil {
				return err
			}
			if err := client.Check(set.StatusCode(), set.ApplicationProblemJSONDefault); err != nil {
				return err
			}
			return env.done(set.JSON200, "The panel has that logo now; its pages show it within ten seconds.")
		})
}

func newLogoGet(env *Env) *cobra.Command {
	return env.with(wording{names: []string{"the local file"}}, &cobra.Command{Use: "get FILE", Short: "Fetch the panel's logo, as PNG",
		Example: "  kubepanel settings logo get logo.png\n  kubepanel settings logo get - > logo.png"},
		func(ctx context.Context, api *client.ClientWithResponses, args []string) error {
			body, err := client.Stream(api.GetPanelLogo(ctx))
			if err != nil {
				return err
			}
			defer body.Close() // it is read
			return env.saveAs(args[0], body)
		})
}

func newLogoRemove(env *Env) *cobra.Command {
	return env.of(&cobra.Command{Use: "remove", Short: "Take the panel's logo away", Example: "  kubepanel settings logo remove"},
		func(ctx context.Context, api *client.ClientWithResponses) error {
			gone, err := api.DeletePanelLogoWithResponse(ctx, nil)
			if err != nil {
				return err
			}
			if err := client.Check(gone.StatusCode(), gone.ApplicationProblemJSONDefault); err != nil {
				return err
			}
			return env.done(gone.JSON200, "The panel has no logo of yours any more.")
		})
}
