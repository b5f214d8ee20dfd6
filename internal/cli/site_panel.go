package cli

import (
	"context"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"kubepanel.io/kubepanel/internal/client"
	"kubepanel.io/kubepanel/internal/hosting"
)

// throughPanel opens the panel that commands about sites speak to: the one that somebody
// signed in to, unless a cluster was named. It returns nil for the cluster.
func (e *Env) throughPanel() (*client.ClientWithResponses, error) {
	if e.cluster || e.target.Kubeconfig != "" || e.target.Context != "" {
		return nil, nil //nolint:nilnil // the cluster
	}
	all, err := e.readPanels()
	if err != nil || all.Current == "" {
		return nil, err
	}
	return e.api()
}

// either runs a command about sites where they are asked for: at the panel or at the
// cluster.
func (e *Env) either(panel func(*client.ClientWithResponses) error, cluster func() error) error {
	api, err := e.throughPanel()
	switch {
	case err != nil:
		return err
	case api != nil:
		return panel(api)
	}
	return cluster()
}

// eitherSite is either for a command about one site.
func (e *Env) eitherSite(name string, panel func(panelSite) error, cluster func() error) error {
	return e.either(func(api *client.ClientWithResponses) error {
		ascii, err := asciiName(name)
		if err != nil {
			return err
		}
		return panel(panelSite{e, api, ascii})
	}, cluster)
}

// panelSites completes the name of a site by asking the panel.
func (e *Env) panelSites(cmd *cobra.Command, api *client.ClientWithResponses) []string {
	ctx, stop := context.WithTimeout(cmd.Context(), completionTimeout)
	defer stop()
	sites, err := allSites(ctx, api, hosting.SiteFilter{})
	if err != nil {
		return nil
	}
	names := make([]string, len(sites))
	for i := range sites {
		names[i] = sites[i].Name
	}
	return names
}

// panelHost is what the panel in use is called in a sentence.
func (e *Env) panelHost() string {
	all, err := e.readPanels()
	if err != nil {
		return "the panel"
	}
	u, err := url.Parse(all.Panels[all.Current].URL)
	if err != nil {
		return "the panel"
	}
	return u.Host
}

// asciiName is a site's name as addresses have it.
func asciiName(name string) (string, error) {
	ascii, err := hosting.ParseName(name)
	if err != nil {
		return "", &hosting.Error{Code: hosting.Invalid, Fields: []hosting.Field{{Name: "name", Message: "That is no name of a site: " + err.Error() + "."}}}
	}
	return ascii, nil
}

// panelSite is a site at a panel that is waited for.
type panelSite struct {
	env  *Env
	api  *client.ClientWithResponses
	name string
}

// follow shows the steps of a site until it is live, or with gone until nothing of it is
// left.
func (s panelSite) follow(ctx context.Context, g goal, gone bool) (watched, error) {
	l := &live{env: s.env, to: s.env.Out, goal: g, start: g.start}
	if s.env.structured() {
		l.to = s.env.Err
	}
	if g.timeout > 0 {
		var stop context.CancelFunc
		ctx, stop = context.WithDeadlineCause(ctx, g.start.Add(g.timeout), errTimeout)
		defer stop()
	}
	tick := time.NewTicker(askAgain)
	defer tick.Stop()
	for {
		done, err := s.look(ctx, l, gone)
		if ctx.Err() != nil {
			err = l.stopped(context.Cause(ctx))
		}
		if done || err != nil {
			l.finish()
			return watched{spent: l.spent(), gap: l.gap}, err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

// look asks once, and tells whether what is waited for is so.
func (s panelSite) look(ctx context.Context, l *live, gone bool) (bool, error) {
	found, err := s.api.GetSiteProgressWithResponse(ctx, s.name)
	if err != nil {
		if hosting.CodeOf(err) == hosting.Unreachable {
			return false, nil // the panel is away for a moment
		}
		return false, err
	}
	err = client.Check(found.StatusCode(), found.ApplicationProblemJSONDefault)
	switch code := hosting.CodeOf(err); {
	case err != nil && code == hosting.NotFound && gone:
		l.update(allDone(l.rows))
		return true, nil
	case err != nil && (code == hosting.Unreachable || code == hosting.Limited):
		return false, nil
	case err != nil:
		return false, err
	}
	p := found.JSON200
	l.update(stepsOf(p))
	switch {
	case p.State == client.ProgressStateStalled:
		return false, &hosting.Error{Code: hosting.Stalled, Message: value(p.Message)}
	case gone:
		return false, nil
	case p.Kind == client.Delete:
		return false, &hosting.Error{Code: hosting.Conflict, Message: "The site " + hosting.ShowBoth(s.name) + " is being deleted.",
			Mend: "Follow that with: kubepanel site wait " + s.name + " --for deleted"}
	}
	return p.State == client.ProgressStateDone, nil
}

func stepsOf(p *client.Progress) []hosting.Step {
	steps := make([]hosting.Step, 0, len(p.Steps))
	for _, s := range p.Steps {
		steps = append(steps, hosting.Step{Condition: s.Name, Title: s.Title, State: hosting.State(s.State), Message: value(s.Message), Since: value(s.Since)})
	}
	return steps
}
