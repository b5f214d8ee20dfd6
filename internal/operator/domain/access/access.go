// Package access keeps MariaDB's accounts of visitors what the DatabaseAccesses of
// now ask for.
//
// It compares two lists: the objects, and the accounts that there are. What has no
// object any more is dropped, whenever and wherever the operator died, so no object
// needs a finalizer and none can hang. It must never touch another account.
package access

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/desired"
	"kubepanel.io/kubepanel/internal/operator/domain/mariadb"
)

const (
	// longest is how long an access lasts at most from its creation, whatever it asks for.
	longest = 4 * time.Hour
	// perSite is how many accounts a site has at once at most.
	perSite = 10
	// retry is how soon we look again at what waits for MariaDB or for its database.
	retry = 5 * time.Second
	// sweep is how often accounts are compared with objects when nothing happens: an
	// account may come back with a restored MariaDB.
	sweep = 10 * time.Minute
)

// Reconciler looks at all accesses at once: they are few.
type Reconciler struct {
	Client client.Client
	// Server returns MariaDB, or why it can't be used now.
	Server func(context.Context) (*mariadb.Server, error)
	// Site returns the Domain that has a name, nil for none. It is not to be changed.
	Site func(ctx context.Context, name string) (*v1alpha1.Domain, error)
	// Now is the clock.
	Now func() time.Time
}

// verdict is what an access shall become.
type verdict struct {
	phase   v1alpha1.DatabaseAccessPhase // "" for one that has ended
	message string
	visitor mariadb.Visitor // of an open one
}

// Reconcile makes the accounts what the accesses of now ask for.
func (r *Reconciler) Reconcile(ctx context.Context, _ reconcile.Request) (reconcile.Result, error) {
	var list v1alpha1.DatabaseAccessList
	if err := r.Client.List(ctx, &list); err != nil {
		return reconcile.Result{}, err
	}
	// Who came first is served first.
	slices.SortFunc(list.Items, func(a, b v1alpha1.DatabaseAccess) int {
		return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.UID, b.UID))
	})
	verdicts := make([]verdict, len(list.Items))
	open := map[string]int{}
	for i := range list.Items {
		v, err := r.judge(ctx, &list.Items[i], open)
		if err != nil {
			return reconcile.Result{}, err
		}
		verdicts[i] = v
	}
	errs := []error{r.settle(ctx, list.Items, verdicts)}
	for i := range list.Items {
		errs = append(errs, r.tell(ctx, &list.Items[i], verdicts[i]))
	}
	if err := errors.Join(errs...); err != nil {
		return reconcile.Result{}, err
	}
	return reconcile.Result{RequeueAfter: r.next(list.Items, verdicts)}, nil
}

// end is when an access ends.
func end(a *v1alpha1.DatabaseAccess) time.Time {
	if last := a.CreationTimestamp.Add(longest); a.Spec.ExpiresAt.After(last) {
		return last
	}
	return a.Spec.ExpiresAt.Time
}

// judge says what an access shall become; open counts those of each site.
func (r *Reconciler) judge(ctx context.Context, a *v1alpha1.DatabaseAccess, open map[string]int) (verdict, error) {
	refused := func(format string, args ...any) (verdict, error) {
		return verdict{phase: v1alpha1.DatabaseAccessRefused, message: fmt.Sprintf(format, args...)}, nil
	}
	name := a.Spec.DomainName
	if !a.DeletionTimestamp.IsZero() || !end(a).After(r.Now()) {
		return verdict{}, nil
	}
	if a.Namespace != desired.Namespace(name) {
		return refused("An access to %s belongs into namespace %s.", name, desired.Namespace(name))
	}
	d, err := r.Site(ctx, name)
	switch {
	case err != nil:
		return verdict{}, err
	case d == nil || d.Spec.DomainName != name || !d.DeletionTimestamp.IsZero():
		return refused("There is no site %s.", name)
	case d.Spec.Suspended:
		return refused("The site %s is suspended.", name)
	case d.Spec.Database.Enabled != nil && !*d.Spec.Database.Enabled:
		return refused("The site %s has no database: spec.database.enabled is false.", name)
	case !meta.IsStatusConditionTrue(d.Status.Conditions, v1alpha1.ConditionDatabaseProvisioned):
		return verdict{phase: v1alpha1.DatabaseAccessPending, message: "The site's database is not there yet."}, nil
	case open[name] == perSite:
		return refused("%d people look at the database of %s already; one of them has to leave first.", perSite, name)
	}
	open[name]++
	return verdict{phase: v1alpha1.DatabaseAccessOpen, visitor: mariadb.Visitor{
		Name: mariadb.VisitorName(string(a.UID)), Hash: a.Spec.PasswordHash,
		Database: desired.DatabaseName(name), ReadOnly: a.Spec.ReadOnly,
	}}, nil
}

// settle drops every account that nobody shall have and makes those that are missing.
// What can't be made becomes pending. Nobody's missing right stops what is to end.
func (r *Reconciler) settle(ctx context.Context, all []v1alpha1.DatabaseAccess, verdicts []verdict) error {
	server, err := r.Server(ctx)
	var names []string
	if err == nil {
		names, err = server.Visitors(ctx)
	}
	if err != nil {
		for i := range verdicts {
			verdicts[i].wait("MariaDB does not list its accounts: " + mariadb.Words(err) + ". It is tried again all the time.")
		}
		return err
	}
	var errs []error
	wanted := map[string]bool{}
	for _, v := range verdicts {
		wanted[v.visitor.Name] = true
	}
	for _, name := range names {
		if !wanted[name] {
			errs = append(errs, server.Dismiss(ctx, name))
		}
	}
	for i, v := range verdicts {
		// Only what was told to be open is whole for certain.
		whole := all[i].Status.Phase == v1alpha1.DatabaseAccessOpen && slices.Contains(names, v.visitor.Name)
		if v.phase != v1alpha1.DatabaseAccessOpen || whole {
			continue
		}
		if err := server.Admit(ctx, v.visitor); err != nil {
			verdicts[i].wait("MariaDB did not make the account: " + mariadb.Words(err) + ". It is tried again.")
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// wait makes an open access a pending one.
func (v *verdict) wait(message string) {
	if v.phase == v1alpha1.DatabaseAccessOpen {
		*v = verdict{phase: v1alpha1.DatabaseAccessPending, message: message}
	}
}

// tell writes what became of an access, and removes one that has ended.
func (r *Reconciler) tell(ctx context.Context, a *v1alpha1.DatabaseAccess, v verdict) error {
	if v.phase == "" {
		err := r.Client.Delete(ctx, a, client.Preconditions{UID: &a.UID})
		if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
			return fmt.Errorf("remove access %s/%s, which has ended: %w", a.Namespace, a.Name, err)
		}
		return nil
	}
	status := v1alpha1.DatabaseAccessStatus{Phase: v.phase, Message: v.message, Username: v.visitor.Name}
	if a.Status == status {
		return nil
	}
	a.Status = status
	// Somebody who was faster, or removed it, comes back to us as news.
	if err := r.Client.Status().Update(ctx, a); err != nil && !apierrors.IsConflict(err) && !apierrors.IsNotFound(err) {
		return fmt.Errorf("write the status of access %s/%s: %w", a.Namespace, a.Name, err)
	}
	return nil
}

// next is how long nothing ends and nothing waits.
func (r *Reconciler) next(all []v1alpha1.DatabaseAccess, verdicts []verdict) time.Duration {
	after := sweep
	for i, v := range verdicts {
		switch v.phase {
		case v1alpha1.DatabaseAccessPending:
			after = min(after, retry)
		case v1alpha1.DatabaseAccessOpen, v1alpha1.DatabaseAccessRefused:
			after = min(after, max(end(&all[i]).Sub(r.Now()), time.Millisecond))
		}
	}
	return after
}
