package domain_test

import (
	"crypto/rand"
	"database/sql"
	"fmt"
	"slices"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/desired"
)

func TestAccessToADatabase(t *testing.T) {
	w := newWorld(t)
	stop := w.startOperator(t)
	site := newDomain("look.example")
	w.create(t, site)
	w.condition(t, site.Name, v1alpha1.ConditionDatabaseProvisioned, metav1.ConditionTrue, "")
	v := &visits{world: w, site: site.Name}

	t.Run("opens, and goes with its object", v.comesAndGoes)
	t.Run("goes when it expires", v.expires)
	t.Run("belongs into the site's namespace", v.elsewhere)
	t.Run("goes while the site is suspended", v.suspended)
	t.Run("is kept by few at once", v.crowded)
	t.Run("what a killed operator left is removed", func(sub *testing.T) {
		v.killed(sub, stop, func() { w.startOperator(t) })
	})
	t.Run("is gone with the site", v.deleted)
}

// visits are the accesses of one site.
type visits struct {
	*world
	site string
}

// ask makes an access and returns it with its password.
func (v *visits) ask(t *testing.T, name string, change func(*v1alpha1.DatabaseAccess)) (*v1alpha1.DatabaseAccess, string) {
	t.Helper()
	password := rand.Text()
	root := v.mariadb.Root()
	defer root.Close() // nothing to lose
	a := &v1alpha1.DatabaseAccess{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: desired.Namespace(v.site)},
		Spec:       v1alpha1.DatabaseAccessSpec{DomainName: v.site, ExpiresAt: metav1.NewTime(time.Now().Add(time.Hour))},
	}
	if err := root.QueryRowContext(t.Context(), "SELECT PASSWORD(?)", password).Scan(&a.Spec.PasswordHash); err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(a)
	}
	v.create(t, a)
	return a, password
}

// phase waits until an access has one.
func (v *visits) phase(t *testing.T, a *v1alpha1.DatabaseAccess, want v1alpha1.DatabaseAccessPhase) {
	t.Helper()
	eventually(t, func() error {
		if err := cluster.Client.Get(t.Context(), client.ObjectKeyFromObject(a), a); err != nil {
			return err
		}
		if a.Status.Phase != want || (a.Status.Username != "") != (want == v1alpha1.DatabaseAccessOpen) {
			return errorf("status of access %s = %+v, want %s", a.Name, a.Status, want)
		}
		return nil
	})
}

// as returns the database as the visitor sees it.
func (v *visits) as(a *v1alpha1.DatabaseAccess, password string) *sql.DB {
	return v.mariadb.As(a.Status.Username, password, desired.DatabaseName(v.site))
}

// accounts are the visitors' names on the server.
func (v *visits) accounts(t *testing.T) (names []string) {
	t.Helper()
	root := v.mariadb.Root()
	defer root.Close() // nothing to lose
	rows, err := root.QueryContext(t.Context(), "SELECT User FROM mysql.user WHERE User LIKE 'visitor%'")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close() // nothing to lose
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	return names
}

// gone waits until an account is not there any more.
func (v *visits) gone(t *testing.T, name string) {
	t.Helper()
	eventually(t, func() error {
		if slices.Contains(v.accounts(t), name) {
			return errorf("account %s is still there", name)
		}
		return nil
	})
}

func (v *visits) remove(t *testing.T, a *v1alpha1.DatabaseAccess) {
	t.Helper()
	if err := cluster.Client.Delete(t.Context(), a); client.IgnoreNotFound(err) != nil {
		t.Fatal(err)
	}
	eventually(t, func() error { // no finalizer keeps it
		if err := cluster.Client.Get(t.Context(), client.ObjectKeyFromObject(a), &v1alpha1.DatabaseAccess{}); !apierrors.IsNotFound(err) {
			return errorf("access %s after its deletion: %v", a.Name, err)
		}
		return nil
	})
}

func (v *visits) comesAndGoes(t *testing.T) {
	a, password := v.ask(t, "first", nil)
	v.phase(t, a, v1alpha1.DatabaseAccessOpen)
	db := v.as(a, password)
	if _, err := db.ExecContext(t.Context(), "CREATE TABLE post (id INT)"); err != nil {
		t.Errorf("a visitor can't work: %v", err)
	}
	reader, readerPassword := v.ask(t, "reader", func(a *v1alpha1.DatabaseAccess) { a.Spec.ReadOnly = true })
	v.phase(t, reader, v1alpha1.DatabaseAccessOpen)
	if _, err := v.as(reader, readerPassword).ExecContext(t.Context(), "SELECT * FROM post"); err != nil {
		t.Errorf("a reader can't read: %v", err)
	}
	if _, err := v.as(reader, readerPassword).ExecContext(t.Context(), "INSERT INTO post VALUES (1)"); err == nil {
		t.Error("a reader writes")
	}
	v.remove(t, a)
	v.gone(t, a.Status.Username)
	if err := v.as(reader, readerPassword).PingContext(t.Context()); err != nil {
		t.Errorf("another's leaving ended an access: %v", err)
	}
	v.remove(t, reader)
	v.gone(t, reader.Status.Username)
}

func (v *visits) expires(t *testing.T) {
	a, _ := v.ask(t, "short", nil)
	v.phase(t, a, v1alpha1.DatabaseAccessOpen)
	a.Spec.ExpiresAt = metav1.NewTime(time.Now().Add(2 * time.Second))
	if err := cluster.Client.Update(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	v.gone(t, a.Status.Username)
	eventually(t, func() error {
		if err := cluster.Client.Get(t.Context(), client.ObjectKeyFromObject(a), a); !apierrors.IsNotFound(err) {
			return errorf("the expired access is still there: %v", err)
		}
		return nil
	})
}

func (v *visits) elsewhere(t *testing.T) {
	a, _ := v.ask(t, "elsewhere", func(a *v1alpha1.DatabaseAccess) { a.Namespace = "default" })
	v.phase(t, a, v1alpha1.DatabaseAccessRefused)
	nobody, _ := v.ask(t, "nobody", func(a *v1alpha1.DatabaseAccess) {
		a.Namespace, a.Spec.DomainName = "default", "nobody.example"
	})
	v.phase(t, nobody, v1alpha1.DatabaseAccessRefused)
	v.remove(t, a)
	v.remove(t, nobody)
	if names := v.accounts(t); len(names) > 0 {
		t.Errorf("refused accesses left %v", names)
	}
}

func (v *visits) suspended(t *testing.T) {
	a, password := v.ask(t, "suspended", nil)
	v.phase(t, a, v1alpha1.DatabaseAccessOpen)
	name := a.Status.Username
	v.change(t, v.site, func(d *v1alpha1.Domain) { d.Spec.Suspended = true })
	v.gone(t, name)
	v.phase(t, a, v1alpha1.DatabaseAccessRefused)
	v.change(t, v.site, func(d *v1alpha1.Domain) { d.Spec.Suspended = false })
	v.phase(t, a, v1alpha1.DatabaseAccessOpen)
	if err := v.as(a, password).PingContext(t.Context()); err != nil {
		t.Errorf("the site is back and the access is not: %v", err)
	}
	v.remove(t, a)
	v.gone(t, name)
}

func (v *visits) crowded(t *testing.T) {
	var all []*v1alpha1.DatabaseAccess
	for i := range 10 {
		a, _ := v.ask(t, fmt.Sprintf("crowd-%02d", i), nil)
		v.phase(t, a, v1alpha1.DatabaseAccessOpen)
		all = append(all, a)
	}
	// creationTimestamp has seconds: one of the same second may be served first.
	eventually(t, func() error {
		if time.Since(all[9].CreationTimestamp.Time) < time.Second {
			return errorf("the same second as the last one's")
		}
		return nil
	})
	late, _ := v.ask(t, "late", nil)
	v.phase(t, late, v1alpha1.DatabaseAccessRefused)
	v.remove(t, all[0])
	v.phase(t, late, v1alpha1.DatabaseAccessOpen)
	for _, a := range append(all, late) {
		v.remove(t, a)
	}
	eventually(t, func() error {
		if names := v.accounts(t); len(names) > 0 {
			return errorf("%v are left", names)
		}
		return nil
	})
}

// killed removes an object while no operator runs, and leaves another half made.
func (v *visits) killed(t *testing.T, stop, start func()) {
	a, _ := v.ask(t, "orphan", nil)
	v.phase(t, a, v1alpha1.DatabaseAccessOpen)
	stop()
	v.remove(t, a)
	half, password := v.ask(t, "half", nil)
	root := v.mariadb.Root()
	defer root.Close() // nothing to lose
	if _, err := root.ExecContext(t.Context(), "CREATE USER ?@'%' IDENTIFIED BY 'other'", "visitor-"+string(half.UID)); err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(v.accounts(t), a.Status.Username) {
		t.Fatal("the account went without an operator; this test tests nothing")
	}
	start()
	v.gone(t, a.Status.Username)
	v.phase(t, half, v1alpha1.DatabaseAccessOpen)
	if _, err := v.as(half, password).ExecContext(t.Context(), "SELECT * FROM post"); err != nil {
		t.Errorf("an access that an operator had begun: %v", err)
	}
	v.remove(t, half)
	v.gone(t, half.Status.Username)
}

func (v *visits) deleted(t *testing.T) {
	a, _ := v.ask(t, "last", nil)
	v.phase(t, a, v1alpha1.DatabaseAccessOpen)
	if err := cluster.Client.Delete(t.Context(), get(t, &v1alpha1.Domain{}, "", v.site)); err != nil {
		t.Fatal(err)
	}
	v.gone(t, a.Status.Username)
}
