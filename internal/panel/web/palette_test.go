package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"kubepanel.io/kubepanel/internal/hosting"
)

// found is what the palette shows for what was typed.
func (h *house) found(typed string) answer {
	h.t.Helper()
	return h.part("/palette?" + url.Values{"q": {typed}}.Encode())
}

// finds checks where the palette leads for what was typed, and where it does not.
func (h *house) finds(typed string, to ...string) {
	h.t.Helper()
	got := h.found(typed)
	got.want(h.t, http.StatusOK)
	for _, to := range to {
		path, not := strings.CutPrefix(to, "not ")
		if leads := strings.Contains(got.body, `href="`+path+`"`) || strings.Contains(got.body, `action="`+path+`"`); leads == not {
			h.t.Errorf("%q of %s leads to %s: %t", typed, h.as.Role, path, leads)
		}
	}
}

func TestPaletteFindsSitesAndTheirPages(t *testing.T) {
	h := newHouse(t)
	h.site("shop.example", nil)
	h.site("blog.example", nil)
	h.finds("shop", "/sites/shop.example", "/sites/shop.example/files", "/sites/shop.example/logs", "not /sites/blog.example", "not /sites/blog.example/files")
	h.finds("example", "/sites/shop.example", "/sites/blog.example", "not /sites/shop.example/files")
	h.finds("example LOG", "/sites/shop.example/logs", "/sites/blog.example/logs", "not /sites/shop.example", "not /sites/shop.example/files")
	h.found("shop files").want(t, http.StatusOK, ">shop.example</bdi>") // whose they are
	h.found("zzz").want(t, http.StatusOK, "Nothing is called")
}

// Whoever asks is led to what they may do and see, and nowhere else.
func TestPaletteLeadsWhereOneMayGo(t *testing.T) {
	h := newHouse(t)
	h.site("shop.example", nil)
	seller, err := h.rules.CreateUser(t.Context(), h.boss, hosting.NewUser{Email: "sam@reseller.example", Name: "Sam Seller", Role: hosting.Reseller, Package: h.pack})
	h.must(err)
	kim, err := h.rules.CreateUser(t.Context(), h.boss, hosting.NewUser{Email: "kim@other.example", Name: "Kim Other", Role: hosting.Customer, Package: h.pack})
	h.must(err)
	jo, others, mine := "/users/"+string(h.jo.ID), "/users/"+string(kim.ID), "/users/"+string(h.jo.ID)+"/collaborators#invite-title"

	h.finds("jo cust", jo, "not "+others)
	h.finds("@other.example", others, "not "+jo)
	h.finds("", "/users/new", "/packages/new", "/account/tokens#token-title", "/sign-out", "/platform/settings", "/companies", "/api/v1/docs", "not "+jo)
	h.finds("plat", "/platform/nodes", "/platform/catalogue", "/platform/settings", "not /packages")

	h.as = h.actor(seller.ID)
	h.finds("jo cust", "not "+jo)
	h.finds("kim", "not "+others)
	h.finds("shop", "not /sites/shop.example")
	h.finds("", "/users/new", "/packages/new", "not /platform/settings", "not /companies")

	h.as = h.jo
	h.finds("kim", "not "+others)
	h.finds("boss", "not "+"/users/"+string(h.boss.ID))
	h.finds("pack", "not /packages", "not /packages/new")
	h.finds("", "/sites/new", mine, "/account/tokens#token-title", "/sign-out", "not /users/new", "not /packages/new", "not /platform/settings")

	helper, err := h.rules.Invite(t.Context(), h.jo, hosting.Invitation{Customer: h.jo.ID, Email: "help@agency.example", Name: "Hal Helper", Site: "shop.example", Rights: []hosting.Right{hosting.RightSiteLogs}})
	h.must(err)
	h.as = h.actor(helper.ID)
	h.finds("shop", "/sites/shop.example", "/sites/shop.example/logs", "not /sites/shop.example/files", "not /sites/shop.example/danger")
	h.finds("", "/account", "/sign-out", "not /sites/new", "not /users/new")
	h.finds("kim", "not "+others)
}

// Support is led back to its own account, and makes no token for another's.
func TestPaletteLeadsSupportBack(t *testing.T) {
	h := newHouse(t)
	h.as = h.jo
	h.as.Behind = h.boss.ID
	h.finds("", "/act-as/end", "not /account/tokens#token-title")
}

// However many sites and accounts there are, a letter costs the same.
func TestPaletteCostsTheSameHoweverManyThereAre(t *testing.T) {
	h := newHouse(t)
	h.site("shop.example", nil)
	count := func(typed string) int {
		h.found(typed) // how the provider wants the panel to look is kept for a while
		h.statements = 0
		h.found(typed).want(t, http.StatusOK)
		return h.statements
	}
	one := count("o")
	for i := range 20 {
		letter := string(rune('a' + i))
		_, err := h.rules.CreateSite(t.Context(), h.boss, "", hosting.NewSite{Name: letter + "o.example", Storage: "5Gi", CPU: "1000m", Memory: "512Mi"}, false)
		h.must(err)
	}
	if many := count("o"); many != one || many > 6 {
		t.Errorf("21 sites cost %d statements, one costs %d; want the same, at most 6", many, one)
	}
	if hits := strings.Count(h.found("o").body, `href="/sites/`); hits > 8 {
		t.Errorf("the palette shows %d sites, want what a glance takes in", hits)
	}
}
