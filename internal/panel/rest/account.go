package rest

import (
	"context"
	"net/http"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/auth"
)

func (s *Server) account() {
	handle(s, operation{method: http.MethodGet, path: "/account", id: "getAccount", summary: "Show whose token this is, and what it is good for"}, s.getAccount)
	handle(s, operation{method: http.MethodGet, path: "/account/tokens", id: "listTokens", summary: "List your tokens, the newest first", scope: hosting.RightSelfView,
		says: "A token can't make tokens: one makes them on the account's page, or the provider prints them with panel token."}, s.listTokens)
	handle(s, operation{method: http.MethodDelete, path: "/account/token", id: "endToken", summary: "Make this token worthless", status: http.StatusNoContent}, s.endToken)
	handle(s, operation{method: http.MethodGet, path: "/account/sessions", id: "listSessions", summary: "List the browsers that you are signed in with", scope: hosting.RightSelfView}, s.listSessions)
	handle(s, operation{method: http.MethodGet, path: "/account/browsers", id: "listBrowsers", summary: "List the browsers that your account knows", scope: hosting.RightSelfView,
		says: "With any other one a password takes a code that is mailed, unless the account has a second factor or the panel sends no mail. They are forgotten on the account's page."}, s.listBrowsers)
}

func tokenScopes() []hosting.Right { return auth.TokenScopes() }

// Self is who asks.
type Self struct {
	ID     hosting.ID      `json:"id"`
	Email  string          `json:"email"`
	Name   string          `json:"name"`
	Role   hosting.Role    `json:"role" enum:"administrator,reseller,customer,collaborator"`
	Scopes []hosting.Right `json:"scopes" doc:"What the token is good for, as far as the account goes."`
	Grants []Grant         `json:"grants,omitempty" doc:"What a collaborator may do, and where."`
}

// Grant is what a collaborator may do.
type Grant struct {
	Customer hosting.ID      `json:"customer"`
	Site     string          `json:"site,omitempty" doc:"Missing: all of the customer's sites."`
	Rights   []hosting.Right `json:"rights"`
}

func (s *Server) getAccount(_ context.Context, a hosting.Actor, _ *struct{}) (*answer[Self], error) {
	self := Self{ID: a.ID, Email: a.Email, Name: a.Name, Role: a.Role, Scopes: append([]hosting.Right{}, a.Scopes...)}
	for _, g := range a.Grants {
		self.Grants = append(self.Grants, Grant{Customer: g.Customer, Site: g.Site, Rights: g.Rights})
	}
	return &answer[Self]{self}, nil
}

// Token is one that was made, without its text.
type Token struct {
	ID        hosting.ID      `json:"id"`
	Name      string          `json:"name"`
	Scopes    []hosting.Right `json:"scopes"`
	CreatedAt time.Time       `json:"createdAt"`
	ExpiresAt time.Time       `json:"expiresAt"`
	UsedAt    *time.Time      `json:"usedAt,omitempty" doc:"The last use, within an hour."`
}

func (s *Server) listTokens(ctx context.Context, a hosting.Actor, in *Paging) (*answer[List[Token]], error) {
	found, err := s.Doors.TokensOf(ctx, a)
	if err != nil {
		return nil, err
	}
	return paged(*in, found, func(t *hosting.Token) string { return newest(t.CreatedAt, string(t.ID)) }, func(t *hosting.Token) Token {
		return Token{ID: t.ID, Name: t.Name, Scopes: append([]hosting.Right{}, t.Scopes...), CreatedAt: t.CreatedAt, ExpiresAt: t.ExpiresAt, UsedAt: moment(t.UsedAt)}
	})
}

func (s *Server) endToken(ctx context.Context, _ hosting.Actor, _ *struct{}) (*struct{}, error) {
	return nil, s.Doors.EndToken(ctx)
}

// Session is a browser that is signed in.
type Session struct {
	ID        string    `json:"id"`
	Address   string    `json:"address"`
	Agent     string    `json:"agent"`
	CreatedAt time.Time `json:"createdAt"`
	Support   bool      `json:"support" doc:"Somebody of the provider, for support."`
}

func (s *Server) listSessions(ctx context.Context, a hosting.Actor, _ *struct{}) (*answer[List[Session]], error) {
	found, err := s.Doors.SessionsOf(ctx, a)
	if err != nil {
		return nil, err
	}
	l := List[Session]{Items: make([]Session, 0, len(found))}
	for _, one := range found {
		l.Items = append(l.Items, Session{ID: one.ID, Address: one.Address, Agent: one.Agent, CreatedAt: one.CreatedAt, Support: one.Support})
	}
	return &answer[List[Session]]{l}, nil
}

// Browser is one that an account knows.
type Browser struct {
	ID        string    `json:"id"`
	Address   string    `json:"address" doc:"Where it was when somebody last signed in with it."`
	Agent     string    `json:"agent"`
	CreatedAt time.Time `json:"createdAt"`
	UsedAt    time.Time `json:"usedAt" doc:"When somebody last signed in with it."`
	ExpiresAt time.Time `json:"expiresAt" doc:"When it is forgotten, if nobody does."`
}

func (s *Server) listBrowsers(ctx context.Context, a hosting.Actor, _ *struct{}) (*answer[List[Browser]], error) {
	found, err := s.Doors.BrowsersOf(ctx, a)
	if err != nil {
		return nil, err
	}
	l := List[Browser]{Items: make([]Browser, 0, len(found))}
	for _, one := range found {
		l.Items = append(l.Items, Browser{ID: one.ID, Address: one.Address, Agent: one.Agent, CreatedAt: one.CreatedAt, UsedAt: one.UsedAt, ExpiresAt: one.ExpiresAt})
	}
	return &answer[List[Browser]]{l}, nil
}
