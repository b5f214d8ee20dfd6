package cli

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/client"
	"kubepanel.io/kubepanel/internal/hosting"
)

// goalAt is what is waited for at a panel.
func (s panelSite) goalAt(start time.Time, timeout time.Duration, going, again string) goal {
	return goal{start: start, timeout: timeout, fresh: true, again: again,
		going: func(*v1alpha1.Domain) string { return fmt.Sprintf(going, hosting.ShowName(s.name)) }}
}

// settled waits until a site is as it was asked to be.
func (s panelSite) settled(ctx context.Context, start time.Time, timeout time.Duration) (watched, error) {
	return s.follow(ctx, s.goalAt(start, timeout, "The platform goes on with %s", "kubepanel site wait "+s.name), false)
}

// throughPanel makes a site at a panel. The request counts once, however often the
// network has it sent.
func (c *siteCreate) throughPanel(ctx context.Context, api *client.ClientWithResponses) error {
	start := time.Now()
	req := client.NewSite{Name: c.req.Name, Title: optional(c.req.Title), Runtime: optional(c.req.Runtime), Storage: optional(c.req.Storage), CPU: optional(c.req.CPU),
		Memory: optional(c.req.Memory), Redis: optional(c.req.Redis), Aliases: someOf(c.req.Aliases), Settings: someOf(c.req.Settings), Env: someOf(c.req.Env)}
	if c.req.PHP != "" {
		req.Runtime = optional(hosting.PHP + ":" + c.req.PHP)
	}
	if c.req.NoDatabase {
		req.Database = new(bool)
	}
	if w := c.req.WordPress; w != nil {
		req.Wordpress = &client.NewWordPress{AdminUser: optional(w.AdminUser), AdminEmail: optional(w.AdminEmail), Locale: optional(w.Locale)}
	}
	if c.owner != "" {
		id, err := userID(ctx, api, c.owner)
		if err != nil {
			return err
		}
		req.Owner = &id
	}
	params := client.CreateSiteParams{DryRun: optional(c.dryRun)}
	if !c.dryRun {
		params.IdempotencyKey = optional(rand.Text())
	}
	made, err := api.CreateSiteWithResponse(ctx, &params, req)
	if err != nil {
		return err
	}
	if err := client.Check(made.StatusCode(), made.ApplicationProblemJSONDefault); err != nil {
		return err
	}
	if c.dryRun {
		return c.env.printObject(made.JSON201)
	}
	s := panelSite{c.env, api, made.JSON201.Name}
	if !c.wait {
		return c.env.done(made.JSON201, "The site %s is being created. Follow it with: kubepanel site wait %s", hosting.ShowBoth(s.name), s.name)
	}
	seen, err := s.follow(ctx, s.goalAt(start, c.timeout, "The site %s is still being created", "kubepanel site wait "+s.name), false)
	if err != nil {
		return err
	}
	return s.live(ctx, fmt.Sprintf("%s%s is live after %s.", seen.gap, hosting.ShowName(s.name), seconds(time.Since(start))))
}

func someOf(list []string) *[]string {
	if len(list) == 0 {
		return nil
	}
	return &list
}

// panelChange is a change as the API takes it.
func panelChange(c hosting.SiteChange) client.SiteChange {
	change := client.SiteChange{
		Storage: c.Storage, Suspended: c.Suspended, Settings: someOf(c.Settings), Runtime: c.Runtime,
		Title: c.Title, Aliases: c.Aliases, AuthorizedKeys: c.AuthorizedKeys, Env: someOf(c.Env), TimeZone: c.TimeZone, CPU: c.CPU, Memory: c.Memory,
		Command: c.Command, Args: c.Args, Image: c.Image, PreferredNodes: c.PreferredNodes,
		DocumentRoot: c.DocumentRoot, UploadSize: c.UploadSize, WwwRedirect: c.WWWRedirect,
		RuntimeConfig: c.RuntimeConfig, WebserverConfig: c.WebserverConfig, Shell: c.Shell, Redis: c.Redis, Cache: c.Cache,
	}
	change.ProxyMode = c.ProxyMode
	if c.Port != nil {
		port, _ := hosting.ParsePort(*c.Port) // read has judged it; 0 is the catalogue's
		change.Port = &port
	}
	if c.PHP != nil {
		change.Runtime = optional(hosting.PHP + ":" + *c.PHP)
	}
	return change
}

// throughPanel changes a site at a panel.
func (c *siteSet) throughPanel(ctx context.Context, s panelSite, change hosting.SiteChange) error {
	if err := c.sure(ctx, func() (*hosting.Plan, error) { return planChange(ctx, s.api, s.name, change) }); err != nil {
		return err
	}
	start := time.Now()
	set, err := s.api.ChangeSiteWithResponse(ctx, s.name, &client.ChangeSiteParams{DryRun: optional(c.dryRun)}, panelChange(change))
	if err != nil {
		return err
	}
	if err := client.Check(set.StatusCode(), set.ApplicationProblemJSONDefault); err != nil {
		return err
	}
	switch {
	case c.dryRun:
		return c.env.printObject(set.JSON200)
	case !c.wait:
		return c.env.done(set.JSON200, "%s is being changed. Follow it with: kubepanel site wait %s", hosting.ShowBoth(s.name), s.name)
	}
	seen, err := s.settled(ctx, start, c.timeout)
	if err != nil {
		return err
	}
	site, err := s.site(ctx)
	if err != nil {
		return err
	}
	return c.env.done(site, "%s%s is changed after %s.", seen.gap, hosting.ShowBoth(s.name), seconds(time.Since(start)))
}

// throughPanel restarts a site at a panel.
func (c *siteRestart) throughPanel(ctx context.Context, s panelSite) error {
	start := time.Now()
	asked, err := s.api.RestartSiteWithResponse(ctx, s.name, &client.RestartSiteParams{IdempotencyKey: optional(rand.Text())})
	if err != nil {
		return err
	}
	if err := client.Check(asked.StatusCode(), asked.ApplicationProblemJSONDefault); err != nil {
		return err
	}
	if !c.wait {
		return c.env.done(asked.JSON202, "%s is being restarted. Follow it with: kubepanel site wait %s", hosting.ShowBoth(s.name), s.name)
	}
	seen, err := s.settled(ctx, start, c.timeout)
	if err != nil {
		return err
	}
	return c.env.done(asked.JSON202, "%s%s answers again after %s.", seen.gap, hosting.ShowBoth(s.name), seconds(time.Since(start)))
}

func (s panelSite) purgeCache(ctx context.Context) error {
	emptied, err := s.api.PurgeSiteCacheWithResponse(ctx, s.name, nil)
	if err != nil {
		return err
	}
	if err := client.Check(emptied.StatusCode(), emptied.ApplicationProblemJSONDefault); err != nil {
		return err
	}
	return s.env.done(map[string]string{"emptied": s.name}, "The page cache of %s is emptied; its pages are made anew within seconds.", hosting.ShowBoth(s.name))
}

// wait watches a site at a panel.
func (s panelSite) wait(ctx context.Context, what string, timeout time.Duration) error {
	gone := what == forDeleted
	going, again := "The platform goes on with %s", "kubepanel site wait "+s.name
	if gone {
		going, again = "Whether the site %s is deleted is not known", again+" --for deleted"
	}
	g := s.goalAt(time.Now(), timeout, going, again)
	g.fresh = false
	seen, err := s.follow(ctx, g, gone)
	if err != nil {
		return err
	}
	if gone {
		return s.env.done(map[string]string{"deleted": s.name}, "%s%s is gone.", seen.gap, hosting.ShowBoth(s.name))
	}
	return s.live(ctx, fmt.Sprintf("%s%s is live.", seen.gap, hosting.ShowName(s.name)))
}

// throughPanel deletes a site at a panel.
func (c *siteDelete) throughPanel(ctx context.Context, s panelSite) error {
	site, err := s.site(ctx)
	if err != nil {
		return err
	}
	if c.dryRun {
		return c.previewAt(ctx, s, site)
	}
	if err := c.sure(ctx, s.name, panelLosses(site)); err != nil {
		return err
	}
	start := time.Now()
	gone, err := s.api.DeleteSiteWithResponse(ctx, s.name, nil)
	if err != nil {
		return err
	}
	if err := client.Check(gone.StatusCode(), gone.ApplicationProblemJSONDefault); err != nil {
		return err
	}
	if !c.wait {
		return c.env.done(site, "%s is being deleted. Follow it with: kubepanel site wait %s --for deleted", hosting.ShowBoth(s.name), s.name)
	}
	seen, err := s.follow(ctx, s.goalAt(start, c.timeout, "The site %s is still being deleted", "kubepanel site wait "+s.name+" --for deleted"), true)
	if err != nil {
		return err
	}
	return c.env.done(site, "%s%s is gone after %s.", seen.gap, hosting.ShowBoth(s.name), seconds(time.Since(start)))
}

// previewAt says what would be lost, where the panel would delete the site.
func (c *siteDelete) previewAt(ctx context.Context, s panelSite, site *client.Site) error {
	if _, err := planDeletion(ctx, s.api, s.name); err != nil {
		return err
	}
	return s.env.done(site, "%s\nNothing was deleted: this was a dry run.", panelLosses(site))
}

// panelLosses says what is gone afterwards.
func panelLosses(s *client.Site) string {
	lost := []string{fmt.Sprintf("all its files (a volume of %s)", clean(s.Storage))}
	if s.Database {
		lost = append(lost, "its database with everything in it")
	}
	names := append([]string{s.DisplayName}, s.Aliases...)
	lost = append(lost, "its SFTP account and all its passwords", "the names that lead to it: "+clean(strings.Join(names, ", ")))
	return fmt.Sprintf("This deletes the site %s for good:\n  - %s\nBackups that were made off the cluster stay.", hosting.ShowBoth(s.Name), strings.Join(lost, "\n  - "))
}
