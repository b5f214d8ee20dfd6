package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/client"
	"kubepanel.io/kubepanel/internal/hosting"
)

// noneMeant answers who narrowed the list to nothing.
const noneMeant = "No site is like that. See all with: kubepanel site list"

func newSiteList(env *Env) *cobra.Command {
	var only hosting.SiteFilter
	cmd := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List all sites",
		Example: "  kubepanel site list\n  kubepanel site list --output json | jq -r '.items[].spec.domainName'\n" +
			"  kubepanel site list --output name\n  kubepanel site list --state stalled\n  kubepanel site list --runtime php:8.3",
		Args: nothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if only.Standing != "" && !slices.Contains(hosting.Standings(), only.Standing) {
				return &usageError{message: fmt.Sprintf("--state %q is none of %s", only.Standing, strings.Join(standings(), ", ")), command: cmd.CommandPath()}
			}
			if err := only.Check(); err != nil {
				return err
			}
			return env.either(func(api *client.ClientWithResponses) error { return env.panelList(cmd.Context(), api, only) },
				func() error { return siteList(cmd.Context(), env, only) })
		},
	}
	f := cmd.Flags()
	f.StringVar((*string)(&only.Standing), "state", "", "only sites in this `state`: "+strings.Join(standings(), ", "))
	f.StringVar(&only.Runtime, "runtime", "", "only sites of this `runtime`, as TYPE or TYPE:VERSION")
	complete(cmd, "state", words(standings()...))
	env.addOutput(cmd, formatName)
	return cmd
}

func standings() []string {
	var all []string
	for _, s := range hosting.Standings() {
		all = append(all, string(s))
	}
	return all
}

func siteList(ctx context.Context, env *Env, only hosting.SiteFilter) error {
	_, panel, err := env.open()
	if err != nil {
		return err
	}
	sites, err := panel.Sites(ctx)
	if err != nil {
		return err
	}
	sites = slices.DeleteFunc(sites, func(d v1alpha1.Domain) bool { return !only.Matches(&hosting.OwnedSite{Domain: &d}) })
	if env.structured() {
		if sites == nil {
			sites = []v1alpha1.Domain{} // a list, not null
		}
		return env.printStructured(v1alpha1.DomainList{
			TypeMeta: metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "DomainList"}, Items: sites,
		})
	}
	if env.format == formatName {
		for _, d := range sites {
			env.say("%s", d.Spec.DomainName)
		}
		return nil
	}
	if len(sites) == 0 && only != (hosting.SiteFilter{}) {
		env.say(noneMeant)
		return nil
	}
	if len(sites) == 0 {
		env.say("There are no sites yet. Create one with: kubepanel site create blog.localhost --wordpress --wait")
		return nil
	}
	rows := [][]string{{"NAME", "TYPE", "PHASE", "READY", "URL", "AGE"}}
	for i := range sites {
		d := &sites[i]
		rows = append(rows, []string{
			hosting.ShowName(d.Spec.DomainName), siteType(d), or(string(d.Status.Phase), "Pending"), readiness(d), or(d.Status.Endpoints.Site(), "-"), age(d.CreationTimestamp.Time),
		})
	}
	return table(env.Out, rows)
}

// siteType is what a site runs, in a word or two.
func siteType(d *v1alpha1.Domain) string {
	if d.Spec.WordPress.Preinstall {
		return "wordpress/" + d.Spec.Workload.Version
	}
	return clean(d.Spec.Workload.Type + "/" + d.Spec.Workload.Version)
}

func readiness(d *v1alpha1.Domain) string {
	ready := meta.FindStatusCondition(d.Status.Conditions, v1alpha1.ConditionReady)
	if ready == nil {
		return "Unknown"
	}
	return string(ready.Status)
}

func age(since time.Time) string {
	if since.IsZero() {
		return "-"
	}
	return duration.HumanDuration(time.Since(since))
}

func or(text, otherwise string) string {
	if strings.TrimSpace(text) == "" {
		return otherwise
	}
	return text
}
