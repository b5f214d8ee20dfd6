package hosting_test

import (
	"strings"
	"testing"

	"kubepanel.io/kubepanel/internal/hosting"
)

// Whose object an action is tried on, seen from the actor.
const (
	own     = "own"
	below   = "customer's" // of a customer of the actor's
	foreign = "foreign"
)

// answers has a letter for own, a customer's and a foreign object: y for yes, f for
// Forbidden, n for NotFound.
type answers struct{ administrator, reseller, customer, collaborator string }

// TestMayOfEveryRightRoleAndObject is the policy in full: what is not written here
// fails.
func TestMayOfEveryRightRoleAndObject(t *testing.T) {
	site := answers{"yyy", "yyn", "ynn", "ynn"}
	tests := map[hosting.Right]answers{
		hosting.RightSiteView: site, hosting.RightSiteCreate: site, hosting.RightSiteChange: site, hosting.RightSiteDelete: site,
		hosting.RightSiteRestart: site, hosting.RightSitePassword: site, hosting.RightSiteFiles: site, hosting.RightSiteTerminal: site,
		hosting.RightSiteDatabase: site, hosting.RightSiteLogs: site, hosting.RightSiteCron: site,
		hosting.RightSiteAssign: {"yyy", "yyn", "fnn", "fnn"},

		hosting.RightUserView:    {"yyy", "yyn", "ynn", "ynn"},
		hosting.RightUserCreate:  {"yyy", "fyn", "fnn", "fnn"},
		hosting.RightUserChange:  {"yyy", "fyn", "fnn", "fnn"},
		hosting.RightUserSuspend: {"fyy", "fyn", "fnn", "fnn"}, // nobody locks itself out
		hosting.RightUserDelete:  {"fyy", "fyn", "fnn", "fnn"},
		hosting.RightUserActAs:   {"fyy", "fyn", "fnn", "fnn"},
		hosting.RightUserFactors: {"fyy", "fyn", "fnn", "fnn"}, // one's own need what one signs in with

		hosting.RightCollaboratorView:   {"yyy", "yyn", "ynn", "fnn"},
		hosting.RightCollaboratorInvite: {"yyy", "yyn", "ynn", "fnn"},
		hosting.RightCollaboratorRemove: {"yyy", "yyn", "ynn", "fnn"},

		hosting.RightPackageView: {"yyy", "yyn", "nnn", "nnn"}, hosting.RightPackageCreate: {"yyy", "yyn", "nnn", "nnn"},
		hosting.RightPackageChange: {"yyy", "yyn", "nnn", "nnn"}, hosting.RightPackageDelete: {"yyy", "yyn", "nnn", "nnn"},

		hosting.RightSelfView: {"ynn", "ynn", "ynn", "ynn"}, hosting.RightSelfChange: {"ynn", "ynn", "ynn", "ynn"}, hosting.RightSelfSignIn: {"ynn", "ynn", "ynn", "ynn"},

		hosting.RightWebhookView: {"ynn", "ynn", "ynn", "nnn"}, hosting.RightWebhookChange: {"ynn", "ynn", "ynn", "nnn"},

		hosting.RightAuditView:    {"yyy", "yyn", "ynn", "nnn"},
		hosting.RightPlatformView: {"yyy", "nnn", "nnn", "nnn"}, hosting.RightPlatformChange: {"yyy", "nnn", "nnn", "nnn"},
	}
	for _, right := range hosting.Rights() {
		want, ok := tests[right]
		if !ok {
			t.Errorf("the policy of %s is not written here", right)
		}
		for role, letters := range map[hosting.Role]string{hosting.Administrator: want.administrator, hosting.Reseller: want.reseller,
			hosting.Customer: want.customer, hosting.Collaborator: want.collaborator} {
			for i, whose := range []string{own, below, foreign} {
				got := letter(hosting.May(actor(role), right, object(role, right, whose)))
				if i < len(letters) && got != letters[i:i+1] {
					t.Errorf("May(%s, %s, %s object) = %s, want %s", role, right, whose, got, letters[i:i+1])
				}
			}
		}
	}
	if len(tests) != len(hosting.Rights()) {
		t.Errorf("%d rights are written here, there are %d", len(tests), len(hosting.Rights()))
	}
}

func letter(err error) string {
	switch {
	case err == nil:
		return "y"
	case hosting.CodeOf(err) == hosting.Forbidden:
		return "f"
	case hosting.CodeOf(err) == hosting.NotFound:
		return "n"
	}
	return err.Error()
}

func actor(role hosting.Role) hosting.Actor {
	a := hosting.Actor{ID: "me", Role: role}
	if role == hosting.Collaborator {
		a.Grants = []hosting.Grant{{Customer: "host", Site: "granted.example", Rights: hosting.Grantable()}}
	}
	return a
}

// object is a site, package or account; a collaborator's own site is the one that
// was granted.
func object(role hosting.Role, right hosting.Right, whose string) hosting.Object {
	account := strings.HasPrefix(string(right), "user.")
	o := hosting.Object{Owner: "somebody", Reseller: "other", OwnerRole: hosting.Customer, Site: "foreign.example"}
	switch whose {
	case own:
		o = hosting.Object{Owner: "me", OwnerRole: role, Site: "own.example"}
		if role == hosting.Collaborator && strings.HasPrefix(string(right), "site.") {
			o = hosting.Object{Owner: "host", Site: "granted.example"}
		}
	case below:
		o = hosting.Object{Owner: "customer", Reseller: "me", OwnerRole: hosting.Customer, Site: "below.example"}
		if role != hosting.Reseller && role != hosting.Administrator {
			o.Reseller = "other"
		}
	}
	if !account {
		o.OwnerRole = ""
	}
	return o
}

func TestMayHasNoWayUp(t *testing.T) {
	reseller, boss := hosting.Actor{ID: "me", Role: hosting.Reseller}, hosting.Actor{ID: "boss", Role: hosting.Administrator}
	support := hosting.Actor{ID: "customer", Role: hosting.Customer, Behind: "boss"}
	token := hosting.Actor{ID: "me", Role: hosting.Customer, Scopes: []hosting.Right{hosting.RightSiteView}}
	mine := hosting.Object{Owner: "me", Site: "own.example"}
	tests := map[string]struct {
		err  error
		want string
	}{
		"a reseller makes a reseller":            {hosting.May(reseller, hosting.RightUserCreate, hosting.Object{Reseller: "me", OwnerRole: hosting.Reseller}), "f"},
		"a reseller makes an administrator":      {hosting.May(reseller, hosting.RightUserCreate, hosting.Object{Reseller: "me", OwnerRole: hosting.Administrator}), "f"},
		"a reseller gives itself a package":      {hosting.May(reseller, hosting.RightUserChange, hosting.Object{Owner: "me", OwnerRole: hosting.Reseller}), "f"},
		"support changes the password":           {hosting.May(support, hosting.RightSelfChange, hosting.Object{Owner: "customer"}), "f"},
		"support signs in elsewhere as them":     {hosting.May(support, hosting.RightSelfSignIn, hosting.Object{Owner: "customer"}), "f"},
		"support goes on to the next":            {hosting.May(hosting.Actor{ID: "a", Role: hosting.Administrator, Behind: "b"}, hosting.RightUserActAs, hosting.Object{Owner: "c", OwnerRole: hosting.Customer}), "f"},
		"an administrator as another":            {hosting.May(boss, hosting.RightUserActAs, hosting.Object{Owner: "other", OwnerRole: hosting.Administrator}), "f"},
		"a token within its scope":               {hosting.May(token, hosting.RightSiteView, mine), "y"},
		"a token beyond its scope":               {hosting.May(token, hosting.RightSiteDelete, mine), "f"},
		"a token without scopes":                 {hosting.May(hosting.Actor{ID: "me", Role: hosting.Customer, Scopes: []hosting.Right{}}, hosting.RightSiteView, mine), "n"},
		"nobody on what belongs to nobody":       {hosting.May(hosting.Actor{Role: hosting.Customer}, hosting.RightSiteView, hosting.Object{}), "f"},
		"no role":                                {hosting.May(hosting.Actor{ID: "me"}, hosting.RightSiteView, mine), "n"},
		"the provider's package by a reseller":   {hosting.May(reseller, hosting.RightPackageChange, (&hosting.Package{}).Object()), "n"},
		"a collaborator beyond what was granted": {hosting.May(actor(hosting.Collaborator), hosting.RightSiteAssign, hosting.Object{Owner: "host", Site: "granted.example"}), "f"},
		"a collaborator on the next site":        {hosting.May(actor(hosting.Collaborator), hosting.RightSiteView, hosting.Object{Owner: "host", Site: "next.example"}), "n"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := letter(tt.err); got != tt.want {
				t.Errorf("May = %s, want %s", got, tt.want)
			}
		})
	}
}
