package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"kubepanel.io/kubepanel/api/platform"
	"kubepanel.io/kubepanel/internal/client"
	"kubepanel.io/kubepanel/internal/hosting"
)

func newPlatformRuntimes(env *Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "runtimes [TYPE]",
		Short: "List what a site can run, and with which settings",
		Long: `List the catalogue of runtimes: their versions and, for one of them, the settings that
a site of that type can have. The administrator edits it in the chart's values. Whoever is
signed in to a panel asks that one, unless a cluster is named.`,
		Example: "  kubepanel platform runtimes\n  kubepanel platform runtimes python",
		Args:    cobra.MaximumNArgs(1),
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			return env.catalogue(cmd, (*platform.Settings).Types)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return env.either(func(api *client.ClientWithResponses) error { return panelRuntimes(cmd.Context(), env, api, args) },
				func() error { return platformRuntimes(cmd.Context(), env, args) })
		},
	}
	env.addOutput(cmd)
	return cmd
}

func platformRuntimes(ctx context.Context, env *Env, args []string) error {
	cluster, _, err := env.open()
	if err != nil {
		return err
	}
	settings, err := cluster.Settings(ctx)
	if err != nil {
		return err
	}
	if !env.structured() {
		return env.showRuntimes(settings, args)
	}
	if len(args) == 0 {
		return env.printStructured(settings.Runtimes)
	}
	r, ok := settings.Runtimes[args[0]]
	if !ok {
		return notOffered(settings, args[0])
	}
	return env.printStructured(r)
}

// panelRuntimes asks a panel.
func panelRuntimes(ctx context.Context, env *Env, api *client.ClientWithResponses, args []string) error {
	all, err := offered(ctx, api)
	if err != nil {
		return err
	}
	settings := catalogueOf(all)
	if !env.structured() {
		return env.showRuntimes(settings, args)
	}
	if len(args) == 0 {
		return env.printStructured(all)
	}
	i := slices.IndexFunc(all, func(r client.Runtime) bool { return r.Type == args[0] })
	if i < 0 {
		return notOffered(settings, args[0])
	}
	return env.printStructured(all[i])
}

// offered is the catalogue of a panel.
func offered(ctx context.Context, api *client.ClientWithResponses) ([]client.Runtime, error) {
	found, err := api.ListRuntimesWithResponse(ctx)
	if err != nil {
		return nil, err
	}
	if err := client.Check(found.StatusCode(), found.ApplicationProblemJSONDefault); err != nil {
		return nil, err
	}
	return found.JSON200.Items, nil
}

// catalogueOf is what a panel offers, as the platform's settings have it.
func catalogueOf(all []client.Runtime) *platform.Settings {
	s := &platform.Settings{Runtimes: map[string]platform.Runtime{}}
	for _, r := range all {
		one := platform.Runtime{Title: r.Title, Default: r.Default, Versions: map[string]platform.Version{}, Settings: map[string]platform.Setting{}}
		for _, v := range r.Versions {
			one.Versions[v] = platform.Version{Image: "the panel's"} // what has none is not offered
		}
		for _, o := range r.Settings {
			one.Settings[o.Key] = platform.Setting{Type: o.Type, Default: platform.Text(value(o.Default)), Values: value(o.Values), Description: value(o.Description)}
		}
		s.Runtimes[r.Type] = one
	}
	return s
}

func notOffered(s *platform.Settings, kind string) error {
	return &hosting.Error{Code: hosting.NotFound, Message: fmt.Sprintf("This platform offers no %s.", clean(kind)), Mend: "It offers " + strings.Join(s.Types(), ", ") + "."}
}

// showRuntimes shows the catalogue, or the settings of one runtime.
func (e *Env) showRuntimes(s *platform.Settings, args []string) error {
	if len(args) == 0 {
		return table(e.Out, runtimeRows(s))
	}
	r, ok := s.Runtimes[args[0]]
	switch {
	case !ok:
		return notOffered(s, args[0])
	case len(r.Settings) == 0:
		e.say("The catalogue names no settings of %s.", clean(args[0]))
		return nil
	}
	return table(e.Out, settingRows(r))
}

func runtimeRows(s *platform.Settings) [][]string {
	rows := [][]string{{"RUNTIME", "NAME", "VERSIONS"}}
	for _, kind := range s.Types() {
		versions := hosting.Versions(s, kind)
		for i, v := range versions {
			if v == s.Runtimes[kind].Default {
				versions[i] += " (default)"
			}
		}
		rows = append(rows, []string{clean(kind), clean(s.Name(kind)), clean(strings.Join(versions, ", "))})
	}
	return rows
}

func settingRows(r platform.Runtime) [][]string {
	rows := [][]string{{"SETTING", "DEFAULT", "TAKES", "MEANING"}}
	for _, name := range slices.Sorted(maps.Keys(r.Settings)) {
		s := r.Settings[name]
		rows = append(rows, []string{clean(name), or(clean(string(s.Default)), "-"), clean(s.Takes()), clean(s.Description)})
	}
	return rows
}
