package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"kubepanel.io/kubepanel/api/platform"
	"kubepanel.io/kubepanel/internal/hosting"
)

// completionTimeout is how long a shell waits for us after the Tab key. A person
// would rather type than wait longer.
const completionTimeout = 2 * time.Second

type completer = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective)

// complete sets how a flag's value is completed. It can only fail for a flag that
// does not exist, which a test of all commands finds.
func complete(cmd *cobra.Command, flag string, f completer) {
	if err := cmd.RegisterFlagCompletionFunc(flag, f); err != nil {
		cmd.RunE = func(*cobra.Command, []string) error { return err }
	}
}

func words[T ~string](list ...T) completer {
	plain := make([]string, len(list))
	for i, w := range list {
		plain[i] = string(w)
	}
	return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return plain, cobra.ShellCompDirectiveNoFileComp
	}
}

// siteNames completes the name of a site that exists.
func (e *Env) siteNames(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	if api, err := e.throughPanel(); err != nil || api != nil {
		if api == nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return e.panelSites(cmd, api), cobra.ShellCompDirectiveNoFileComp
	}
	return e.suggest(cmd, func(ctx context.Context, panel *hosting.Panel) ([]string, error) {
		sites, err := panel.Sites(ctx)
		names := make([]string, len(sites))
		for i := range sites {
			names[i] = sites[i].Spec.DomainName
		}
		return names, err
	})
}

// phpVersions completes a version of PHP that the platform can run.
func (e *Env) phpVersions(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	return e.catalogue(cmd, func(s *platform.Settings) []string { return hosting.Versions(s, hosting.PHP) })
}

// runtimes completes a TYPE:VERSION that the platform can run.
func (e *Env) runtimes(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	return e.catalogue(cmd, hosting.Runtimes)
}

// catalogue completes from the platform's settings, as the panel or the cluster has them.
func (e *Env) catalogue(cmd *cobra.Command, list func(*platform.Settings) []string) ([]string, cobra.ShellCompDirective) {
	if api, err := e.throughPanel(); err != nil || api != nil {
		if api == nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		ctx, stop := context.WithTimeout(cmd.Context(), completionTimeout)
		defer stop()
		all, err := offered(ctx, api)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return list(catalogueOf(all)), cobra.ShellCompDirectiveNoFileComp
	}
	return e.suggest(cmd, func(ctx context.Context, panel *hosting.Panel) ([]string, error) {
		settings, err := panel.Platform.Settings(ctx)
		if err != nil {
			return nil, err
		}
		return list(settings), nil
	})
}

// suggest asks the cluster, and suggests nothing when it does not answer: an
// error has no place in a command line that is being typed.
func (e *Env) suggest(cmd *cobra.Command, ask func(context.Context, *hosting.Panel) ([]string, error)) ([]string, cobra.ShellCompDirective) {
	_, panel, err := e.open()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	ctx, stop := context.WithTimeout(cmd.Context(), completionTimeout)
	defer stop()
	list, err := ask(ctx, panel)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return list, cobra.ShellCompDirectiveNoFileComp
}
