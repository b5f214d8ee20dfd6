package auth

import (
	"context"
	"strings"

	"kubepanel.io/kubepanel/internal/hosting"
)

// Stage is how far somebody has signed in.
type Stage string

// Stages.
const (
	Nobody       Stage = ""       // nobody signed in
	SecondFactor Stage = "second" // the password was right; a code or a passkey is wanted
	Mailed       Stage = "mailed" // the password was right, the browser is new: the code that was mailed is wanted
	MustEnrol    Stage = "enrol"  // signed in, and first has to set up a second factor
	Done         Stage = "done"   // signed in
)

// Stage returns how far the session has come.
func (a *Auth) Stage(ctx context.Context) Stage {
	if a.sessions.GetString(ctx, keyUser) == "" {
		return Nobody
	}
	return a.stage(ctx)
}

func (a *Auth) stage(ctx context.Context) Stage { return Stage(a.sessions.GetString(ctx, keyStage)) }

func wrong() error {
	return &hosting.Error{Code: hosting.SignIn, Fields: []hosting.Field{{Name: "password", Message: "The address or the password is wrong."}}}
}

// SignIn begins a session with a password. It returns SignIn for a wrong one and
// Limited after too many, whether there is such an account or not; language is that of the
// mail which a new browser may be asked for.
func (a *Auth) SignIn(ctx context.Context, email, password, language string) (Stage, error) {
	email = strings.ToLower(strings.TrimSpace(email))
	account := "account " + hosting.SecretHash(email)
	if err := a.count(ctx, map[string]int64{account: perAccount, a.byAddress(ctx): perAddress}); err != nil {
		return Nobody, err
	}
	u, err := a.store.UserByEmail(ctx, email)
	if err != nil && hosting.CodeOf(err) != hosting.NotFound {
		return Nobody, err
	}
	login := &hosting.Login{}
	if err == nil {
		if login, err = a.store.Login(ctx, u.ID); err != nil {
			return Nobody, err
		}
	}
	if len(password) > maxPassword {
		password = "" // nobody has such a one, and hashing it would cost us time
	}
	if !a.verify(login.PasswordHash, password) {
		return Nobody, a.refuse(ctx, email, u.ID)
	}
	if u.Stopped() {
		return Nobody, &hosting.Error{Code: hosting.Forbidden, Message: "This account is suspended.", Mend: "Ask who gave it to you."}
	}
	if err := a.remember(ctx, account, login, password); err != nil {
		return Nobody, err
	}
	return a.byPassword(ctx, u, login, language)
}

// byPassword begins the session of an account whose password was right. Unless a second
// factor is asked for, a browser that is new to it types a mailed code first.
func (a *Auth) byPassword(ctx context.Context, u *hosting.User, login *hosting.Login, language string) (Stage, error) {
	stage, err := a.stageOf(ctx, u, login, true)
	if err != nil {
		return Nobody, err
	}
	if stage == SecondFactor || !a.mailsCodes() {
		return stage, a.begin(ctx, u, stage)
	}
	known, err := a.recognise(ctx, u)
	switch {
	case err != nil:
		return Nobody, err
	case known:
		return stage, a.begin(ctx, u, stage)
	}
	if err := a.mailCode(ctx, u, language); err != nil {
		return Nobody, err
	}
	return Mailed, nil
}

// refuse notes a failed sign-in. The address that was typed is kept only where it is
// an account's: people type passwords into the wrong field.
func (a *Auth) refuse(ctx context.Context, email string, of hosting.ID) error {
	a.Count("refused")
	var err error
	if of != "" {
		err = a.record(ctx, hosting.Actor{ID: of, Name: email}, "sign-in.refused", email)
	} else { // a write more for those that there are would tell who they are
		err = a.store.Write(ctx, func(tx hosting.Tx) error { return tx.AddTry(ctx, "nobody", a.now()) })
	}
	if err != nil {
		return err
	}
	return wrong()
}

// remember forgets the tries that led to the right password, and keeps its hash at
// today's cost.
func (a *Auth) remember(ctx context.Context, key string, login *hosting.Login, password string) error {
	fresh := ""
	if a.outdated(login.PasswordHash) {
		fresh = a.hash(password)
	}
	return a.store.Write(ctx, func(tx hosting.Tx) error {
		if err := tx.ClearTries(ctx, key); err != nil || fresh == "" {
			return err
		}
		now, err := tx.Login(ctx, login.User)
		if err != nil || now.PasswordHash != login.PasswordHash {
			return err
		}
		now.PasswordHash = fresh
		return tx.PutLogin(ctx, now)
	})
}

// stageOf is how far an account has come with its password, or with what counts as much.
func (a *Auth) stageOf(ctx context.Context, u *hosting.User, login *hosting.Login, byPassword bool) (Stage, error) {
	has, err := hasFactor(ctx, a.store, login)
	switch {
	case err != nil:
		return Nobody, err
	case has:
		return SecondFactor, nil
	case login.Enrol || a.must(u.Role, byPassword):
		return MustEnrol, nil
	}
	return Done, nil
}

// hasFactor tells whether the account of a login has a second factor.
func hasFactor(ctx context.Context, r hosting.Reader, login *hosting.Login) (bool, error) {
	if len(login.TOTP) > 0 {
		return true, nil
	}
	keys, err := r.Passkeys(ctx, login.User)
	return len(keys) > 0, err
}

// next begins a session of an account that a company or a link vouches for; a link is worth
// a password.
func (a *Auth) next(ctx context.Context, u *hosting.User, login *hosting.Login, byPassword bool) (Stage, error) {
	stage, err := a.stageOf(ctx, u, login, byPassword)
	if err != nil {
		return Nobody, err
	}
	return stage, a.begin(ctx, u, stage)
}

// begin starts the session under a new token, so that nobody who knew the old one
// comes along.
func (a *Auth) begin(ctx context.Context, u *hosting.User, stage Stage) error {
	if err := a.sessions.Clear(ctx); err != nil {
		return err
	}
	if err := a.sessions.RenewToken(ctx); err != nil {
		return err
	}
	a.sessions.Put(ctx, keyUser, string(u.ID))
	a.putTime(ctx, keySeen)
	if stage == Done {
		return a.done(ctx, u)
	}
	a.sessions.Put(ctx, keyStage, string(stage))
	return nil
}

// proven notes that there was a second factor, and makes the session a full one.
func (a *Auth) proven(ctx context.Context, u *hosting.User) error {
	if err := a.sessions.RenewToken(ctx); err != nil {
		return err
	}
	a.sessions.Put(ctx, keyFactor, "1")
	return a.done(ctx, u)
}

// done makes the session a full one.
func (a *Auth) done(ctx context.Context, u *hosting.User) error {
	if err := a.record(ctx, hosting.Actor{ID: u.ID, Name: u.Name, Reseller: u.Reseller}, "sign-in.done", u.Email); err != nil {
		return err
	}
	a.sessions.Put(ctx, keyStage, string(Done))
	a.putTime(ctx, keyFresh)
	a.Count("done")
	return nil
}

// SignOut ends the session.
func (a *Auth) SignOut(ctx context.Context) error {
	if actor, ok := ActorOf(ctx); ok {
		if err := a.record(ctx, actor, "sign-out", actor.Email); err != nil {
			return err
		}
	}
	return a.sessions.Destroy(ctx)
}

// record leaves a line about the actor's own account in the trail.
func (a *Auth) record(ctx context.Context, actor hosting.Actor, did, object string) error {
	actor.Address = AddressOf(ctx)
	return a.store.Write(ctx, func(tx hosting.Tx) error {
		return hosting.Record(ctx, tx, actor, a.now(), hosting.Deed{Did: did, Object: object, On: hosting.Object{Owner: actor.ID, Reseller: actor.Reseller}})
	})
}

// person returns the account of the session, if it has come to one of the stages.
func (a *Auth) person(ctx context.Context, stages ...Stage) (*hosting.User, error) {
	for _, s := range stages {
		if s == a.Stage(ctx) {
			u, err := a.store.User(ctx, hosting.ID(a.sessions.GetString(ctx, keyUser)))
			if err == nil && u.Stopped() {
				return nil, signInFirst()
			}
			return u, err
		}
	}
	return nil, signInFirst()
}

func signInFirst() error {
	return &hosting.Error{Code: hosting.SignIn, Message: "You are not signed in.", Mend: "Sign in and try again."}
}

// owner returns the account of who sits there for themselves, not for support.
func (a *Auth) owner(ctx context.Context, stages ...Stage) (*hosting.User, error) {
	u, err := a.person(ctx, stages...)
	if err != nil {
		return nil, err
	}
	actor := hosting.Actor{ID: u.ID, Role: u.Role, Behind: hosting.ID(a.sessions.GetString(ctx, keyBehind))}
	return u, hosting.May(actor, hosting.RightSelfChange, hosting.Object{Owner: u.ID})
}

// self returns the account of who may change how it signs in: whoever proved lately
// who it is, or has to set up a second factor now.
func (a *Auth) self(ctx context.Context) (*hosting.User, error) {
	u, err := a.owner(ctx, Done, MustEnrol)
	if err != nil {
		return nil, err
	}
	if a.stage(ctx) == Done && a.now().Sub(a.time(ctx, keyFresh)) > freshFor {
		return nil, &hosting.Error{Code: hosting.SignIn, Message: "This needs your password once more.", Mend: "Confirm it and try again."}
	}
	return u, nil
}

// Confirm proves once more who sits there, before something that self asks for.
func (a *Auth) Confirm(ctx context.Context, password string) error {
	u, err := a.owner(ctx, Done)
	if err != nil {
		return err
	}
	key := "account " + hosting.SecretHash(u.Email)
	if err := a.count(ctx, map[string]int64{key: perAccount}); err != nil {
		return err
	}
	login, err := a.store.Login(ctx, u.ID)
	if err != nil {
		return err
	}
	if !a.verify(login.PasswordHash, password) {
		return &hosting.Error{Code: hosting.SignIn, Fields: []hosting.Field{{Name: "password", Message: "The password is wrong."}}}
	}
	if err := a.remember(ctx, key, login, password); err != nil {
		return err
	}
	if err := a.sessions.RenewToken(ctx); err != nil {
		return err
	}
	a.putTime(ctx, keyFresh)
	return nil
}
