package cli

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"kubepanel.io/kubepanel/internal/client"
	"kubepanel.io/kubepanel/internal/hosting"
)

// refused runs a command line that must end with an exit code and say a text.
func (o *office) refused(code int, say string, args ...string) {
	o.t.Helper()
	if got, text := o.run("", args...); got != code || !strings.Contains(text, say) {
		o.t.Errorf("kubepanel %s = %d %s, want %d and %q", strings.Join(args, " "), got, text, code, say)
	}
}

func TestAccountsAndPackagesChange(t *testing.T) {
	o := newOffice(t)
	o.street()
	boss, err := o.rules.Store.UserByEmail(t.Context(), "boss@provider.example")
	o.must(err)
	o.want(nil, "package", "create", "Small", "--sites", "1", "--storage", "20", "--domain-aliases", "none")
	o.want(nil, "package", "create", "Tiny", "--sites", "0")
	o.want(nil, "user", "create", "jo@shop.example", "--name", "Jo", "--package", "Small")
	o.want([]string{"Changed the account jo@new.example."}, "user", "change", "jo@shop.example", "--email", "jo@new.example", "--name", "Jo New")
	o.want([]string{"jo@new.example", "Jo New", "Small"}, "user", "list")
	o.refused(2, "nothing to do", "user", "change", "jo@new.example")
	o.refused(2, "not a mail address", "user", "change", "jo@new.example", "--email", "jo")
	o.refused(1, "kubepanel package list", "user", "change", "jo@new.example", "--package", "None")

	// A package may not shrink below what is used unless somebody saw whom that hits.
	actor, err := hosting.ActorOf(t.Context(), o.rules.Store, boss.ID)
	o.must(err)
	jo, err := o.rules.Store.UserByEmail(t.Context(), "jo@new.example")
	o.must(err)
	_, err = o.rules.CreateSite(t.Context(), actor, jo.ID, hosting.NewSite{Name: "jo.example", Storage: "5Gi", CPU: "1000m", Memory: "512Mi"}, false)
	o.must(err)
	o.refused(2, "too small", "user", "change", "jo@new.example", "--package", "Tiny")
	o.want([]string{"jo@new.example", "storage", "5", "dry run"}, "package", "change", "Small", "--storage", "4", "--dry-run")
	o.refused(2, "--yes", "package", "change", "Small", "--storage", "4")
	if code, text := o.answer("Large", "package", "change", "Small", "--storage", "4"); code != 1 || !strings.Contains(text, "nothing was changed") {
		t.Errorf("another answer than the package's name = %d %s", code, text)
	}
	o.want([]string{"storage", "20"}, "package", "show", "Small")
	if code, text := o.answer("Small", "package", "change", "Small", "--storage", "4"); code != 0 || !strings.Contains(text, "jo@new.example") {
		t.Errorf("the package's name = %d %s, want the change, and whom it hits", code, text)
	}
	if text := o.want([]string{`"storage": 4`}, "package", "show", "Small", "-o", "json"); strings.Contains(text, "domainAliases") {
		t.Errorf("a limit of none is one: %s", text)
	}
	o.want([]string{"Changed the package Mini."}, "package", "change", "Small", "--name", "Mini", "--storage", "none", "--cpu", "1500", "--yes")
	if text := o.want([]string{`"cpu": 1500`}, "package", "show", "Mini", "-o", "json"); strings.Contains(text, "storage") {
		t.Errorf("a limit that was taken away is there: %s", text)
	}
	o.want([]string{"Nobody would be over"}, "package", "change", "Mini", "--storage", "9", "--dry-run")
	o.refused(2, "whole number", "package", "change", "Mini", "--storage", "much")
	o.refused(2, "whole number", "package", "change", "Mini", "--storage", "99999999999999999999")
	o.refused(2, "-5 can't be a limit", "package", "change", "Mini", "--storage", "-5")
	o.refused(2, "9000000000 can't be a limit", "package", "change", "Mini", "--storage", "9000000000")
	o.refused(2, "quota.storage: expected number <=", "package", "change", "Mini", "--storage", "9000000000000000000")
	o.refused(2, "not a mail address", "user", "create", "x@"+strings.Repeat("a", 64)+".example", "--name", "X")
	o.refused(2, "at most 253", "site", "show", strings.Repeat("abc.", 63)+"ab")
}

func TestAPackageOfAResellerIsNamedByItsID(t *testing.T) {
	o := newOffice(t)
	o.want(nil, "login", o.url, "--ca-file", o.ca)
	o.want(nil, "package", "create", "Resale", "--sites", "9")
	o.want(nil, "user", "create", "ann@resale.example", "--name", "Ann", "--role", "reseller", "--package", "Resale")
	var made client.Package
	o.must(json.Unmarshal([]byte(o.want(nil, "package", "create", "Small", "--sites", "2", "--reseller", "ann@resale.example", "-o", "json")), &made))
	o.refused(1, "no package \"Small\"", "user", "create", "jo@shop.example", "--name", "Jo", "--package", "Small", "--reseller", "ann@resale.example")
	o.want(nil, "user", "create", "jo@shop.example", "--name", "Jo", "--package", made.ID, "--reseller", "ann@resale.example")
	o.want([]string{"sites", "2"}, "user", "show", "jo@shop.example")
}

func TestWebhooksChange(t *testing.T) {
	o := newOffice(t)
	o.want(nil, "login", o.url, "--ca-file", o.ca)
	first := o.want([]string{"whsec_"}, "webhook", "create", "Hook", "--url", "https://hooks.example/", "--event", "user.*")
	o.want([]string{"Changed the webhook Shop, which is on."}, "webhook", "change", "Hook", "--name", "Shop", "--event", "site.*", "--event", "user.create")
	o.want([]string{"https://hooks.example/", "site.*, user.create", "on"}, "webhook", "show", "Shop")
	o.want([]string{"which is off."}, "webhook", "change", "Shop", "--off")
	o.want([]string{"Shop", "off"}, "webhook", "list")
	o.want([]string{`"disabled": false`}, "webhook", "change", "Shop", "--on", "-o", "json")
	o.refused(2, "nothing to do", "webhook", "change", "Shop")
	o.refused(2, "https://hooks.example/panel", "webhook", "change", "Shop", "--url", "http://x.example/")
	o.refused(1, "none of the others", "webhook", "change", "Shop", "--on", "--off")
	second := o.want([]string{"whsec_"}, "webhook", "secret", "Shop")
	if key := strings.Fields(second); strings.Contains(first, key[len(key)-1]) {
		t.Error("the webhook's new secret is the former one")
	}
	o.want(nil, "webhook", "test", "Shop")
	var sent []client.Delivery
	o.must(json.Unmarshal([]byte(o.want(nil, "webhook", "deliveries", "Shop", "-o", "json")), &sent))
	if len(sent) != 1 {
		t.Fatalf("%d messages are listed, want the one of the test", len(sent))
	}
	o.want([]string{"webhook.test", "timestamp"}, "webhook", "delivery", "Shop", sent[0].ID)
	o.want([]string{"on its way again"}, "webhook", "replay", "Shop", sent[0].ID)
	o.refused(2, "the message's ID is missing", "webhook", "replay", "Shop")
	o.must(json.Unmarshal([]byte(o.want(nil, "webhook", "deliveries", "Shop", "--limit", "2", "-o", "json")), &sent))
	if len(sent) != 2 {
		t.Errorf("%d messages are listed after one was sent again, want 2", len(sent))
	}
}

func TestCollaboratorsFromATerminal(t *testing.T) {
	o := newOffice(t)
	o.street()
	kim := func(args ...string) []string {
		return append([]string{"collaborator", args[0], "kim@agency.example"}, args[1:]...)
	}
	o.refused(2, "Choose at least one right", kim("invite", "--name", "Kim")...)
	o.refused(2, "can't be given", kim("invite", "--name", "Kim", "--right", "user.delete")...)
	text := o.want([]string{"site.files", "shop.example"}, kim("invite", "--name", "Kim", "--site", "shop.example", "--right", "site.files", "--right", "site.logs")...)
	said := strings.Fields(text)
	o.want([]string{"https://panel.example/password#"}, "user", "link", said[len(said)-1])
	o.want([]string{"kim@agency.example", "Kim", "shop.example", "site.view,site.files,site.logs"}, "collaborator", "list", "--account", "boss@provider.example")
	o.refused(1, "There are some on shop.example", kim("change", "--right", "site.logs")...)
	o.want([]string{"kim@agency.example"}, kim("change", "--site", "shop.example", "--right", "site.logs")...)
	if text := o.want([]string{"site.logs"}, "collaborator", "list", "-o", "json"); strings.Contains(text, "site.files") {
		t.Errorf("a right that was taken away is there: %s", text)
	}
	o.want([]string{"all sites"}, kim("invite", "--name", "Kim", "--right", "site.view")...)
	o.want([]string{"no rights on shop.example any more"}, kim("remove", "--site", "shop.example")...)
	o.want([]string{"no rights on all sites any more"}, kim("remove")...)
	o.refused(1, "kubepanel collaborator list", kim("remove")...)
}

func TestOnesOwnAccountFromATerminal(t *testing.T) {
	o := newOffice(t)
	o.street()
	o.want([]string{"boss@provider.example, Boss", "administrator", "site.view"}, "account", "show")
	o.want([]string{"SINCE"}, "account", "sessions")
	o.must(o.rules.Store.Write(t.Context(), func(tx hosting.Tx) error {
		boss, err := tx.UserByEmail(t.Context(), "boss@provider.example")
		if err != nil {
			return err
		}
		now := time.Now()
		return tx.InsertBrowser(t.Context(), &hosting.Browser{ID: "b1", User: boss.ID, Address: "192.0.2.7", Agent: "Firefox/1", CreatedAt: now, UsedAt: now, ExpiresAt: now.Add(time.Hour)})
	}))
	o.want([]string{"FORGOTTEN", "192.0.2.7", "Firefox/1"}, "account", "browsers")
	o.want([]string{"NAME", "site.files"}, "panel", "show")
	o.want([]string{"python", "Static files"}, "platform", "runtimes")
	o.want([]string{"singlePage", "true or false"}, "platform", "runtimes", "static")
	o.want([]string{`"key": "singlePage"`}, "platform", "runtimes", "static", "-o", "json")
	o.refused(1, "This platform offers no cobol.", "platform", "runtimes", "cobol")
	o.want([]string{"8.4"}, "__complete", "site", "create", "--php", "")
	o.want([]string{"site.files"}, "__complete", "collaborator", "invite", "--right", "")
}

// What can't be had back is asked about first, and the name has to be typed.
func TestDeletingAsks(t *testing.T) {
	o := newOffice(t)
	o.want(nil, "login", o.url, "--ca-file", o.ca)
	o.want(nil, "package", "create", "Small")
	o.want(nil, "user", "create", "jo@shop.example", "--name", "Jo", "--package", "Small")
	o.want(nil, "webhook", "create", "Hook", "--url", "https://hooks.example/")
	o.want(nil, "application", "create", "Grafana", "--redirect", "https://grafana.example/login")
	o.refused(1, "Accounts that have the package Small: 1.", "package", "delete", "Small")
	secret := []string{"application", "secret", "Grafana"}
	o.refused(2, "--yes", secret...)
	if code, text := o.answer("yes", secret...); code != 1 || !strings.Contains(text, "nobody signs in to the application until it has the new one") || strings.Contains(text, "shown this once") {
		t.Errorf("another secret without the name = %d %s", code, text)
	}
	for _, d := range [][]string{{"user", "jo@shop.example"}, {"package", "Small"}, {"webhook", "Hook"}, {"application", "Grafana"}} {
		line := []string{d[0], "delete", d[1]}
		o.refused(2, "--yes", line...)
		if code, text := o.answer("yes", line...); code != 1 || !strings.Contains(text, "Type "+d[1]+" to delete it") || !strings.Contains(text, "nothing was changed") {
			t.Errorf("kubepanel %s with another answer = %d %s", strings.Join(line, " "), code, text)
		}
		if code, text := o.answer(d[1], line...); code != 0 {
			t.Errorf("kubepanel %s with the name = %d %s", strings.Join(line, " "), code, text)
		}
	}
}
