package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"kubepanel.io/kubepanel/internal/client"
	"kubepanel.io/kubepanel/internal/hosting"
)

// allSites are those that the account may see.
func allSites(ctx context.Context, api *client.ClientWithResponses, f hosting.SiteFilter) ([]client.Site, error) {
	sites, cursor, most := []client.Site{}, "", int64(200)
	for {
		page, err := api.ListSitesWithResponse(ctx, &client.ListSitesParams{Cursor: &cursor, Limit: &most, State: (*client.ListSitesParamsState)(optional(string(f.Standing))), Runtime: optional(f.Runtime)})
		if err != nil {
			return nil, err
		}
		if err := client.Check(page.StatusCode(), page.ApplicationProblemJSONDefault); err != nil {
			return nil, err
		}
		sites = append(sites, page.JSON200.Items...)
		if value(page.JSON200.Next) == "" {
			return sites, nil
		}
		cursor = *page.JSON200.Next
	}
}

// panelList lists the sites at a panel.
func (e *Env) panelList(ctx context.Context, api *client.ClientWithResponses, f hosting.SiteFilter) error {
	sites, err := allSites(ctx, api, f)
	if err != nil {
		return err
	}
	if e.format == formatName {
		for _, s := range sites {
			e.say("%s", clean(s.Name))
		}
		return nil
	}
	if len(sites) == 0 && f != (hosting.SiteFilter{}) && !e.structured() {
		e.say(noneMeant)
		return nil
	}
	if len(sites) == 0 && !e.structured() {
		e.say("You have no sites at %s yet. Create one with: kubepanel site create blog.example --wordpress --wait", e.panelHost())
		return nil
	}
	rows := make([][]string, 0, len(sites))
	for i := range sites {
		s := &sites[i]
		rows = append(rows, []string{clean(s.DisplayName), clean(s.Runtime), clean(s.State), clean(s.OwnerName), text(s.URL), age(s.CreatedAt)})
	}
	return e.rows(sites, []string{"NAME", "RUNS", "STATE", "OWNER", "URL", "AGE"}, rows)
}

// site reads a site at a panel.
func (s panelSite) site(ctx context.Context) (*client.Site, error) {
	found, err := s.api.GetSiteWithResponse(ctx, s.name)
	if err != nil {
		return nil, err
	}
	return found.JSON200, client.Check(found.StatusCode(), found.ApplicationProblemJSONDefault)
}

func (s panelSite) show(ctx context.Context) error {
	site, err := s.site(ctx)
	if err != nil {
		return err
	}
	if s.env.structured() {
		return s.env.printStructured(site)
	}
	progress, err := s.api.GetSiteProgressWithResponse(ctx, s.name)
	if err != nil {
		return err
	}
	if err := client.Check(progress.StatusCode(), progress.ApplicationProblemJSONDefault); err != nil {
		return err
	}
	state := site.State
	if message := value(site.Message); message != "" {
		state += ", " + message
	}
	s.env.say("%s: %s\n", hosting.ShowBoth(site.Name), clean(state))
	if err := table(s.env.Out, panelFacts(site)); err != nil {
		return err
	}
	s.env.say("\nSteps")
	rows := [][]string{}
	for _, step := range stepsOf(progress.JSON200) {
		message := clean(step.Message)
		if step.State == hosting.StateDone && message == "" {
			message = "done"
		}
		rows = append(rows, []string{fmt.Sprintf("  %s %s", mark(step.State), clean(step.Title)), age(step.Since), message})
	}
	return table(s.env.Out, rows)
}

// panelFacts are the lines that a site has something to say about.
func panelFacts(s *client.Site) [][]string {
	var rows [][]string
	add := func(name, said string) {
		if said != "" {
			rows = append(rows, []string{"  " + name, clean(said)})
		}
	}
	add("URL", value(s.URL))
	add("Title", s.Title)
	add("Aliases", strings.Join(s.Aliases, ", "))
	add("Owner", s.OwnerName)
	add("Runs", s.Runtime)
	add("Command", strings.Join(slices.Concat(s.Command, s.Args), " "))
	if port := value(s.Port); port != 0 {
		add("Port", reach(port, string(value(s.ProxyMode))))
	}
	add("Image", value(s.Image))
	if s.PreferredNodes != nil {
		add("Nodes", "preferably "+strings.Join(*s.PreferredNodes, ", "))
	}
	used := ""
	if amount := value(s.Used); amount != "" {
		used = " (" + amount + " used)"
	}
	add("Resources", fmt.Sprintf("%s storage%s, at most %s cpu and %s memory", s.Storage, used, s.CPU, s.Memory))
	if s.Sftp != nil {
		add("SFTP", fmt.Sprintf("sftp -P %d %s@%s (password: kubepanel site password %s --for sftp)", s.Sftp.Port, s.Sftp.Username, s.Sftp.Host, s.Name))
	}
	if s.Database {
		add("Database", "password: kubepanel site password "+s.Name+" --for database")
	}
	add("Created", age(s.CreatedAt)+" ago")
	return rows
}

// password prints one of the site's passwords.
func (s panelSite) password(ctx context.Context, purpose string) error {
	if purpose == "" {
		site, err := s.site(ctx)
		if err != nil {
			return err
		}
		if purpose = string(hosting.ForSFTP); site.Wordpress {
			purpose = string(hosting.ForWordPress)
		}
	}
	body := client.GetSiteCredentialsRequest{For: client.GetSiteCredentialsRequestFor(purpose)}
	found, err := s.api.GetSiteCredentialsWithResponse(ctx, s.name, body)
	if err != nil {
		return err
	}
	if err := client.Check(found.StatusCode(), found.ApplicationProblemJSONDefault); err != nil {
		return err
	}
	if s.env.structured() {
		return s.env.printStructured(found.JSON200)
	}
	s.env.say("%s", found.JSON200.Password)
	return nil
}

// live tells that a site is live, and the ways into it.
func (s panelSite) live(ctx context.Context, said string) error {
	site, err := s.site(ctx)
	if err != nil {
		return err
	}
	if s.env.structured() {
		return s.env.printStructured(site)
	}
	s.env.say("%s\n", said)
	rows := [][]string{{"  URL", value(site.URL)}}
	switch {
	case site.Wordpress:
		rows = append(rows, []string{"  Admin", value(site.URL) + "/wp-admin/"}, []string{"  Password", "kubepanel site password " + site.Name})
	case site.Sftp != nil:
		rows = append(rows, []string{"  SFTP", fmt.Sprintf("sftp -P %d %s@%s", site.Sftp.Port, site.Sftp.Username, site.Sftp.Host)},
			[]string{"  Password", "kubepanel site password " + site.Name + " --for sftp"})
	}
	return table(s.env.Out, rows)
}
