package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/auth"
)

// tokensURL is where the tokens of one's own account are.
const tokensURL = "/account/tokens"

// tokenPage is the page of the tokens that programs ask the API with.
type tokenPage struct {
	*frame

	Tokens []hosting.Token
	Form   tokenForm
	Wrong  faults
	// Secret is the text of the one that was just made, shown this once.
	Secret string
	// Confirm says that the password is asked for once more.
	Confirm bool
}

// tokenForm is what a token is asked for with.
type tokenForm struct {
	Name string
	Days int
	// Reach is look, all or chosen; Chosen counts for the last.
	Reach  string
	Chosen []hosting.Right
}

// Reaches of a token.
const (
	reachLook   = "look"
	reachAll    = "all"
	reachChosen = "chosen"
)

// tokenDays are the lives that a token can be given, in days.
func tokenDays() []int { return []int{1, 7, 30, 90, 365} }

// tokens are the pages of them.
func (s *Server) tokens() map[string]handler {
	return map[string]handler{
		"GET " + tokensURL:              s.listTokens,
		"POST " + tokensURL:             s.makeToken,
		"POST " + tokensURL + "/revoke": s.revokeToken,
	}
}

func (s *Server) tokenPage(r *http.Request) (tokenPage, error) {
	p := tokenPage{frame: s.frame(r, placeAccount), Form: tokenForm{Days: 30, Reach: reachLook}}
	p.accountTabs(tokensURL)
	p.Crumbs = []link{{Text: p.Title, To: "/account"}, {Text: p.T("Tokens")}}
	var err error
	p.Tokens, err = s.Doors.Tokens(r.Context())
	return p, err
}

// accountTabs titles a page of one's own account.
func (f *frame) accountTabs(at string) {
	f.Title = f.T("Your account")
	f.Tabs = []link{{Text: f.T("Signing in"), To: "/account"}, {Text: f.T("Tokens"), To: tokensURL}}
	for i := range f.Tabs {
		f.Tabs[i].Current = f.Tabs[i].To == at
	}
}

func (s *Server) listTokens(w http.ResponseWriter, r *http.Request) error {
	return s.showTokens(w, r, nil, func(*tokenPage) {})
}

// showTokens shows the page with what was wrong, and what fill puts into it.
func (s *Server) showTokens(w http.ResponseWriter, r *http.Request, err error, fill func(*tokenPage)) error {
	wrong, err := s.asked(r, err)
	if err != nil {
		return err
	}
	p, err := s.tokenPage(r)
	if err != nil {
		return err
	}
	p.Wrong, p.Confirm = wrong, wrong.Status == http.StatusUnauthorized
	fill(&p)
	return show(w, r, wrong.Status, p.view())
}

// makeToken makes one and shows its text. Where the password is asked for once more,
// it comes with the same form, so that nothing has to be filled in again.
func (s *Server) makeToken(w http.ResponseWriter, r *http.Request) error {
	form := tokenForm{Name: r.PostFormValue("name"), Reach: r.PostFormValue("reach")}
	form.Days, _ = strconv.Atoi(r.PostFormValue("days")) // a life that is no number is refused as none
	for _, scope := range r.PostForm["scope"] {
		form.Chosen = append(form.Chosen, hosting.Right(scope))
	}
	var secret string
	var err error
	if !slices.Contains([]string{reachLook, reachAll, reachChosen}, form.Reach) {
		err = &hosting.Error{Code: hosting.Invalid, Fields: []hosting.Field{{Name: "reach", Message: notOffered}}}
	} else if password := r.PostFormValue("password"); password != "" {
		err = s.Doors.Confirm(r.Context(), password)
	}
	if err == nil {
		secret, err = s.Doors.CreateToken(r.Context(), auth.NewToken{
			Name: form.Name, Scopes: form.scopes(actor(r.Context())), Life: time.Duration(form.Days) * 24 * time.Hour,
		})
	}
	return s.showTokens(w, r, err, func(p *tokenPage) {
		if p.Secret = secret; err != nil {
			p.Form = form
		}
	})
}

func (s *Server) revokeToken(w http.ResponseWriter, r *http.Request) error {
	if err := s.Doors.RevokeToken(r.Context(), hosting.ID(r.PostFormValue("token"))); err != nil {
		return err
	}
	return seeOther(w, r, tokensURL)
}

// scopes are the rights that the form asks for.
func (f tokenForm) scopes(a hosting.Actor) []hosting.Right {
	switch f.Reach {
	case reachAll:
		return scopesOf(a)
	case reachChosen:
		return f.Chosen
	}
	return slices.DeleteFunc(scopesOf(a), func(r hosting.Right) bool { return !r.Looks() })
}

// scopesOf are the rights that a token of an account can do something with: support is
// for people in a browser.
func scopesOf(a hosting.Actor) []hosting.Right {
	return slices.DeleteFunc(auth.TokenScopes(), func(r hosting.Right) bool { return r == hosting.RightUserActAs || !a.Role.Ever(r) })
}

// Has tells whether a right is chosen.
func (p tokenPage) Has(r hosting.Right) bool { return slices.Contains(p.Form.Chosen, r) }

// Days says how long a token lives.
func (p tokenPage) Days(days int) string {
	switch days {
	case 1:
		return p.T("A day")
	case 365:
		return p.T("A year")
	}
	return p.T("%d days", days)
}

// Ended tells whether a token counts no more.
func (p tokenPage) Ended(t hosting.Token) bool { return !t.ExpiresAt.After(p.now) }

// rightGroup are rights on things of one kind.
type rightGroup struct {
	Name   string
	Rights []hosting.Right
}

// Groups are all rights that the form offers, by what they are rights on.
func (p tokenPage) Groups() []rightGroup {
	groups := []rightGroup{{Name: p.T("Sites")}, {Name: p.T("Accounts")}, {Name: p.T("Collaborators")}, {Name: p.T("Packages")}, {Name: p.T("Webhooks")}, {Name: p.T("Anything else")}}
	kinds := []string{"site", "user", "collaborator", "package", "webhook"}
	for _, r := range scopesOf(p.Actor) {
		kind, _, _ := strings.Cut(string(r), ".")
		i := slices.Index(kinds, kind)
		if i < 0 {
			i = len(kinds)
		}
		groups[i].Rights = append(groups[i].Rights, r)
	}
	return slices.DeleteFunc(groups, func(g rightGroup) bool { return len(g.Rights) == 0 })
}

// scopeName is what a right is called within its group.
func (p tokenPage) scopeName(r hosting.Right) string {
	switch r {
	case hosting.RightSiteAssign:
		return p.T("Give to another customer")
	case hosting.RightSelfView:
		return p.T("Your own account")
	case hosting.RightAuditView:
		return p.T("Audit")
	case hosting.RightPlatformView:
		return p.T("See the platform")
	case hosting.RightPlatformChange:
		return p.T("Change the platform")
	}
	kind, verb, _ := strings.Cut(string(r), ".")
	if kind == "site" {
		return p.rightName(r)
	}
	switch verb {
	case "view":
		return p.T("See")
	case "create":
		return p.T("Make")
	case "change":
		return p.T("Change")
	case "suspend":
		return p.T("Suspend")
	case "delete":
		return p.T("Delete")
	case "invite":
		return p.T("Invite")
	case "remove":
		return p.T("Remove")
	}
	return string(r)
}
