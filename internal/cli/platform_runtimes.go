package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"kubepanel.io/kubepanel/api/platform"
	"kubepanel.io/kubepanel/internal/hosting"
)

func newPlatformRuntimes(env *Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "runtimes [TYPE]",
		Short: "List what a site can run, and with which settings",
		Long: `List the catalogue of runtimes: their versions and, for one of them, the settings that
a site of that type can have. The administrator edits it in the chart's values.`,
		Example: "  kubepanel platform runtimes\n  kubepanel platform runtimes python",
		Args:    cobra.MaximumNArgs(1),
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			return env.catalogue(cmd, (*platform.Settings).Types)
		},
		RunE: func(cmd *cobra.Command, args []string) error { return platformRuntimes(cmd.Context(), env, args) },
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
	if len(args) == 0 {
		if env.structured() {
			return env.printStructured(settings.Runtimes)
		}
		return table(env.Out, runtimeRows(settings))
	}
	r, ok := settings.Runtimes[args[0]]
	switch {
	case !ok:
		return &hosting.Error{Code: hosting.NotFound,
			Message: fmt.Sprintf("This platform offers no %s.", clean(args[0])),
			Mend:    "It offers " + strings.Join(settings.Types(), ", ") + "."}
	case env.structured():
		return env.printStructured(r)
	case len(r.Settings) == 0:
		env.say("The catalogue names no settings of %s.", clean(args[0]))
		return nil
	}
	return table(env.Out, settingRows(r))
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
