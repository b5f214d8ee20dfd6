package web_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/door/doortest"
	"kubepanel.io/kubepanel/internal/panel/paneltest"
	"kubepanel.io/kubepanel/internal/panel/web"
)

// unsaid are the pages that tell no line that does the same, and why.
var unsaid = map[string]string{
	"/palette":                            "what is found as one types",
	"/sites/{site}/steps":                 "a part of the page of a site, which tells",
	"/sites/{site}/terminal/socket":       "the terminal's own connection",
	"/sites/{site}/logs/follow":           "lines for the page of the log, which tells",
	"/sites/{site}/logs/download":         "a file",
	"/sites/{site}/files/download":        "a file",
	"/sites/{site}/cron/{job}/runs/{run}": "a part of the page of a cron job, which tells",
	"/audit/export":                       "a file",
	"/guides":                             "to be read",
	"/guides/{guide}":                     "to be read",
}

// Every page says which line or manifest does the same, or stands above with its reason.
func TestEveryPageTellsHowElseItIsDone(t *testing.T) {
	h := scheduled(t)
	street := doortest.New(t)
	h.rules.Door = street
	root, _ := street.Site("shop.example")
	put(t, root, "html/it's.php", "<?php")
	h.cluster.Change("shop.example", func(d *v1alpha1.Domain) { d.Spec.SFTP.Type = v1alpha1.SFTPGit })
	h.rules.Nodes = paneltest.Yard{}
	h.must(h.rules.Store.Write(t.Context(), func(tx hosting.Tx) error { return neighbours(t.Context(), tx) }))
	b := h.open().boss()
	known := strings.NewReplacer("{$}", "", "{guide}", "customer", "{site}", "shop.example", "{user}", string(h.jo.ID), "{package}", string(h.pack), "{company}", "company", "{application}", "application",
		"{job}", "mail", "{run}", "mail-1", "{node}", "worker-1")
	for _, pattern := range web.Pages() {
		if unsaid[pattern] != "" {
			continue
		}
		path := known.Replace(pattern)
		if strings.HasSuffix(path, "/files/item") || strings.HasSuffix(path, "/files/edit") {
			path += "?path=/html/it's.php"
		}
		page := b.get(path)
		if page.code != http.StatusOK || !strings.Contains(page.body, `<details class="same">`) {
			t.Errorf("%s = %d and tells no line that does the same: tell one, or write down why not", path, page.code)
		}
		if strings.Contains(path, "it's") && !strings.Contains(page.body, `&#39;/html/it&#39;\&#39;&#39;s.php&#39;`) {
			t.Errorf("%s names the file so that a shell takes it for something else", path)
		}
	}
	for pattern := range unsaid {
		if !slices.Contains(web.Pages(), pattern) {
			t.Errorf("there is no page %s any more", pattern)
		}
	}
}

// neighbours are an application and a company beside the panel.
func neighbours(ctx context.Context, tx hosting.Tx) error {
	if err := tx.PutApplication(ctx, &hosting.Application{ID: "application", Name: "Grafana", Redirects: []string{"https://grafana.example/login"}, Roles: hosting.Roles()}); err != nil {
		return err
	}
	return tx.PutIdentityProvider(ctx, &hosting.IdentityProvider{ID: "company", Name: "Acme", Issuer: "https://login.acme.example", ClientID: "panel", Secret: []byte("secret"), Domains: []string{"acme.example"}})
}
