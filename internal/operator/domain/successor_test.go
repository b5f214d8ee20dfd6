package domain_test

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/desired"
)

// A new operator believes what the last one found on MariaDB, but not of a spec or a
// password that changed meanwhile.
func TestANewOperatorSeesWhatChangedWhileNoneRan(t *testing.T) {
	w := newWorld(t)
	stop := w.startOperator(t)
	children, password := newDomain("children.example"), newDomain("password.example")
	w.create(t, children, password)
	for _, d := range []*v1alpha1.Domain{children, password} {
		w.condition(t, d.Name, v1alpha1.ConditionDatabaseProvisioned, metav1.ConditionTrue, "")
	}
	stop()

	w.change(t, children.Name, func(d *v1alpha1.Domain) {
		d.Spec.Workload.Settings = map[string]v1alpha1.Setting{"fpmMaxChildren": "7"}
	})
	secret := get(t, &corev1.Secret{}, desired.Namespace(password.Name), desired.SecretDatabase)
	secret.Data["password"] = []byte("chosen-by-hand")
	if err := cluster.Client.Update(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
	w.startOperator(t)

	own := get(t, &corev1.Secret{}, desired.Namespace(children.Name), desired.SecretDatabase).Data["password"]
	eventually(t, func() error {
		name, limit := desired.DatabaseName(children.Name), 0
		db := w.mariadb.As(name, string(own), name)
		defer db.Close() // it was only read
		if err := db.QueryRowContext(t.Context(), "SELECT @@max_user_connections").Scan(&limit); err != nil {
			return err
		}
		if want := 17; limit != want { // children and ten
			return errorf("the user may hold %d connections, want %d", limit, want)
		}
		return nil
	})
	eventually(t, func() error {
		name := desired.DatabaseName(password.Name)
		db := w.mariadb.As(name, "chosen-by-hand", name)
		defer db.Close() // nothing was asked
		return db.PingContext(t.Context())
	})
}
