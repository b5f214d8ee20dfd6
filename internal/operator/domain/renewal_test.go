package domain_test

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/desired"
)

// TestPasswordOfADatabaseIsRenewedWithoutAGap: what reads the old one from its file goes on
// until it has the new one, over the death of the operator at the worst moment too.
func TestPasswordOfADatabaseIsRenewedWithoutAGap(t *testing.T) {
	w := newWorld(t)
	w.only = "renewed.example"
	stop := w.startOperator(t)
	d := newDomain(w.only)
	metav1.SetMetaDataAnnotation(&d.ObjectMeta, v1alpha1.AnnotationPasswordAskedAt, "before it was made")
	w.create(t, d)
	w.condition(t, w.only, v1alpha1.ConditionDatabaseProvisioned, metav1.ConditionTrue, "")
	ns, name := desired.Namespace(w.only), desired.DatabaseName(w.only)
	secret := func() *corev1.Secret { return get(t, &corev1.Secret{}, ns, desired.SecretDatabase) }
	good := func(password string) bool {
		db := w.mariadb.As(name, password, name)
		defer db.Close() // a site has only so many connections
		return db.Ping() == nil
	}
	ask := func(at string) {
		w.change(t, w.only, func(d *v1alpha1.Domain) {
			metav1.SetMetaDataAnnotation(&d.ObjectMeta, v1alpha1.AnnotationPasswordAskedAt, at)
		})
	}
	first := string(secret().Data[desired.KeyPassword])
	if secret().Data[desired.KeyPrevious] != nil || !good(first) {
		t.Error("a database that is new has two passwords, or none that is good")
	}

	ask("at noon")
	w.condition(t, w.only, v1alpha1.ConditionDatabaseProvisioned, metav1.ConditionTrue, "Renewed")
	s := secret()
	second := string(s.Data[desired.KeyPassword])
	if second == first || string(s.Data[desired.KeyPrevious]) != first || !good(first) || !good(second) {
		t.Errorf("the first password is good: %v, the second, which is another: %v: %v", good(first), second != first, good(second))
	}
	until, err := time.Parse(time.RFC3339, s.Annotations[v1alpha1.AnnotationPreviousUntil])
	if left := time.Until(until); err != nil || left < 8*time.Minute || left > 10*time.Minute {
		t.Errorf("the one before is good for %s, %v", left, err)
	}

	// The operator dies between the Secret and MariaDB, and the next one is asked for a third.
	stop()
	root := w.mariadb.Root()
	defer root.Close() // what it wrote was answered
	if _, err := root.ExecContext(t.Context(), "ALTER USER `"+name+"`@'%' IDENTIFIED BY '"+first+"'"); err != nil {
		t.Fatal(err)
	}
	ask("a minute later")
	w.startOperator(t)
	eventually(t, func() error {
		if !good(second) || !good(first) {
			return errorf("MariaDB does not know both passwords")
		}
		return nil
	})
	if got := string(secret().Data[desired.KeyPassword]); got != second {
		t.Error("a third password was made while the pod may have the first")
	}

	// The time is over: the first one is worth nothing, and the third is made.
	metav1.SetMetaDataAnnotation(&s.ObjectMeta, v1alpha1.AnnotationPreviousUntil, time.Now().Add(-time.Second).UTC().Format(time.RFC3339))
	s.ResourceVersion = ""
	if err := cluster.Client.Patch(t.Context(), s, client.MergeFrom(secret())); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		s := secret()
		third := string(s.Data[desired.KeyPassword])
		if third == second || string(s.Data[desired.KeyPrevious]) != second || !good(third) || !good(second) || good(first) {
			return errorf("the first password is good: %v, the second %v, the third, which is another: %v: %v", good(first), good(second), third != second, good(third))
		}
		return nil
	})
	s = secret()
	third, before := string(s.Data[desired.KeyPassword]), s.DeepCopy()
	metav1.SetMetaDataAnnotation(&s.ObjectMeta, v1alpha1.AnnotationPreviousUntil, "2026-01-01T00:00:00Z")
	if err := cluster.Client.Patch(t.Context(), s, client.MergeFrom(before)); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		s := secret()
		if good(second) || !good(third) || s.Data[desired.KeyPrevious] != nil {
			return errorf("after the renewal the second password is good: %v, the third: %v; %d keys", good(second), good(third), len(s.Data))
		}
		return nil
	})
	w.condition(t, w.only, v1alpha1.ConditionDatabaseProvisioned, metav1.ConditionTrue, "Satisfied")
}
