package hosting

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Invitation gives somebody rights on a customer's sites.
type Invitation struct {
	Email, Name string
	Customer    ID
	Site        string // "" for all of the customer's sites, those to come included
	Rights      []Right
}

// Invite gives a collaborator rights, and makes the account when there is none of
// that address. To invite again replaces the rights on the same sites. An address
// of an account of another role is refused.
func (p *Provider) Invite(ctx context.Context, a Actor, req Invitation) (*User, error) {
	grant, email, name, err := req.read()
	if err != nil {
		return nil, err
	}
	var u *User
	err = p.write(ctx, a, func(tx Tx) (change, error) {
		owner, err := collaboration(ctx, tx, a, RightCollaboratorInvite, grant)
		if err != nil {
			return change{}, err
		}
		if u, err = tx.UserByEmail(ctx, email); err != nil && CodeOf(err) == NotFound {
			u = &User{ID: NewID(), Email: email, Name: name, Role: Collaborator, CreatedAt: p.Now()}
			err = tx.InsertUser(ctx, u)
		}
		if err != nil {
			return change{}, err
		}
		if u.Role != Collaborator {
			return change{}, invalidField("email", fmt.Sprintf("%s can't be invited; use another address.", email), nil)
		}
		if err := p.expectedGrant(ctx, tx, u.ID, grant); err != nil {
			return change{}, err
		}
		if err := p.unproven(ctx, tx, a, u, grant.Customer); err != nil {
			return change{}, err
		}
		return change{did: RightCollaboratorInvite, object: email, on: owner.Object(), after: grant}, tx.SetGrant(ctx, u.ID, grant)
	})
	return u, err
}

// inviteMailLife is how long it is tried to tell somebody of an invitation.
const inviteMailLife = 3 * 24 * time.Hour

// unproven has a collaborator's account begin anew before a customer opens sites to it, when
// nobody ever showed that it is in the hands of who reads mail at its address: another
// customer may have made it, followed the link itself, and waited for this. Where the panel
// can send no mail nobody can show it.
func (p *Provider) unproven(ctx context.Context, tx Tx, a Actor, u *User, customer ID) error {
	if !p.Mails {
		return nil
	}
	grants, err := tx.Grants(ctx, u.ID)
	if err != nil {
		return err
	}
	own := slices.ContainsFunc(grants, func(g Grant) bool { return g.Customer == customer })
	others := slices.ContainsFunc(grants, func(g Grant) bool { return g.Customer != customer })
	if own && !others {
		return nil
	}
	login, err := tx.Login(ctx, u.ID)
	if err != nil || login.Confirmed == u.Email {
		return err
	}
	if err := forgetLogin(ctx, tx, u, login); err != nil {
		return err
	}
	if login.PasswordHash != "" {
		if err := Record(ctx, tx, a, p.Now(), Deed{Did: "sign-in.forgotten", Object: u.Email, On: u.Object()}); err != nil {
			return err
		}
	}
	if !others {
		return nil // who invites may have a link mailed
	}
	now := p.Now()
	return tx.InsertMail(ctx, &Mail{ID: NewID(), Kind: MailInvite, User: u.ID, CreatedAt: now, NextAt: now, ExpiresAt: now.Add(inviteMailLife)})
}

// forgetLogin takes away all that somebody could sign in to an account with, links that were
// handed out included, and ends its sessions.
func forgetLogin(ctx context.Context, tx Tx, u *User, login *Login) error {
	for _, kind := range []TokenKind{TokenInvite, TokenReset, TokenAPI} {
		if err := tx.DeleteTokens(ctx, u.ID, kind); err != nil {
			return err
		}
	}
	keys, err := tx.Passkeys(ctx, u.ID)
	if err != nil {
		return err
	}
	for _, k := range keys {
		if err := tx.DeletePasskey(ctx, u.ID, k.ID); err != nil {
			return err
		}
	}
	if err := tx.DeleteSessions(ctx, u.ID, ""); err != nil {
		return err
	}
	if err := tx.DeleteBrowsers(ctx, u.ID, ""); err != nil {
		return err
	}
	return tx.PutLogin(ctx, &Login{User: u.ID, Language: login.Language})
}

func (r Invitation) read() (g Grant, email, name string, err error) {
	var f faults
	email, err = ParseEmail(r.Email)
	f.check("email", err)
	name, err = ParsePersonName(r.Name)
	f.check("name", err)
	g = Grant{Customer: r.Customer, Rights: r.Rights}
	if r.Site != "" {
		g.Site, err = ParseName(r.Site)
		f.check("site", err)
	}
	if len(r.Rights) == 0 {
		f.add("rights", "choose at least one right")
	}
	for _, right := range r.Rights {
		if !slices.Contains(Grantable(), right) {
			f.add("rights", fmt.Sprintf("%q can't be given to collaborators; leave it out", right))
		}
	}
	if !slices.Contains(g.Rights, RightSiteView) { // nothing can be done to what can't be seen
		g.Rights = append([]Right{RightSiteView}, g.Rights...)
	}
	if r.Site != "" && slices.Contains(r.Rights, RightSiteCreate) {
		f.add("rights", "new sites can be made only with rights on all sites; leave it out")
	}
	return g, email, name, f.err()
}

// collaboration asks whether the actor may decide about a grant, and returns whose
// sites it is about.
func collaboration(ctx context.Context, r Reader, a Actor, do Right, g Grant) (*User, error) {
	owner, err := r.User(ctx, g.Customer)
	if err != nil {
		return nil, seen(err)
	}
	if err := May(a, do, owner.Object()); err != nil {
		return nil, err
	}
	if g.Site == "" {
		return owner, nil
	}
	s, err := r.OwnedSite(ctx, g.Site)
	if err != nil || s.Owner != owner.ID {
		return nil, invalidField("site", "There is no such site of this account; choose one from the list.", err)
	}
	return owner, nil
}

// Collaborators returns who has rights on a customer's sites.
func (p *Provider) Collaborators(ctx context.Context, a Actor, customer ID) ([]GrantedUser, error) {
	if _, err := collaboration(ctx, p.Store, a, RightCollaboratorView, Grant{Customer: customer}); err != nil {
		return nil, err
	}
	return p.Store.GrantsOn(ctx, customer)
}

// Collaborator returns what somebody may do on a site of a customer, "" for all of them. What
// was given on all sites is not found by the name of one.
func (p *Provider) Collaborator(ctx context.Context, a Actor, customer, collaborator ID, site string) (*GrantedUser, error) {
	if name, err := ParseName(site); err == nil {
		site = name
	}
	all, err := p.Collaborators(ctx, a, customer)
	if err != nil {
		return nil, err
	}
	if found := grantOf(all, collaborator, site); found != nil {
		return found, nil
	}
	return nil, hidden()
}

// grantOf is what somebody has on exactly a site, or on all ("") of them; nil for nothing.
func grantOf(all []GrantedUser, collaborator ID, site string) *GrantedUser {
	at := slices.IndexFunc(all, func(g GrantedUser) bool { return g.User.ID == collaborator && g.Grant.Site == site })
	if at < 0 {
		return nil
	}
	return &all[at]
}

// expectedGrant refuses a change of a grant that is not any more what the actor saw.
func (p *Provider) expectedGrant(ctx context.Context, r Reader, collaborator ID, g Grant) error {
	if p.expect == "" {
		return nil
	}
	all, err := r.GrantsOn(ctx, g.Customer)
	if err != nil {
		return err
	}
	if now := grantOf(all, collaborator, g.Site); now != nil {
		return p.expected(now.Version())
	}
	return changedMeanwhile()
}

// RemoveCollaborator takes a grant away. The account stays, since others may have
// invited it too.
func (p *Provider) RemoveCollaborator(ctx context.Context, a Actor, collaborator ID, g Grant) error {
	g.Rights = nil
	return p.write(ctx, a, func(tx Tx) (change, error) {
		owner, err := tx.User(ctx, g.Customer)
		if err != nil {
			return change{}, seen(err)
		}
		if err := May(a, RightCollaboratorRemove, owner.Object()); err != nil {
			return change{}, err
		}
		if err := p.expectedGrant(ctx, tx, collaborator, g); err != nil {
			return change{}, err
		}
		had, err := tx.Grants(ctx, collaborator)
		if err != nil {
			return change{}, err
		}
		if !slices.ContainsFunc(had, func(h Grant) bool { return h.Customer == g.Customer && h.Site == g.Site }) {
			return change{}, &Error{Code: NotFound, Message: "There are no such rights.", Mend: "Somebody may have taken them away meanwhile."}
		}
		return change{did: RightCollaboratorRemove, object: string(collaborator), on: owner.Object(), before: g}, tx.SetGrant(ctx, collaborator, g)
	})
}
