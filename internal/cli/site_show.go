package cli

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/hosting"
)

func newSiteShow(env *Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:               "show NAME",
		Short:             "Show everything about a site, except its passwords",
		Example:           "  kubepanel site show blog.localhost\n  kubepanel site show blog.localhost --output yaml",
		Args:              oneName,
		ValidArgsFunction: env.siteNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			return env.eitherSite(args[0], func(s panelSite) error { return s.show(cmd.Context()) },
				func() error { return siteShow(cmd.Context(), env, args[0]) })
		},
	}
	env.addOutput(cmd)
	return cmd
}

func siteShow(ctx context.Context, env *Env, name string) error {
	cluster, panel, err := env.open()
	if err != nil {
		return err
	}
	d, err := panel.Site(ctx, name)
	if err != nil {
		return err
	}
	if env.structured() {
		return env.printStructured(d)
	}
	env.say("%s: %s\n", hosting.ShowBoth(d.Spec.DomainName), phase(d))
	if err := table(env.Out, siteFacts(d)); err != nil {
		return err
	}
	env.say("\nSteps")
	if err := table(env.Out, stepRows(d)); err != nil {
		return err
	}
	// Events are news of the last hour; a site can be shown without them.
	events, err := cluster.Events(ctx, d)
	if err != nil {
		env.say("\nEvents can't be read: %s", clean(err.Error()))
		return nil
	}
	if len(events) == 0 {
		return nil
	}
	env.say("\nEvents")
	return table(env.Out, eventRows(events))
}

func phase(d *v1alpha1.Domain) string {
	p := or(string(d.Status.Phase), "Pending")
	if hosting.Live(d) || d.Status.Message == "" {
		return p
	}
	return p + ", " + clean(d.Status.Message)
}

// siteFacts are the lines that a site has something to say about.
func siteFacts(d *v1alpha1.Domain) [][]string {
	var rows [][]string
	add := func(name, format string, args ...any) {
		rows = append(rows, []string{"  " + name, clean(fmt.Sprintf(format, args...))})
	}
	if url := d.Status.Endpoints.Site(); url != "" {
		add("URL", "%s", url)
	}
	if d.Spec.Title != "" {
		add("Title", "%s", d.Spec.Title)
	}
	if names := aliases(d); names != "" {
		add("Aliases", "%s", names)
	}
	add("Runs", "%s", runs(d))
	rows = append(rows, programFacts(&d.Spec)...)
	if d.Spec.Suspended {
		add("Suspended", "yes; visitors see a page that says so. Resume it with: kubepanel site set %s --resume", d.Spec.DomainName)
	}
	r := d.Spec.Resources
	add("Resources", "%s storage%s, at most %s cpu and %s memory", r.Storage, used(d), r.Limits.CPU, r.Limits.Memory)
	if s := d.Status.SFTP; s != nil {
		add("SFTP", "sftp -P %d %s@%s (password: kubepanel site password %s --for sftp)", s.Port, s.Username, or(s.Host, "HOST"), d.Spec.DomainName)
	}
	if b := d.Status.Database; b != nil {
		add("Database", "%s as %s on %s:%d (password: kubepanel site password %s --for database)", b.Name, b.Username, b.Host, b.Port, d.Spec.DomainName)
	}
	if d.Spec.WordPress.Preinstall {
		add("WordPress", "administrator %s (password: kubepanel site password %s)", adminUser(d), d.Spec.DomainName)
	}
	if d.Status.Namespace != "" {
		add("Namespace", "%s", d.Status.Namespace)
	}
	add("Created", "%s ago", age(d.CreationTimestamp.Time))
	return rows
}

// programFacts are what a site has of its own in place of the platform's.
func programFacts(s *v1alpha1.DomainSpec) [][]string {
	var rows [][]string
	if words := slices.Concat(s.Workload.Command, s.Workload.Args); len(words) > 0 {
		rows = append(rows, []string{"  Command", clean(strings.Join(words, " "))})
	}
	if kind := s.Workload.Type; kind != v1alpha1.WorkloadTypePHP && kind != "static" && s.Workload.Port != 0 {
		rows = append(rows, []string{"  Port", reach(s.Workload.Port, string(s.Workload.ProxyMode))})
	}
	if s.Workload.Image != "" {
		rows = append(rows, []string{"  Image", clean(s.Workload.Image)})
	}
	if len(s.PreferredNodes) > 0 {
		rows = append(rows, []string{"  Nodes", "preferably " + clean(strings.Join(s.PreferredNodes, ", "))})
	}
	return rows
}

// reach is where nginx finds the program, and how it talks to it; fastcgi is the
// catalogue's own way, whatever that is.
func reach(port int32, mode string) string {
	if mode == "" || mode == string(v1alpha1.ProxyFastCGI) {
		return strconv.Itoa(int(port))
	}
	return strconv.Itoa(int(port)) + ", " + clean(mode)
}

// used tells how much of the storage is, where that is known.
func used(d *v1alpha1.Domain) string {
	if s := d.Status.Storage; s != nil && s.Used != "" {
		return " (" + s.Used + " used)"
	}
	return ""
}

func aliases(d *v1alpha1.Domain) string {
	names := make([]string, len(d.Spec.Aliases))
	for i, a := range d.Spec.Aliases {
		names[i] = hosting.ShowBoth(a.Name)
	}
	return strings.Join(names, ", ")
}

func runs(d *v1alpha1.Domain) string {
	text := d.Spec.Workload.Type + " " + d.Spec.Workload.Version
	if d.Spec.Workload.Type == hosting.PHP {
		text = "PHP " + d.Spec.Workload.Version
	}
	if d.Spec.WordPress.Preinstall {
		text = "WordPress on " + text
	}
	if d.Spec.Redis.Enabled {
		text += " with Redis"
	}
	return text
}

func stepRows(d *v1alpha1.Domain) [][]string {
	steps := hosting.Steps(d)
	if len(steps) == 0 {
		return [][]string{{"  " + hosting.Unfinished(d)}}
	}
	rows := make([][]string, 0, len(steps))
	for _, s := range steps {
		message := clean(s.Message)
		if s.State == hosting.StateDone && message == "" {
			message = "done"
		}
		rows = append(rows, []string{fmt.Sprintf("  %s %s", mark(s.State), s.Title), age(s.Since), message})
	}
	return rows
}

func eventRows(events []hosting.Event) [][]string {
	const shown = 10 // the newest; kubectl has the rest
	if len(events) > shown {
		events = events[len(events)-shown:]
	}
	rows := make([][]string, 0, len(events))
	for _, e := range events {
		kind := "normal"
		if e.Warning {
			kind = "WARNING"
		}
		message := clean(e.Message)
		if e.Count > 1 {
			message += fmt.Sprintf(" (%d times)", e.Count)
		}
		rows = append(rows, []string{"  " + age(e.Time) + " ago", kind, clean(e.Reason), message})
	}
	return rows
}
