package hosting

import (
	"context"
	"fmt"
)

// mostApplications bounds how many there are.
const mostApplications = 200

// Applications returns all of them to who runs the platform, in the order of their names.
func (p *Provider) Applications(ctx context.Context, a Actor) ([]Application, error) {
	if err := May(a, RightPlatformView, Object{}); err != nil {
		return nil, err
	}
	return p.Store.Applications(ctx)
}

// Application returns one to who runs the platform.
func (p *Provider) Application(ctx context.Context, a Actor, id ID) (*Application, error) {
	if err := May(a, RightPlatformView, Object{}); err != nil {
		return nil, err
	}
	found, err := p.Store.Application(ctx, id)
	return found, seen(err)
}

// CreateApplication makes one, and returns it with its secret, which nobody can be shown
// again; a public one has none.
func (p *Provider) CreateApplication(ctx context.Context, a Actor, want Application) (*Application, string, error) {
	if err := May(a, RightPlatformChange, Object{}); err != nil {
		return nil, "", err
	}
	if err := want.check(); err != nil {
		return nil, "", err
	}
	want.ID, want.CreatedAt = NewID(), p.Now()
	secret := ""
	if !want.Public {
		secret = want.renew()
	}
	return &want, secret, p.write(ctx, a, func(tx Tx) (change, error) {
		all, err := tx.Applications(ctx)
		if err != nil {
			return change{}, err
		}
		if len(all) >= mostApplications {
			return change{}, &Error{Code: Conflict, Message: fmt.Sprintf("There are %d applications, which is the most there can be.", mostApplications), Mend: "Remove one first."}
		}
		c := change{did: RightPlatformChange, object: want.Called(), after: want, made: string(want.ID)}
		return c, putApplication(ctx, tx, &want)
	})
}

// ChangeApplication changes one; its secret stays, or that it has none. Who may not come in any more is out at
// once.
func (p *Provider) ChangeApplication(ctx context.Context, a Actor, want Application) (*Application, error) {
	if err := May(a, RightPlatformChange, Object{}); err != nil {
		return nil, err
	}
	if err := want.check(); err != nil {
		return nil, err
	}
	return &want, p.write(ctx, a, func(tx Tx) (change, error) {
		was, err := tx.Application(ctx, want.ID)
		if err != nil {
			return change{}, seen(err)
		}
		if err := p.expected(was.Version()); err != nil {
			return change{}, err
		}
		want.Public, want.SecretHash, want.CreatedAt = was.Public, was.SecretHash, was.CreatedAt
		return change{did: RightPlatformChange, object: want.Called(), before: was, after: want}, putApplication(ctx, tx, &want)
	})
}

// RenewApplication gives one another secret, and returns that. The former counts no more.
func (p *Provider) RenewApplication(ctx context.Context, a Actor, id ID) (*Application, string, error) {
	if err := May(a, RightPlatformChange, Object{}); err != nil {
		return nil, "", err
	}
	var app *Application
	var secret string
	err := p.write(ctx, a, func(tx Tx) (change, error) {
		var err error
		if app, err = tx.Application(ctx, id); err != nil {
			return change{}, seen(err)
		}
		if app.Public {
			return change{}, &Error{Code: Conflict, Message: app.Name + " has no secret, since it could keep none.", Mend: "Make another application to give it one."}
		}
		secret = app.renew()
		return change{did: RightPlatformChange, object: "secret of " + app.Called()}, tx.PutApplication(ctx, app)
	})
	if err != nil {
		return nil, "", err
	}
	return app, secret, nil
}

// DeleteApplication removes one. Nobody comes in by the panel any more, and what it was
// given counts no more.
func (p *Provider) DeleteApplication(ctx context.Context, a Actor, id ID) error {
	return p.write(ctx, a, func(tx Tx) (change, error) {
		if err := May(a, RightPlatformChange, Object{}); err != nil {
			return change{}, err
		}
		was, err := tx.Application(ctx, id)
		if err != nil {
			return change{}, seen(err)
		}
		if err := p.expected(was.Version()); err != nil {
			return change{}, err
		}
		return change{did: RightPlatformChange, object: was.Called(), before: was}, tx.DeleteApplication(ctx, id)
	})
}

// Called is what the trail calls it.
func (a *Application) Called() string { return "application " + a.Name }

func putApplication(ctx context.Context, tx Tx, a *Application) error {
	err := tx.PutApplication(ctx, a)
	if err != nil && CodeOf(err) == Conflict {
		return &Error{Code: Conflict, Fields: []Field{{Name: "name", Message: "Another application has this name; choose one that tells them apart."}}, Err: err}
	}
	return err
}
