package store_test

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/store"
)

func wantCode(t *testing.T, doing string, err error, want hosting.Code) {
	t.Helper()
	if err == nil || hosting.CodeOf(err) != want {
		t.Errorf("%s = %v, want %s", doing, err, want)
	}
}

// A reseller's customers stay inside what the administrator gave, all together.
func TestResellersStayInsideTheirPackage(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		h := newHouse(t, address)
		seller := h.user(t, h.boss, "seller@sells.example", hosting.Reseller, h.pack(t, h.boss, "Three", hosting.Quota{hosting.Sites: 3}))
		_, err := h.CreatePackage(t.Context(), seller, hosting.NewPackage{Name: "All", Quota: hosting.Quota{hosting.Storage: 10}})
		wantCode(t, "CreatePackage(no limit of what is limited)", err, hosting.Invalid)
		_, err = h.CreatePackage(t.Context(), seller, hosting.NewPackage{Name: "Four", Quota: hosting.Quota{hosting.Sites: 4}})
		wantCode(t, "CreatePackage(more than the reseller has)", err, hosting.Invalid)
		two := h.pack(t, seller, "Two", hosting.Quota{hosting.Sites: 2})
		jo, al := h.user(t, seller, "jo@shop.example", hosting.Customer, two), h.user(t, seller, "al@shop.example", hosting.Customer, two)
		h.site(t, jo, "a.example")
		h.site(t, jo, "b.example")
		h.site(t, al, "c.example")
		_, err = h.CreateSite(t.Context(), al, "", newSite("d.example"), false)
		wantCode(t, "CreateSite(the reseller's fourth of three)", err, hosting.OverQuota)

		foreign := h.user(t, h.boss, "foreign@x.example", hosting.Customer, h.pack(t, h.boss, "Any", nil))
		_, err = h.User(t.Context(), seller, foreign.ID)
		wantCode(t, "User(another's customer)", err, hosting.NotFound)
		wantCode(t, "SuspendUser(another's customer)", h.SuspendUser(t.Context(), seller, foreign.ID, true), hosting.NotFound)
		_, err = h.CreateUser(t.Context(), seller, hosting.NewUser{Email: "r@x.example", Name: "R", Role: hosting.Reseller, Package: two})
		wantCode(t, "CreateUser(a reseller by a reseller)", err, hosting.Forbidden)
		users, err := h.Users(t.Context(), seller, hosting.UserQuery{})
		must(t, err)
		if users.Total != 3 {
			t.Errorf("Users(reseller) = %d accounts, want itself and two customers", users.Total)
		}
		wantCode(t, "DeleteUser(with sites)", h.DeleteUser(t.Context(), seller, jo.ID), hosting.Conflict)
	})
}

func TestASmallerPackageTellsFirstWhomItPutsOver(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		h := newHouse(t, address)
		pack := h.pack(t, h.boss, "Any", nil)
		jo := h.user(t, h.boss, "jo@shop.example", hosting.Customer, pack)
		h.user(t, h.boss, "al@shop.example", hosting.Customer, pack)
		h.site(t, jo, "a.example")
		h.site(t, jo, "b.example")
		smaller := hosting.Quota{hosting.Sites: 1, hosting.Storage: 100}
		over, err := h.PlanPackage(t.Context(), h.boss, pack, smaller)
		must(t, err)
		if len(over) != 1 || over[0].User.ID != jo.ID || len(over[0].Lines) != 1 || over[0].Lines[0].Used != 2 {
			t.Errorf("PlanPackage = %+v, want jo with 2 sites", over)
		}
		req := hosting.NewPackage{Name: "One", Quota: smaller}
		_, err = h.ChangePackage(t.Context(), h.boss, pack, req, false)
		wantCode(t, "ChangePackage before anybody accepted", err, hosting.Conflict)
		_, err = h.ChangePackage(t.Context(), h.boss, pack, req, true)
		must(t, err)
		_, err = h.CreateSite(t.Context(), jo, "", newSite("c.example"), false)
		wantCode(t, "CreateSite over the quota", err, hosting.OverQuota)
		grown := "6Gi" // of another resource there is room
		if _, _, err := h.ChangeSite(t.Context(), jo, "a.example", hosting.SiteChange{Storage: &grown}, false); err != nil {
			t.Errorf("ChangeSite(storage, while over in sites) = %v", err)
		}
		huge := "96Gi"
		_, _, err = h.ChangeSite(t.Context(), jo, "a.example", hosting.SiteChange{Storage: &huge}, false)
		wantCode(t, "ChangeSite(more storage than the package has)", err, hosting.OverQuota)
		wantCode(t, "DeletePackage(in use)", h.DeletePackage(t.Context(), h.boss, pack), hosting.Conflict)
	})
}

func TestCollaboratorsReachWhatTheyWereGranted(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		h := newHouse(t, address)
		pack := h.pack(t, h.boss, "Any", nil)
		jo := h.user(t, h.boss, "jo@shop.example", hosting.Customer, pack)
		h.site(t, jo, "a.example")
		h.site(t, jo, "b.example")
		invite := hosting.Invitation{Email: "dev@agency.example", Name: "Dev", Customer: jo.ID, Site: "a.example", Rights: []hosting.Right{hosting.RightSiteFiles}}
		u, err := h.Invite(t.Context(), jo, invite)
		must(t, err)
		dev := h.actor(t, u.ID)
		sites, err := h.Sites(t.Context(), dev, hosting.SiteQuery{})
		must(t, err)
		if len(sites.Items) != 1 || sites.Items[0].Name != "a.example" {
			t.Errorf("Sites(collaborator) = %+v, want a.example", sites.Items)
		}
		_, err = h.SiteFor(t.Context(), dev, hosting.RightSiteFiles, "a.example")
		must(t, err)
		_, err = h.SiteFor(t.Context(), dev, hosting.RightSiteTerminal, "a.example")
		wantCode(t, "SiteFor(terminal, which was not granted)", err, hosting.Forbidden)
		_, err = h.Site(t.Context(), dev, "b.example")
		wantCode(t, "Site(not granted)", err, hosting.NotFound)
		invite.Rights = []hosting.Right{hosting.RightUserCreate}
		_, err = h.Invite(t.Context(), jo, invite)
		wantCode(t, "Invite(a right that can't be given)", err, hosting.Invalid)
		must(t, h.SuspendUser(t.Context(), h.boss, jo.ID, true))
		if rested := h.actor(t, u.ID); len(rested.Grants) != 0 {
			t.Errorf("Grants = %v while the customer is suspended, want none", rested.Grants)
		}
		must(t, h.SuspendUser(t.Context(), h.boss, jo.ID, false))
		must(t, h.RemoveCollaborator(t.Context(), jo, u.ID, hosting.Grant{Customer: jo.ID, Site: "a.example"}))
		if gone := h.actor(t, u.ID); len(gone.Grants) != 0 {
			t.Errorf("Grants after removal = %v, want none", gone.Grants)
		}
	})
}

func TestTheProvidersOwnNamesAreNobodys(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		h := newHouse(t, address)
		h.Reserved = []string{"panel.provider.example"}
		jo := h.user(t, h.boss, "jo@shop.example", hosting.Customer, h.pack(t, h.boss, "Any", nil))
		for _, name := range []string{"panel.provider.example", "x.panel.provider.example", "PANEL.provider.example."} {
			_, err := h.CreateSite(t.Context(), jo, "", newSite(name), false)
			wantCode(t, "CreateSite("+name+")", err, hosting.Conflict)
		}
		req := newSite("a.example")
		req.Aliases = []string{"panel.provider.example"}
		_, err := h.CreateSite(t.Context(), jo, "", req, false)
		wantCode(t, "CreateSite(with the panel's name as alias)", err, hosting.Conflict)
		h.site(t, jo, "provider.example")
	})
}

func TestSitesThatNobodyOwnsAreAssigned(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		h := newHouse(t, address)
		jo := h.user(t, h.boss, "jo@shop.example", hosting.Customer, h.pack(t, h.boss, "One", hosting.Quota{hosting.Sites: 1}))
		for _, name := range []string{"old.example", "older.example"} {
			_, err := h.Panel.CreateSite(t.Context(), newSite(name), false) // by the command line
			must(t, err)
		}
		_, err := h.Site(t.Context(), jo, "old.example")
		wantCode(t, "Site(nobody's)", err, hosting.NotFound)
		wantCode(t, "AssignSite by a customer", h.AssignSite(t.Context(), jo, "old.example", jo.ID), hosting.NotFound)
		must(t, h.AssignSite(t.Context(), h.boss, "old.example", jo.ID))
		_, err = h.Site(t.Context(), jo, "old.example")
		must(t, err)
		wantCode(t, "AssignSite(over the quota)", h.AssignSite(t.Context(), h.boss, "older.example", jo.ID), hosting.OverQuota)
	})
}

func TestTrailNoticesWhatWasChanged(t *testing.T) {
	tests := map[string]string{
		"a line that was changed":        `UPDATE trail SET object = 'x' WHERE seq = 2`,
		"a line that was removed":        `DELETE FROM trail WHERE seq = 2`,
		"the last lines removed":         `DELETE FROM trail WHERE seq > 2`,
		"a line that was put at its end": `INSERT INTO trail SELECT seq + 100, at, actor, actor_name, behind, behind_name, address, did, object, owner, reseller, before, after, hash FROM trail WHERE seq = 1`,
		"two lines that were exchanged":  `UPDATE trail SET seq = CASE seq WHEN 1 THEN -2 ELSE -1 END WHERE seq IN (1, 2)`,
	}
	for name, tamper := range tests {
		t.Run(name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, address string) {
				h := newHouse(t, address)
				for i := range 4 {
					h.pack(t, h.boss, fmt.Sprint("Package ", i), nil)
				}
				if n, err := hosting.VerifyTrail(t.Context(), h.Store); err != nil || n != 4 {
					t.Fatalf("VerifyTrail(untouched) = %d, %v", n, err)
				}
				execRaw(t, address, tamper)
				if name == "two lines that were exchanged" {
					execRaw(t, address, `UPDATE trail SET seq = -seq WHERE seq < 0`)
				}
				if name == "a line that was put at its end" {
					execRaw(t, address, `UPDATE trail_end SET seq = 101`)
				}
				_, err := hosting.VerifyTrail(t.Context(), h.Store)
				wantCode(t, "VerifyTrail", err, hosting.Broken)
			})
		})
	}
}

func TestTheLastAdministratorStays(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		h := newHouse(t, address)
		two, err := h.CreateUser(t.Context(), h.boss, hosting.NewUser{Email: "two@provider.example", Name: "Two", Role: hosting.Administrator})
		must(t, err)
		second := h.actor(t, two.ID)
		wantCode(t, "DeleteUser(oneself)", h.DeleteUser(t.Context(), h.boss, h.boss.ID), hosting.Forbidden)
		must(t, h.DeleteUser(t.Context(), h.boss, two.ID))
		wantCode(t, "DeleteUser by one who was just deleted", h.DeleteUser(t.Context(), second, h.boss.ID), hosting.Conflict)
	})
}

// Lists are read page by page, and each page with the same few statements.
func TestSiteListTakesFewStatements(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		h := newHouse(t, address)
		jo := h.user(t, h.boss, "jo@shop.example", hosting.Customer, h.pack(t, h.boss, "Any", nil))
		var want []string
		for i := range 25 {
			name := fmt.Sprintf("s%02d.example", i)
			h.site(t, jo, name)
			want = append(want, name)
		}
		count := 0
		db, err := store.Open(t.Context(), address, store.Options{Keys: [][]byte{key(1)}, Observe: func(string) { count++ }})
		must(t, err)
		t.Cleanup(db.Close)
		h.Store = db
		var got []string
		q := hosting.SiteQuery{Limit: 10}
		for {
			count = 0
			page, err := h.Sites(t.Context(), jo, q)
			must(t, err)
			if count > 3 {
				t.Errorf("a page of %d took %d statements, want 3", len(page.Items), count)
			}
			for _, s := range page.Items {
				got = append(got, s.Name)
			}
			if page.Total != 25 {
				t.Errorf("Total = %d, want 25", page.Total)
			}
			if q.After = page.Next; q.After == "" {
				break
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("pages = %v, want %v", got, want)
		}
		full, err := h.Sites(t.Context(), jo, hosting.SiteQuery{})
		must(t, err)
		brief, err := h.Sites(t.Context(), jo, hosting.SiteQuery{Brief: true})
		must(t, err)
		for i := range full.Items {
			if full.Items[i].Amounts[hosting.Sites] != 1 || brief.Items[i].Amounts != nil {
				t.Errorf("amounts = %v, and in brief %v, want some and none", full.Items[i].Amounts, brief.Items[i].Amounts)
			}
			if full.Items[i].Amounts, full.Items[i].NamesSum = nil, 0; !reflect.DeepEqual(brief.Items[i], full.Items[i]) {
				t.Errorf("in brief = %+v, want %+v", brief.Items[i], full.Items[i])
			}
		}
		found, err := h.Sites(t.Context(), jo, hosting.SiteQuery{Search: "S0_"})
		if err != nil || found.Total != 0 {
			t.Errorf("Sites(search with a wildcard) = %d, %v, want none", found.Total, err)
		}
	})
}
