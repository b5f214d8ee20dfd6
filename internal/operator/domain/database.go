package domain

import (
	"context"
	"errors"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kubepanel.io/kubepanel/api/platform"
	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/desired"
	"kubepanel.io/kubepanel/internal/operator"
	"kubepanel.io/kubepanel/internal/operator/domain/mariadb"
)

// databaseRetry is how soon we look again while the server is away; its coming
// back is also told at once.
const databaseRetry = 15 * time.Second

// databaseServer tells whether the server that holds the site's database answers.
func (r *Reconciler) databaseServer(ctx context.Context, d *v1alpha1.Domain) error {
	if !enabled(d.Spec.Database.Enabled) {
		return operator.Done("Disabled", "spec.database.enabled is false.")
	}
	_, err := r.Databases.Server(ctx)
	return r.serverTrouble(err)
}

// serverTrouble says in a person's words why the server can't be used.
func (r *Reconciler) serverTrouble(err error) error {
	where := r.Platform.Database.Host + ":" + strconv.Itoa(int(r.Platform.Database.Port))
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errNoAccount):
		return operator.Trouble(databaseRetry, "NoAccount", "Secret %s in namespace %s can't be read; the operator makes it when it is missing.", platform.SecretMariaDBOperator, r.Platform.Namespace)
	case errors.Is(err, mariadb.ErrRefused):
		return operator.Trouble(databaseRetry, "AccountRefused", "MariaDB at %s refuses the account in Secret %s. Restart MariaDB: it takes over the account when it starts.", where, platform.SecretMariaDBOperator)
	case errors.Is(err, mariadb.ErrUnproven):
		return operator.Trouble(databaseRetry, "NotTrusted", "MariaDB at %s does not show the certificate in Secret %s, so nothing is sent to it. It takes over another one within two minutes; if this stays, restart MariaDB.", where, platform.SecretMariaDBTLS)
	default:
		return operator.Trouble(databaseRetry, "Unreachable", "MariaDB does not answer at %s. It is tried again all the time; see whether it runs in namespace %s and has room on its disk.", where, r.Platform.Namespace)
	}
}

// database keeps the site's database and its user.
func (r *Reconciler) database(ctx context.Context, d *v1alpha1.Domain) error {
	if !enabled(d.Spec.Database.Enabled) {
		// Turning a switch never deletes data.
		return operator.Done("Disabled", "spec.database.enabled is false. A database that was made before stays until the Domain is deleted.")
	}
	server, err := r.Databases.Server(ctx)
	if err != nil {
		return r.serverTrouble(err)
	}
	site, until, err := r.databaseSite(ctx, d)
	if err != nil {
		return err
	}
	// Of two passwords an operator that died may have told MariaDB nothing yet.
	if !r.Databases.fresh(d.UID, site, site.Known && site.Previous == "" && foundBefore(d, v1alpha1.ConditionDatabaseProvisioned)) {
		if err := r.ensureDatabase(ctx, server, site); err != nil {
			return err
		}
		r.Databases.found(d.UID, site)
	}
	d.Status.Database = &v1alpha1.DatabaseStatus{
		Host: r.Platform.Database.Host, Port: r.Platform.Database.Port, Name: site.Name, Username: site.Name,
		PasswordSecretRef: ref(d, desired.SecretDatabase, desired.KeyPassword),
	}
	if site.Previous != "" {
		return operator.Until(max(time.Until(until), time.Second), v1alpha1.ReasonRenewed, "The database has a new password. The one before it is good until %s (UTC).", until.UTC().Format("15:04"))
	}
	return nil
}

// foundBefore tells whether the status says that a condition is true of the spec as
// it is now.
func foundBefore(d *v1alpha1.Domain, condition string) bool {
	c := meta.FindStatusCondition(d.Status.Conditions, condition)
	return c != nil && c.Status == metav1.ConditionTrue && c.ObservedGeneration == d.Generation
}

func (r *Reconciler) ensureDatabase(ctx context.Context, server *mariadb.Server, site mariadb.Site) error {
	err := server.Ensure(ctx, site)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, mariadb.ErrForeign):
		return operator.Stall("DatabaseTaken", "MariaDB has a database or user %s already that was not made for this Domain. Rename or drop it to let the site have that name.", site.Name)
	case errors.Is(err, mariadb.ErrRefused):
		return operator.Trouble(databaseRetry, "AccountRefused", "MariaDB does not let the operator make database %s: its account lacks a right. Restart MariaDB: it grants them when it starts.", site.Name)
	case server.Ping(ctx) != nil:
		return r.serverTrouble(err)
	default:
		return operator.Trouble(databaseRetry, "Refused", "MariaDB did not make database %s: %s. It is tried again; a full disk of the database server is one cause.", site.Name, mariadb.Words(err))
	}
}

// databaseSite is what the site should have on the server, with the password that
// its own program reads, and until when the one before it is good.
func (r *Reconciler) databaseSite(ctx context.Context, d *v1alpha1.Domain) (site mariadb.Site, until time.Time, err error) {
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{
		Name: desired.SecretDatabase, Namespace: desired.Namespace(d.Spec.DomainName),
	}}
	found, err := r.Kube.Live(ctx, secret)
	if err != nil {
		return mariadb.Site{}, until, err
	}
	if !found || len(secret.Data[desired.KeyPassword]) == 0 {
		return mariadb.Site{}, until, operator.Wait(recheck, "NoPassword", "Secret %s has no password yet.", desired.SecretDatabase)
	}
	// What can't be read is over.
	until, _ = time.Parse(time.RFC3339, secret.Annotations[v1alpha1.AnnotationPreviousUntil])
	return mariadb.Site{
		Name:        desired.DatabaseName(d.Spec.DomainName),
		Password:    string(secret.Data[desired.KeyPassword]),
		Previous:    string(secret.Data[desired.KeyPrevious]),
		Mark:        desired.DatabaseMark(d.Spec.DomainName),
		Connections: desired.DatabaseConnections(d),
		Known:       d.Status.Database != nil,
	}, until, nil
}

// deleteDatabase drops the site's database and user.
func (r *Reconciler) deleteDatabase(ctx context.Context, d *v1alpha1.Domain) error {
	mine, err := r.holds(ctx, d)
	if err != nil || !mine {
		return err
	}
	if !enabled(d.Spec.Database.Enabled) && d.Status.Database == nil {
		return operator.Done("Disabled", "There was no database.")
	}
	err = r.dropDatabase(ctx, d)
	if err == nil {
		r.Databases.forget(d.UID)
		r.Kube.Known.Forget(d.UID)
		r.Edge.drop(d.Spec.DomainName)
		r.Pods.settled(d.Name)
		return operator.Done("Deleted", "The database and its user are gone.")
	}
	if released(d) {
		return operator.Done("Released", "The database may be left: an administrator released the Domain.")
	}
	return operator.Trouble(databaseRetry, "DatabaseUnreachable",
		"Database %s could not be dropped, since MariaDB does not answer or refuses. It is tried again all the time. To let the Domain go and leave the database behind, annotate it with %s=true.",
		desired.DatabaseName(d.Spec.DomainName), v1alpha1.AnnotationRelease)
}

func (r *Reconciler) dropDatabase(ctx context.Context, d *v1alpha1.Domain) error {
	server, err := r.Databases.Server(ctx)
	if err != nil {
		return err
	}
	site, _, err := r.databaseSite(ctx, d)
	if err != nil {
		// The Secret may be gone with the namespace; the marks say what is ours.
		site = mariadb.Site{
			Name: desired.DatabaseName(d.Spec.DomainName), Mark: desired.DatabaseMark(d.Spec.DomainName),
			Known: d.Status.Database != nil,
		}
	}
	return server.Drop(ctx, site)
}
