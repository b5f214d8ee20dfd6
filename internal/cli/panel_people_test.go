package cli

import (
	"encoding/json"
	"strings"
	"testing"

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
