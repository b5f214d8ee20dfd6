package lab

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"
)

// databaseHost is phpMyAdmin's name, as the chart makes it of the panel's.
const databaseHost = "db." + panelHost

// visitors asks MariaDB for the accounts that people have for a short time.
const visitors = "SELECT User FROM mysql.user WHERE User LIKE 'visitor-%'"

// TestPanelOpensADatabase: from a site's page to its tables without a password, to no
// other site's, and out again with the session.
func TestPanelOpensADatabase(t *testing.T) {
	c := openCluster(t)
	neighbour := c.newSite(t, "dbneighbour.localhost")
	s := c.expectSite(t, "dbvisit.localhost")
	p := newPanelJourney(t, c)
	ada := newBrowser(t, "panel-database", c.ca)
	p.administrator(ada)
	ada.open(p.url + "/sites/new")
	ada.write("#name", s.name)
	ada.click("main form.form button[type=submit]")
	ada.until("the site is live", `document.querySelector('#state')?.innerText === 'Live'`)

	ada.open(p.url + "/sites/" + s.name + "/database")
	ada.sees(`form[action$="/database"] button`)
	p.check(ada, "database")
	ada.click(`form[action$="/database"] button`)
	ada.until("phpMyAdmin opens under its own name", `location.hostname === '`+databaseHost+`'`)
	ada.until("it shows WordPress' tables", `document.querySelector('#page_content')?.innerText.includes('wp_posts')`)
	ada.shot("phpmyadmin")
	if address := ada.location(); strings.Contains(address, "ticket") {
		t.Errorf("the address %s holds what opens the database", address)
	}
	ada.until("no other site's database is there", `!document.documentElement.innerHTML.includes('`+neighbour.namespace(t)+`')`)
	if accounts := c.mariadb(t, visitors); len(accounts) != 1 {
		t.Errorf("MariaDB has the visitors %q, want one", accounts)
	}
	p.asks(ada, s, "SELECT post_title, 6*7 AS answer FROM wp_posts WHERE ID = 1", "42")
	p.asks(ada, s, "SELECT * FROM `"+neighbour.namespace(t)+"`.wp_users", "denied")
	p.asks(ada, s, "UPDATE wp_posts SET post_title = 'Changed by a visitor' WHERE ID = 1", "1 row affected")
	if page := c.newVisitor(t, "127.0.0.61").must(t, s.url()+"/"); !strings.Contains(page.body, "Changed by a visitor") {
		t.Error("the site does not show what was changed in its table")
	}

	ada.open(p.url + "/")
	ada.click(`form[action="/sign-out"] button`)
	ada.sees("#password")
	eventually(t, "the account is gone with the session", time.Minute, func(context.Context) error {
		if accounts := c.mariadb(t, visitors); len(accounts) != 0 {
			return fmt.Errorf("MariaDB has the visitors %q", accounts)
		}
		return nil
	})
	ada.open(c.settings.Edge.URL(databaseHost) + "/index.php")
	ada.until("phpMyAdmin leads back to the panel", `location.hostname === '`+panelHost+`' && document.querySelector('#password')`)
}

// asks runs a statement in phpMyAdmin's own form and waits for a word of its answer.
func (p *panelJourney) asks(b *browser, s site, statement, word string) {
	p.t.Helper()
	b.open(p.cluster.settings.Edge.URL(databaseHost) + "/index.php?route=/database/sql&db=" + s.namespace(p.t))
	b.until("there is an editor", `document.querySelector('#sqlqueryform .CodeMirror')?.CodeMirror`)
	b.until("the statement is written", fmt.Sprintf(`(document.querySelector('#sqlqueryform .CodeMirror').CodeMirror.setValue(%q), true)`, statement))
	b.click("#button_submit_query")
	b.until("the answer to "+statement, fmt.Sprintf(`document.querySelector('#page_content')?.innerText.includes(%q)`, word))
}
