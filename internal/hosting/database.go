package hosting

import (
	"context"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // what MariaDB's mysql_native_password is made of
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// How long a visit to a database lasts.
const (
	// VisitLife is the longest, whatever happens: the operator's own bound.
	VisitLife = 4 * time.Hour
	// VisitIdle ends one that nobody uses.
	VisitIdle = 20 * time.Minute
	// visitPatience is how long the operator may take to make an account; it takes
	// milliseconds.
	visitPatience = 15 * time.Second
)

// Accesses are people's short-lived accounts on databases.
type Accesses interface {
	// OpenAccess makes an access and waits until the operator has made its account, or
	// says why not, which is in the status then.
	OpenAccess(ctx context.Context, a *v1alpha1.DatabaseAccess) error
	// MoveAccess moves the end of an access. It returns NotFound when that is over.
	MoveAccess(ctx context.Context, namespace, name string, until time.Time) error
	// CloseAccess ends an access; one that is over already is none.
	CloseAccess(ctx context.Context, namespace, name string) error
	// Accesses returns all that there are.
	Accesses(ctx context.Context) ([]v1alpha1.DatabaseAccess, error)
}

// DatabaseVisit is one person's look at the database of one site. Whoever holds it
// may sign in there.
type DatabaseVisit struct {
	Site, Namespace, Access      string
	Database, Username, Password string
	// Session is the browser's; the visit ends with it.
	Session string
	Opened  time.Time
}

// OpenDatabase makes an account on a site's database for an actor's session.
func (p *Provider) OpenDatabase(ctx context.Context, a Actor, session, name string) (*DatabaseVisit, error) {
	s, err := p.VisitedSite(ctx, a, name)
	if err != nil {
		return nil, err
	}
	if s.Domain.Status.Database == nil {
		return nil, noDatabase(s.Name)
	}
	// Noted before it can be used.
	err = p.write(ctx, a, func(Tx) (change, error) {
		return change{did: RightSiteDatabase, object: s.Name, on: s.On()}, nil
	})
	if err != nil {
		return nil, err
	}
	v := &DatabaseVisit{Site: s.Name, Namespace: s.Domain.Status.Namespace, Access: "visit-" + strings.ToLower(rand.Text()),
		Database: s.Domain.Status.Database.Name, Password: rand.Text() + rand.Text(), Session: session, Opened: p.Now()}
	access := &v1alpha1.DatabaseAccess{
		ObjectMeta: metav1.ObjectMeta{
			Name: v.Access, Namespace: v.Namespace, Labels: map[string]string{v1alpha1.LabelManagedBy: v1alpha1.ManagedBy},
			Annotations: map[string]string{v1alpha1.AnnotationSession: session},
		},
		Spec: v1alpha1.DatabaseAccessSpec{DomainName: s.Name, PasswordHash: nativeHash(v.Password), ExpiresAt: metav1.NewTime(v.Opened.Add(VisitIdle))},
	}
	wait, cancel := context.WithTimeout(ctx, visitPatience)
	defer cancel()
	err = p.Panel.Accesses.OpenAccess(wait, access)
	if err == nil && access.Status.Phase == v1alpha1.DatabaseAccessOpen {
		v.Username = access.Status.Username
		return v, nil
	}
	// Nobody knows the password: what may be there is worth nothing, and ends by itself.
	if gone := p.Panel.Accesses.CloseAccess(context.WithoutCancel(ctx), v.Namespace, v.Access); err == nil {
		err = gone
	}
	if err != nil {
		return nil, err
	}
	return nil, &Error{Code: Conflict, Message: "The database can't be opened now: " + access.Status.Message, Mend: "Try again in a moment."}
}

// VisitedSite returns a site whose database an actor may look at now.
func (p *Provider) VisitedSite(ctx context.Context, a Actor, name string) (*OwnedSite, error) {
	s, err := p.SiteFor(ctx, a, RightSiteDatabase, name)
	if err != nil {
		return nil, err
	}
	if s.Domain == nil || !s.Domain.DeletionTimestamp.IsZero() {
		return nil, &Error{Code: Conflict, Message: fmt.Sprintf("The site %s is not there.", ShowBoth(s.Name)), Mend: "When it is still being made, try again in a moment."}
	}
	if s.Domain.Spec.Suspended {
		return nil, &Error{Code: Conflict, Message: fmt.Sprintf("The site %s is suspended.", ShowBoth(s.Name)), Mend: "Resume it first."}
	}
	return s, nil
}

// KeepDatabase lets a visit that is used go on.
func (p *Provider) KeepDatabase(ctx context.Context, v *DatabaseVisit) error {
	until := p.Now().Add(VisitIdle)
	if last := v.Opened.Add(VisitLife); until.After(last) {
		until = last
	}
	return p.Panel.Accesses.MoveAccess(ctx, v.Namespace, v.Access, until)
}

// LeaveDatabase ends a visit.
func (p *Provider) LeaveDatabase(ctx context.Context, v *DatabaseVisit) error {
	return p.Panel.Accesses.CloseAccess(ctx, v.Namespace, v.Access)
}

// LeaveDatabases ends every visit for which still does not say yes: of sessions that
// are over, and of people who lost the right.
func (p *Provider) LeaveDatabases(ctx context.Context, still func(session, site string) bool) error {
	all, err := p.Panel.Accesses.Accesses(ctx)
	if err != nil {
		return err
	}
	for _, a := range all {
		session := a.Annotations[v1alpha1.AnnotationSession]
		if session == "" || still(session, a.Spec.DomainName) {
			continue // one without a session was made by an administrator's own hand
		}
		if err := p.Panel.Accesses.CloseAccess(ctx, a.Namespace, a.Name); err != nil {
			return err
		}
	}
	return nil
}

// nativeHash is what MariaDB's mysql_native_password keeps of a password.
func nativeHash(password string) string {
	first := sha1.Sum([]byte(password)) //nolint:gosec // see above
	second := sha1.Sum(first[:])        //nolint:gosec // see above
	return "*" + strings.ToUpper(hex.EncodeToString(second[:]))
}
