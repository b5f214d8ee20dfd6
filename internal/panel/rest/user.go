package rest

import (
	"context"
	"net/http"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
)

func (s *Server) users() {
	handle(s, operation{method: http.MethodGet, path: "/users", id: "listUsers", summary: "List accounts", scope: hosting.RightUserView}, s.listUsers)
	handle(s, operation{method: http.MethodPost, path: "/users", id: "createUser", summary: "Make an account", scope: hosting.RightUserCreate, status: http.StatusCreated,
		says: "It has no password: make a link that sets one."}, s.createUser)
	handle(s, operation{method: http.MethodGet, path: "/users/{user}", id: "getUser", summary: "Show an account", scope: hosting.RightUserView}, s.getUser)
	handle(s, operation{method: http.MethodPatch, path: "/users/{user}", id: "changeUser", summary: "Change an account", scope: hosting.RightUserChange,
		says: "What is left out stays as it is. A package that is too small for what is used is refused."}, s.changeUser)
	handle(s, operation{method: http.MethodDelete, path: "/users/{user}", id: "deleteUser", summary: "Delete an account that has nothing left", scope: hosting.RightUserDelete,
		status: http.StatusNoContent}, s.deleteUser)
	handle(s, operation{method: http.MethodGet, path: "/users/{user}/usage", id: "getUserUsage", summary: "Show what an account uses and may use", scope: hosting.RightUserView}, s.getUsage)
	handle(s, operation{method: http.MethodPost, path: "/users/{user}/suspend", id: "suspendUser", summary: "Suspend an account with its sites", scope: hosting.RightUserSuspend},
		func(ctx context.Context, a hosting.Actor, in *UserPath) (*versioned[User], error) {
			return s.suspend(ctx, a, in.User, true)
		})
	handle(s, operation{method: http.MethodPost, path: "/users/{user}/resume", id: "resumeUser", summary: "Let a suspended account go on", scope: hosting.RightUserSuspend},
		func(ctx context.Context, a hosting.Actor, in *UserPath) (*versioned[User], error) {
			return s.suspend(ctx, a, in.User, false)
		})
	handle(s, operation{method: http.MethodDelete, path: "/users/{user}/sessions", id: "endUserSessions", summary: "End all sessions of an account", scope: hosting.RightUserSuspend,
		status: http.StatusNoContent, says: "Every browser has to sign in again, and is new to the account then. Tokens and the password stay."}, s.endSessions)
	handle(s, operation{method: http.MethodPost, path: "/users/{user}/factors/reset", id: "resetUserFactors", summary: "Take an account's second factors away",
		scope: hosting.RightUserFactors, status: http.StatusNoContent, secret: true,
		says: "For who has lost passkeys, authenticator and recovery codes: all of them count no more, every session ends, and the account sets up a new one at its next sign-in. " +
			"It needs the password of the token's owner, tries of which are limited."}, s.resetFactors)
	handle(s, operation{method: http.MethodPost, path: "/users/{user}/links", id: "createUserLink", summary: "Make a one-time link that sets the account's password",
		scope: hosting.RightUserChange, status: http.StatusCreated, secret: true, says: "An earlier link counts no more."}, s.createLink)
}

// User is an account as programs see it.
type User struct {
	ID          hosting.ID   `json:"id"`
	Email       string       `json:"email"`
	Name        string       `json:"name"`
	Role        hosting.Role `json:"role" enum:"administrator,reseller,customer,collaborator"`
	Reseller    hosting.ID   `json:"reseller,omitempty" doc:"Whose customer it is; missing for the provider's own."`
	Package     hosting.ID   `json:"package,omitempty"`
	PackageName string       `json:"packageName,omitempty"`
	Suspended   bool         `json:"suspended"`
	Stopped     bool         `json:"stopped" doc:"It can't be used, for its own suspension or its reseller's."`
	Sites       int64        `json:"sites"`
	CreatedAt   time.Time    `json:"createdAt"`
}

func userOf(u *hosting.User) User {
	return User{ID: u.ID, Email: u.Email, Name: u.Name, Role: u.Role, Reseller: u.Reseller, Package: u.Package, PackageName: u.PackageName,
		Suspended: u.Suspended, Stopped: u.Stopped(), Sites: u.Sites, CreatedAt: u.CreatedAt}
}

// UserPath is an operation on one account.
type UserPath struct {
	User hosting.ID `path:"user" maxLength:"64" doc:"The account's ID."`
}

func (s *Server) listUsers(ctx context.Context, a hosting.Actor, in *struct {
	Paging
	Search   string       `query:"q" maxLength:"300" doc:"A part of the name or address."`
	Role     hosting.Role `query:"role" enum:"administrator,reseller,customer,collaborator"`
	Reseller hosting.ID   `query:"reseller" maxLength:"64" doc:"Only this reseller's."`
}) (*answer[List[User]], error) {
	after, err := in.after()
	if err != nil {
		return nil, err
	}
	found, err := s.Rules.Users(ctx, a, hosting.UserQuery{Search: in.Search, Role: in.Role, Reseller: in.Reseller, After: after, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	return &answer[List[User]]{listOf(found, userOf)}, nil
}

func (s *Server) createUser(ctx context.Context, a hosting.Actor, in *struct {
	Body struct {
		Email    string       `json:"email" maxLength:"300" example:"jo@shop.example"`
		Name     string       `json:"name" maxLength:"300"`
		Role     hosting.Role `json:"role" enum:"administrator,reseller,customer"`
		Package  hosting.ID   `json:"package,omitempty" maxLength:"64" doc:"How much it may use; administrators have none."`
		Reseller hosting.ID   `json:"reseller,omitempty" maxLength:"64" doc:"Whose customer it is to be."`
	} `nameHint:"NewUser"`
}) (*versioned[User], error) {
	b := in.Body
	made, err := s.rules(ctx).CreateUser(ctx, a, hosting.NewUser{Email: b.Email, Name: b.Name, Role: b.Role, Package: b.Package, Reseller: b.Reseller})
	if err != nil {
		return nil, err
	}
	if read, err := s.Rules.User(ctx, a, made.ID); err == nil {
		made = read
	}
	r := versionedAs(made.Version(), userOf(made))
	r.Location = Prefix + "/users/" + string(made.ID)
	return r, nil
}

func (s *Server) getUser(ctx context.Context, a hosting.Actor, in *UserPath) (*versioned[User], error) {
	found, err := s.Rules.User(ctx, a, in.User)
	if err != nil {
		return nil, err
	}
	return versionedAs(found.Version(), userOf(found)), nil
}

func (s *Server) changeUser(ctx context.Context, a hosting.Actor, in *struct {
	UserPath
	Condition
	Body struct {
		Email   *string     `json:"email,omitempty" maxLength:"300"`
		Name    *string     `json:"name,omitempty" maxLength:"300"`
		Package *hosting.ID `json:"package,omitempty" maxLength:"64"`
	} `nameHint:"UserChange"`
}) (*versioned[User], error) {
	b := in.Body
	changed, err := s.Rules.If(in.version()).ChangeUser(ctx, a, in.User, hosting.UserChange{Email: b.Email, Name: b.Name, Package: b.Package})
	if err != nil {
		return nil, err
	}
	if read, err := s.Rules.User(ctx, a, in.User); err == nil {
		changed = read
	}
	return versionedAs(changed.Version(), userOf(changed)), nil
}

func (s *Server) deleteUser(ctx context.Context, a hosting.Actor, in *struct {
	UserPath
	Condition
}) (*struct{}, error) {
	return nil, s.Rules.If(in.version()).DeleteUser(ctx, a, in.User)
}

// QuotaLine is one resource of an account.
type QuotaLine struct {
	Resource hosting.Resource `json:"resource"`
	Unit     string           `json:"unit,omitempty"`
	Used     int64            `json:"used"`
	Limit    *int64           `json:"limit,omitempty" doc:"Missing: no limit."`
}

func linesOf(lines []hosting.QuotaLine) []QuotaLine {
	all := make([]QuotaLine, 0, len(lines))
	for _, l := range lines {
		all = append(all, QuotaLine{Resource: l.Resource, Unit: l.Resource.Unit(), Used: l.Used, Limit: l.Limit})
	}
	return all
}

func (s *Server) getUsage(ctx context.Context, a hosting.Actor, in *UserPath) (*answer[List[QuotaLine]], error) {
	lines, err := s.Rules.Usage(ctx, a, in.User)
	if err != nil {
		return nil, err
	}
	return &answer[List[QuotaLine]]{List[QuotaLine]{Items: linesOf(lines)}}, nil
}

func (s *Server) suspend(ctx context.Context, a hosting.Actor, id hosting.ID, suspended bool) (*versioned[User], error) {
	if err := s.rules(ctx).SuspendUser(ctx, a, id, suspended); err != nil {
		return nil, err
	}
	found, err := s.Rules.UserFor(ctx, a, hosting.RightUserSuspend, id)
	if err != nil {
		return nil, err
	}
	return versionedAs(found.Version(), userOf(found)), nil
}

// Link is a one-time link.
type Link struct {
	URL string `json:"url" doc:"Hand it to the account's owner alone. The secret stands behind the #, so no server and no log sees it."`
}

func (s *Server) endSessions(ctx context.Context, a hosting.Actor, in *UserPath) (*struct{}, error) {
	return nil, s.Doors.EndSessions(ctx, a, in.User)
}

func (s *Server) resetFactors(ctx context.Context, a hosting.Actor, in *struct {
	UserPath
	Body struct {
		Password string `json:"password" maxLength:"256" format:"password" doc:"Of the token's owner, who proves anew who it is."`
	} `nameHint:"FactorsReset"`
}) (*struct{}, error) {
	return nil, s.Doors.ResetFactors(ctx, a, in.User, in.Body.Password, "")
}

func (s *Server) createLink(ctx context.Context, a hosting.Actor, in *UserPath) (*answer[Link], error) {
	token, err := s.Doors.InviteLink(ctx, a, in.User)
	if err != nil && hosting.CodeOf(err) == hosting.Conflict { // it has a password: this replaces it
		token, err = s.Doors.ResetLink(ctx, a, in.User)
	}
	if err != nil {
		return nil, err
	}
	return &answer[Link]{Link{URL: s.Doors.URL.JoinPath("password").String() + "#" + token}}, nil
}
