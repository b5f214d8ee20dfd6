package domain_test

import (
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/desired"
)

// No watch tells of what happens in MariaDB or at the edge: the slow look alone
// finds it, mends what it can and says what it can't.
func TestTheSlowLookFindsWhatNoWatchTellsOf(t *testing.T) {
	w := newWorld(t)
	w.resync, w.only = 2*time.Second, "slow.example"
	w.startOperator(t)
	d := newDomain("slow.example")
	w.create(t, d)
	w.serve(t, d.Name)
	w.condition(t, d.Name, v1alpha1.ConditionReady, metav1.ConditionTrue, "")
	writes := w.writes.count()
	if len(w.writes.since(0, d.Name)) == 0 {
		t.Fatal("no write is counted, so none could be missed")
	}

	name := desired.DatabaseName(d.Spec.DomainName)
	password := string(get(t, &corev1.Secret{}, desired.Namespace(d.Name), desired.SecretDatabase).Data[desired.KeyPassword])
	root := w.mariadb.Root()
	defer root.Close() // what it did is seen
	for _, drift := range []string{
		"REVOKE ALL PRIVILEGES ON `" + name + "`.* FROM '" + name + "'@'%'",
		"ALTER USER '" + name + "'@'%' IDENTIFIED BY 'chosen-behind-its-back'",
		"DROP USER '" + name + "'@'%'",
		"DROP DATABASE `" + name + "`",
	} {
		if _, err := root.ExecContext(t.Context(), drift); err != nil {
			t.Fatal(err)
		}
		eventually(t, func() error {
			db := w.mariadb.As(name, password, name)
			defer db.Close() // what it did is of no use to anybody
			_, err := db.ExecContext(t.Context(), "CREATE OR REPLACE TABLE mended (a INT)")
			return err
		})
		// The look that mended it may still be at work, and rightly says so if its account
		// goes while it does: it is over once the next one has come to the edge.
		looks := w.handshakes.Load()
		eventually(t, func() error {
			if more := w.handshakes.Load() - looks; more < 2 {
				return fmt.Errorf("%d looks since, want 2", more)
			}
			return nil
		})
	}
	if made := w.writes.since(writes, d.Name); len(made) != 0 {
		t.Errorf("%d writes to the API server, want none, since nothing there had changed: %q", len(made), made)
	}

	w.stranger.Store(true)
	w.condition(t, d.Name, v1alpha1.ConditionCertificateReady, metav1.ConditionFalse, "BadCertificate")
}
