package domain_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kubepanel.io/kubepanel/api/platform"
	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/desired"
)

// Fault of the original: my-site.com and my.site.com shared everything.
func noCollision(t *testing.T, w *world) {
	a, b := newDomain("my-site.example"), newDomain("my.site.example")
	w.create(t, a, b)
	for _, d := range []*v1alpha1.Domain{a, b} {
		w.condition(t, d.Name, v1alpha1.ConditionDatabaseProvisioned, metav1.ConditionTrue, "")
		get(t, d, "", d.Name)
	}
	if a.Status.Namespace == b.Status.Namespace || a.Status.Database.Name == b.Status.Database.Name {
		t.Errorf("%s and %s share namespace %s or database %s", a.Name, b.Name, a.Status.Namespace, a.Status.Database.Name)
	}
	password := get(t, &corev1.Secret{}, a.Status.Namespace, "db-credentials").Data["password"]
	if w.mariadb.As(a.Status.Database.Username, string(password), b.Status.Database.Name).Ping() == nil {
		t.Error("one site opens the other's database")
	}
}

func nameTaken(t *testing.T, w *world) {
	first := newDomain("taken.example")
	first.Spec.Aliases = []v1alpha1.DomainAlias{{Name: "alias-taken.example"}}
	w.create(t, first)
	w.condition(t, first.Name, v1alpha1.ConditionNamespaceReady, metav1.ConditionTrue, "")
	same := newDomain("taken.example")
	same.Name = "taken-again"
	alias := newDomain("alias-taken.example")
	w.create(t, same, alias)
	for _, d := range []*v1alpha1.Domain{same, alias} {
		c := w.condition(t, d.Name, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonNameTaken)
		if !strings.Contains(c.Message, first.Name) {
			t.Errorf("message %q does not say whose the name is", c.Message)
		}
	}
	err := cluster.Client.Get(t.Context(), client.ObjectKey{Name: desired.Namespace(alias.Name)}, &corev1.Namespace{})
	if !apierrors.IsNotFound(err) {
		t.Errorf("something was made for a Domain whose name is taken: %v", err)
	}
	// Who never had the name takes nothing along when it goes.
	if err := cluster.Client.Delete(t.Context(), same); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error { return gone(t, &v1alpha1.Domain{}, "", same.Name) })
	if ns := get(t, &corev1.Namespace{}, "", desired.Namespace(first.Name)); ns.DeletionTimestamp != nil {
		t.Error("deleting the loser removed the winner's namespace")
	}
	w.condition(t, first.Name, v1alpha1.ConditionDatabaseProvisioned, metav1.ConditionTrue, "")
	// An older Domain can't take a name from the one who lives under it.
	w.change(t, "ready.example", func(d *v1alpha1.Domain) { d.Spec.Aliases = []v1alpha1.DomainAlias{{Name: first.Name}} })
	w.condition(t, "ready.example", v1alpha1.ConditionNamespaceReady, metav1.ConditionFalse, v1alpha1.ReasonNameTaken)
	w.condition(t, first.Name, v1alpha1.ConditionNamespaceReady, metav1.ConditionTrue, "")
	w.change(t, "ready.example", func(d *v1alpha1.Domain) { d.Spec.Aliases = nil })
	w.condition(t, "ready.example", v1alpha1.ConditionNamespaceReady, metav1.ConditionTrue, "")
	// What is given up is free at once.
	w.change(t, first.Name, func(d *v1alpha1.Domain) { d.Spec.Aliases = nil })
	w.condition(t, alias.Name, v1alpha1.ConditionNamespaceReady, metav1.ConditionTrue, "")
}

func refuses(t *testing.T, w *world) {
	tests := map[string]struct {
		edit func(*v1alpha1.Domain)
		want string
	}{
		"version": {func(d *v1alpha1.Domain) { d.Spec.Workload.Version = "5.3" }, "7.4, 8.2, 8.4"},
		"type":    {func(d *v1alpha1.Domain) { d.Spec.Workload.Type = "cobol" }, "php"},
		"zone":    {func(d *v1alpha1.Domain) { d.Spec.Timezone = "Mars/Olympus" }, "Mars/Olympus"},
		"memory":  {func(d *v1alpha1.Domain) { d.Spec.Resources.Limits.Memory = "16Mi" }, "spec.resources"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			d := newDomain("refused-" + name + ".example")
			tt.edit(d)
			w.create(t, d)
			c := w.condition(t, d.Name, v1alpha1.ConditionStalled, metav1.ConditionTrue, "InvalidSpec")
			if !strings.Contains(c.Message, tt.want) {
				t.Errorf("message = %q, want it to say %q", c.Message, tt.want)
			}
			if err := gone(t, &corev1.Namespace{}, "", desired.Namespace(d.Name)); err != nil {
				t.Error(err)
			}
			if got := get(t, d, "", d.Name).Status.Phase; got != v1alpha1.DomainPending {
				t.Errorf("phase = %s, want Pending", got)
			}
		})
	}
	d := newDomain("setting.example")
	d.Spec.Workload.Settings = map[string]v1alpha1.Setting{"colour": "green"}
	w.create(t, d)
	c := w.condition(t, d.Name, v1alpha1.ConditionConfigMapReady, metav1.ConditionFalse, "UnknownSetting")
	if !strings.Contains(c.Message, "colour") {
		t.Errorf("message = %q", c.Message)
	}
	w.condition(t, d.Name, v1alpha1.ConditionDatabaseProvisioned, metav1.ConditionTrue, "")
	node := newDomain("way.example")
	node.Spec.Workload = v1alpha1.WorkloadSpec{Type: "nodejs", Version: "20", ProxyMode: v1alpha1.ProxyUWSGI}
	w.create(t, node)
	c = w.condition(t, node.Name, v1alpha1.ConditionConfigMapReady, metav1.ConditionFalse, "UnknownSetting")
	if !strings.Contains(c.Message, "does not speak uwsgi") {
		t.Errorf("message = %q", c.Message)
	}
}

func foreignNamespace(t *testing.T, w *world) {
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: desired.Namespace("stranger.example")}}
	d := newDomain("stranger.example")
	w.create(t, ns, d)
	w.condition(t, d.Name, v1alpha1.ConditionNamespaceReady, metav1.ConditionFalse, "NamespaceTaken")
	if len(get(t, ns, "", ns.Name).OwnerReferences) != 0 {
		t.Error("a stranger's namespace was taken over")
	}
	if err := cluster.Client.Delete(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error { return gone(t, &v1alpha1.Domain{}, "", d.Name) })
	if get(t, ns, "", ns.Name).DeletionTimestamp != nil {
		t.Error("a stranger's namespace was removed")
	}
}

func foreignDatabase(t *testing.T, w *world) {
	root := w.mariadb.Root()
	defer root.Close() // nothing to lose
	name := desired.DatabaseName("guest.example")
	if _, err := root.ExecContext(t.Context(), "CREATE DATABASE `"+name+"`"); err != nil {
		t.Fatal(err)
	}
	d := newDomain("guest.example")
	w.create(t, d)
	c := w.condition(t, d.Name, v1alpha1.ConditionDatabaseProvisioned, metav1.ConditionFalse, "DatabaseTaken")
	if !strings.Contains(c.Message, name) {
		t.Errorf("message = %q", c.Message)
	}
	w.removePod(t, d.Name)
	if err := cluster.Client.Delete(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error { return gone(t, &v1alpha1.Domain{}, "", d.Name) })
	if n := w.left(t, "guest.example"); n != 1 {
		t.Errorf("of a stranger's one database %d things are left, want 1", n)
	}
}

// Fault of the original: root's database password lay in every tenant's namespace.
func noPlatformSecret(t *testing.T, w *world) {
	root := get(t, &corev1.Secret{}, w.settings.Namespace, platform.SecretMariaDBRoot).Data["password"]
	account := get(t, &corev1.Secret{}, w.settings.Namespace, platform.SecretMariaDBOperator).Data["password"]
	ca := get(t, &corev1.Secret{}, w.settings.Namespace, platform.SecretCA).Data[corev1.TLSPrivateKeyKey]
	var list corev1.SecretList
	if err := cluster.Client.List(t.Context(), &list); err != nil {
		t.Fatal(err)
	}
	for _, s := range list.Items {
		for key, value := range s.Data {
			if s.Namespace != w.settings.Namespace && (bytes.Contains(value, root) || bytes.Contains(value, account) || bytes.Contains(value, ca)) {
				t.Errorf("%s/%s holds a secret of the platform under %s", s.Namespace, s.Name, key)
			}
		}
	}
}

func followsPassword(t *testing.T, w *world) {
	const name, ns = "ready.example", "dom-ready-example"
	user := desired.DatabaseName(name)
	secret := get(t, &corev1.Secret{}, ns, "db-credentials")
	secret.Data["password"] = []byte("chosen by hand")
	if err := cluster.Client.Update(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error { return w.mariadb.As(user, "chosen by hand", user).Ping() })
	if err := cluster.Client.Delete(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		if err := cluster.Client.Get(t.Context(), client.ObjectKeyFromObject(secret), secret); err != nil {
			return err
		}
		return w.mariadb.As(user, string(secret.Data["password"]), user).Ping()
	})
	sftp := get(t, &corev1.Secret{}, ns, "sftp-credentials")
	if !bytes.HasPrefix(sftp.Data["passwordHash"], []byte("sha256:")) {
		t.Errorf("the hash of a password that was made up is %q", sftp.Data["passwordHash"])
	}
	sftp.Data["password"] = []byte("mine")
	if err := cluster.Client.Update(t.Context(), sftp); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		if err := cluster.Client.Get(t.Context(), client.ObjectKeyFromObject(sftp), sftp); err != nil {
			return err
		}
		if string(sftp.Data["password"]) != "mine" || bcrypt.CompareHashAndPassword(sftp.Data["passwordHash"], []byte("mine")) != nil {
			return errors.New("the hash does not follow the password")
		}
		return nil
	})
}

// gone tells whether an object is not there any more.
func gone(t *testing.T, o client.Object, namespace, name string) error {
	err := cluster.Client.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: name}, o)
	if apierrors.IsNotFound(err) {
		return nil
	}
	return errorf("%T %s is still there (%v)", o, name, err)
}

// left counts what MariaDB has of a site.
func (w *world) left(t *testing.T, domain string) (n int) {
	t.Helper()
	root := w.mariadb.Root()
	defer root.Close() // nothing to lose
	name := desired.DatabaseName(domain)
	err := root.QueryRowContext(t.Context(), "SELECT (SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ?)"+
		" + (SELECT COUNT(*) FROM mysql.user WHERE User = ?)", name, name).Scan(&n)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
