package cli

import "github.com/spf13/cobra"

func newVersion(env *Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "Print the version of this program",
		Example: "  kubepanel version\n  kubepanel version --output json",
		Args:    nothing,
		RunE: func(*cobra.Command, []string) error {
			if env.structured() {
				return env.printStructured(env.Build)
			}
			env.say("kubepanel %s (%s, %s)", env.Build.Version, env.Build.Go, env.Build.Platform)
			return nil
		},
	}
	env.addOutput(cmd)
	return cmd
}
