package domain_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kubepanel.io/kubepanel/api/platform"
	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/desired"
)

func errorf(format string, args ...any) error { return fmt.Errorf(format, args...) }

func show(c *metav1.Condition) string {
	if c == nil {
		return "nothing"
	}
	return fmt.Sprintf("%s %s (%s)", c.Status, c.Reason, c.Message)
}

func conditions(d *v1alpha1.Domain) string {
	var b strings.Builder
	for _, c := range d.Status.Conditions {
		fmt.Fprintf(&b, "\n  %s %s", c.Type, show(&c))
	}
	return b.String()
}

// TestPlatform runs everything in one world, one after the other: a real MariaDB
// takes a second to start.
func TestPlatform(t *testing.T) {
	w := newWorld(t)
	w.startOperator(t)
	run := func(name string, test func(*testing.T, *world)) {
		t.Run(name, func(t *testing.T) { test(t, w) })
	}
	run("the platform's secrets are made once and never overwritten", platformSecrets)
	run("a domain becomes ready when everything answers", becomesReady)
	run("an unchanged reconcile asks for nothing", asksNothing)
	run("a domain costs few requests", fewRequests)
	run("drift of every owned object is mended", mendsDrift)
	run("what others add stays and is no drift", othersMayAdd)
	run("what an earlier version made is removed", removesFormer)
	run("changes of the spec are applied", appliesChanges)
	run("a changed configuration is taken over without a restart", takesConfigurationOver)
	run("a new operator asks no pod again", asksNobodyAgain)
	run("Ready falls back when the world changes", fallsBack)
	run("a change of one site touches no other", disturbsNoNeighbour)
	run("an international name becomes ready", internationalName)
	run("every condition falls back and returns", tellsTheTruth)
	run("names that look alike do not collide", noCollision)
	run("a name is one site's alone", nameTaken)
	run("what cannot be had is refused with a sentence", refuses)
	run("a stranger's namespace is not adopted", foreignNamespace)
	run("a stranger's database is not adopted", foreignDatabase)
	run("no secret of the platform is in a tenant's namespace", noPlatformSecret)
	run("a changed database password is followed", followsPassword)
	run("pod troubles are told with cause and mend", podTroubles)
	run("a node that is gone is told", lostNode)
	run("a node's full disk is told", fullDisk)
	run("cron jobs are made, mended, run and removed", cronJobs)
	run("a suspended site has no pod", suspends)
	run("a restart makes another pod", restarts)
	run("MariaDB going and coming is told and mended", databaseOutage)
	run("deletion leaves nothing", deletes)
	run("deletion waits for MariaDB, and an administrator can release it", releases)
}

func platformSecrets(t *testing.T, w *world) {
	key := client.ObjectKey{Namespace: w.settings.Namespace, Name: platform.SecretMariaDBRoot}
	var first, second, account corev1.Secret
	eventually(t, func() error { return cluster.Client.Get(t.Context(), key, &first) })
	if p := string(first.Data["password"]); len(p) != 32 {
		t.Errorf("root's password has %d characters, want 32", len(p))
	}
	get(t, &account, w.settings.Namespace, platform.SecretMariaDBOperator)
	if string(account.Data["password"]) != "operatorsecret" {
		t.Error("an administrator's own Secret was overwritten")
	}
	if err := cluster.Client.Delete(t.Context(), &first); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error { return cluster.Client.Get(t.Context(), key, &second) })
	if string(second.Data["password"]) == string(first.Data["password"]) {
		t.Error("a Secret made anew has the old password")
	}
}

func becomesReady(t *testing.T, w *world) {
	d := newDomain("ready.example")
	d.Spec.WordPress.Preinstall = true
	w.create(t, d)
	w.condition(t, d.Name, v1alpha1.ConditionDatabaseProvisioned, metav1.ConditionTrue, "")
	if c := w.condition(t, d.Name, v1alpha1.ConditionReady, metav1.ConditionFalse, ""); c.Message == "" {
		t.Error("Ready says nothing while it waits")
	}
	if got := get(t, d, "", d.Name).Status.Phase; got != v1alpha1.DomainProvisioning {
		t.Errorf("phase = %s, want Provisioning", got)
	}
	w.serve(t, d.Name)
	w.condition(t, d.Name, v1alpha1.ConditionReady, metav1.ConditionTrue, "")
	get(t, d, "", d.Name)
	s := d.Status
	if s.Phase != v1alpha1.DomainReady || s.Namespace != "dom-ready-example" || s.ObservedGeneration != d.Generation {
		t.Errorf("status = %s in %s at %d", s.Phase, s.Namespace, s.ObservedGeneration)
	}
	if c := s.Certificate; c == nil || time.Until(c.NotAfter.Time) > time.Hour || c.Issuer == "" {
		t.Errorf("certificate = %+v, want the edge's, which lasts an hour", c)
	}
	if s.Endpoints == nil || s.Endpoints.HTTPS != "https://ready.example" {
		t.Errorf("endpoints = %+v", s.Endpoints)
	}
	if s.SFTP == nil || s.SFTP.Port < 30000 || s.SFTP.Host != "192.0.2.10" || s.SFTP.Username == "" {
		t.Errorf("sftp = %+v", s.SFTP)
	}
	if s.Database == nil || s.Database.Name != "dom-ready-example" {
		t.Fatalf("database = %+v", s.Database)
	}
	secret := get(t, &corev1.Secret{}, s.Namespace, s.Database.PasswordSecretRef.Name)
	if err := w.mariadb.As(s.Database.Username, string(secret.Data["password"]), s.Database.Name).Ping(); err != nil {
		t.Errorf("the site can't use its database: %v", err)
	}
	for _, c := range d.Status.Conditions {
		if c.Type != v1alpha1.ConditionReady && c.Status != metav1.ConditionTrue {
			t.Errorf("%s = %s", c.Type, show(&c))
		}
	}
}

// touch makes the operator reconcile a Domain that has nothing new.
func (w *world) touch(t *testing.T, name, mark string) {
	t.Helper()
	w.change(t, name, func(d *v1alpha1.Domain) { d.Annotations = map[string]string{"test/touch": mark} })
}

func asksNothing(t *testing.T, w *world) {
	const looks = 5
	before, asked := w.writes.count(), w.reads.count()
	for i := range looks {
		w.touch(t, "ready.example", fmt.Sprint(i))
		time.Sleep(200 * time.Millisecond) // time in which a write would come
	}
	if made := w.writes.since(before, "ready.example"); len(made) != 0 {
		t.Errorf("five reconciles without news made %d writes, want none: %q", len(made), made)
	}
	// A read for each look would mean that the API server adds something to an object of
	// which the cache has a sum. The platform's own Secrets are read for other reasons too.
	if made := w.reads.since(asked, "ready.example"); len(made) != 0 {
		t.Errorf("five reconciles without news read %q, want nothing", made)
	}
	if made := w.reads.since(asked, w.settings.Namespace); len(made) >= looks {
		t.Errorf("five reconciles without news read %q of the platform's, want nothing at each", made)
	}
}

func fewRequests(t *testing.T, w *world) {
	before := w.requests.Load()
	d := newDomain("cheap.example")
	w.create(t, d)
	w.condition(t, d.Name, v1alpha1.ConditionDatabaseProvisioned, metav1.ConditionTrue, "")
	w.condition(t, d.Name, v1alpha1.ConditionServiceReady, metav1.ConditionTrue, "")
	n := w.requests.Load() - before
	t.Logf("%d requests from nothing to all objects", n)
	if n > 24 {
		t.Errorf("%d requests for one domain, want at most 24", n)
	}
}

func mendsDrift(t *testing.T, w *world) {
	const name, ns, site = "ready.example", "dom-ready-example", "ready-example"
	for _, o := range []client.Object{
		&appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: site}}, &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: site + "-svc"}},
		&corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: site + "-sftp"}}, &networkingv1.Ingress{ObjectMeta: metav1.ObjectMeta{Name: site}},
		&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "nginx-config"}}, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "app-config"}},
		&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "sftp-credentials"}}, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "db-credentials"}},
		&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "wordpress-admin"}},
		&corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Name: "site"}}, &networkingv1.NetworkPolicy{ObjectMeta: metav1.ObjectMeta{Name: "site"}},
	} {
		get(t, o, ns, o.GetName())
		was := o.GetUID()
		if err := cluster.Client.Delete(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		eventually(t, func() error {
			if err := cluster.Client.Get(t.Context(), client.ObjectKey{Namespace: ns, Name: o.GetName()}, o); err != nil {
				return err
			}
			if o.GetUID() == was {
				return errorf("%T %s is still the old one", o, o.GetName())
			}
			return nil
		})
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("a deleted %T %s came back after %s, want 5 s at most", o, o.GetName(), took)
		}
	}
	w.serve(t, name)
	w.condition(t, name, v1alpha1.ConditionReady, metav1.ConditionTrue, "")
	editedDrift(t, ns, site)
}

// editedDrift changes fields of ours and takes labels away.
func editedDrift(t *testing.T, ns, site string) {
	deployment := get(t, &appsv1.Deployment{}, ns, site)
	deployment.Spec.Template.Spec.AutomountServiceAccountToken = ptr.To(true)
	deployment.Spec.Template.Spec.Containers[0].SecurityContext.ReadOnlyRootFilesystem = ptr.To(false)
	if err := cluster.Client.Update(t.Context(), deployment); err != nil {
		t.Fatal(err)
	}
	policy := get(t, &networkingv1.NetworkPolicy{}, ns, "site")
	policy.Spec.Egress = append(policy.Spec.Egress, networkingv1.NetworkPolicyEgressRule{})
	if err := cluster.Client.Update(t.Context(), policy); err != nil {
		t.Fatal(err)
	}
	namespace := get(t, &corev1.Namespace{}, "", ns)
	namespace.Labels = map[string]string{}
	if err := cluster.Client.Update(t.Context(), namespace); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		var d appsv1.Deployment
		var p networkingv1.NetworkPolicy
		var n corev1.Namespace
		err := errors.Join(
			cluster.Client.Get(t.Context(), client.ObjectKey{Namespace: ns, Name: site}, &d),
			cluster.Client.Get(t.Context(), client.ObjectKey{Namespace: ns, Name: "site"}, &p),
			cluster.Client.Get(t.Context(), client.ObjectKey{Name: ns}, &n))
		switch {
		case err != nil:
			return err
		case *d.Spec.Template.Spec.AutomountServiceAccountToken, !*d.Spec.Template.Spec.Containers[0].SecurityContext.ReadOnlyRootFilesystem:
			return errors.New("an edited Deployment is not mended")
		case len(p.Spec.Egress) != 3:
			return errorf("a policy opened by hand is not closed: %d rules", len(p.Spec.Egress))
		case n.Labels["pod-security.kubernetes.io/enforce"] != "restricted":
			return errors.New("Pod Security's label is not put back")
		}
		return nil
	})
}

// Fault of the original: sslRedirect, env, command, args, port or preferredNodes
// changes that were not applied.
func appliesChanges(t *testing.T, w *world) {
	d := newDomain("changes.example")
	w.create(t, d)
	ns, site := desired.Namespace(d.Name), desired.ObjectName(d.Name)
	eventually(t, func() error {
		return cluster.Client.Get(t.Context(), client.ObjectKey{Namespace: ns, Name: site}, &appsv1.Deployment{})
	})
	w.change(t, d.Name, func(d *v1alpha1.Domain) {
		d.Spec.Workload.Version = "8.2"
		d.Spec.Workload.Env = []v1alpha1.EnvVar{{Name: "GREETING", Value: "hello"}}
		d.Spec.Workload.Command, d.Spec.Workload.Args = []string{"run"}, []string{"-x"}
		d.Spec.Workload.Settings = map[string]v1alpha1.Setting{"memoryLimit": "99M"}
		d.Spec.PreferredNodes = []string{"node-7"}
		d.Spec.Webserver.SSLRedirect = ptr.To(false)
		d.Spec.Webserver.ClientMaxBodySize = "7m"
		d.Spec.Webserver.WWWRedirect = v1alpha1.WWWRedirectToWWW
		d.Spec.Aliases = []v1alpha1.DomainAlias{{Name: "other-changes.example"}}
		d.Spec.Resources.Storage = "2Gi"
		d.Spec.Redis.Enabled = true
	})
	eventually(t, func() error {
		var a appsv1.Deployment
		if err := cluster.Client.Get(t.Context(), client.ObjectKey{Namespace: ns, Name: site}, &a); err != nil {
			return err
		}
		pod := a.Spec.Template.Spec
		app := pod.Containers[0]
		switch {
		case !strings.Contains(app.Image, "8.2"):
			return errorf("image = %s", app.Image)
		case !slices.ContainsFunc(app.Env, func(e corev1.EnvVar) bool { return e.Name == "GREETING" && e.Value == "hello" }):
			return errorf("env = %v", app.Env)
		case !slices.Equal(app.Command, []string{"run"}) || !slices.Equal(app.Args, []string{"-x"}):
			return errorf("command = %v %v", app.Command, app.Args)
		case pod.Affinity == nil:
			return errors.New("no affinity")
		case len(pod.Containers) != 4:
			return errors.New("no redis")
		case a.Spec.Template.Annotations[v1alpha1.AnnotationConfigHash] == "":
			return errors.New("a change of what the customer's own command reads would not restart the pod")
		}
		return nil
	})
	eventually(t, func() error {
		var i networkingv1.Ingress
		var c corev1.ConfigMap
		var v corev1.PersistentVolumeClaim
		err := errors.Join(
			cluster.Client.Get(t.Context(), client.ObjectKey{Namespace: ns, Name: site}, &i),
			cluster.Client.Get(t.Context(), client.ObjectKey{Namespace: ns, Name: "app-config"}, &c),
			cluster.Client.Get(t.Context(), client.ObjectKey{Namespace: ns, Name: "data"}, &v))
		switch {
		case err != nil:
			return err
		case i.Annotations[v1alpha1.AnnotationSSLRedirect] != "false" || i.Annotations[v1alpha1.AnnotationWWWRedirect] != "root-to-www" || len(i.Spec.Rules) != 3:
			return errorf("ingress = %v %d", i.Annotations, len(i.Spec.Rules))
		case !strings.Contains(c.Data["zz-kubepanel.ini"], "memory_limit = 99M"):
			return errors.New("memory_limit is not applied")
		}
		return nil
	})
	// What is taken away goes away too.
	w.change(t, d.Name, func(d *v1alpha1.Domain) {
		d.Spec.Redis.Enabled, d.Spec.Workload.Env, d.Spec.PreferredNodes = false, nil, nil
		d.Spec.SFTP.Enabled = ptr.To(false)
	})
	eventually(t, func() error {
		var a appsv1.Deployment
		if err := cluster.Client.Get(t.Context(), client.ObjectKey{Namespace: ns, Name: site}, &a); err != nil {
			return err
		}
		if len(a.Spec.Template.Spec.Containers) != 3 || a.Spec.Template.Spec.Affinity != nil || len(a.Spec.Template.Spec.Containers[0].Env) != 2 {
			return errors.New("what the spec no longer asks for is still there")
		}
		err := cluster.Client.Get(t.Context(), client.ObjectKey{Namespace: ns, Name: site + "-sftp"}, &corev1.Service{})
		if !apierrors.IsNotFound(err) {
			return errorf("the SFTP Service of a site without SFTP: %v", err)
		}
		return nil
	})
}

// Fault of the original: Ready was set once and never looked at again.
func fallsBack(t *testing.T, w *world) {
	const name, ns, site = "ready.example", "dom-ready-example", "ready-example"
	w.serve(t, name)
	w.condition(t, name, v1alpha1.ConditionReady, metav1.ConditionTrue, "")
	deployment := get(t, &appsv1.Deployment{}, ns, site)
	deployment.Status.AvailableReplicas, deployment.Status.ReadyReplicas = 0, 0
	if err := cluster.Client.Status().Update(t.Context(), deployment); err != nil {
		t.Fatal(err)
	}
	w.condition(t, name, v1alpha1.ConditionDeploymentReady, metav1.ConditionFalse, "")
	w.condition(t, name, v1alpha1.ConditionReady, metav1.ConditionFalse, "")
	if got := get(t, &v1alpha1.Domain{}, "", name).Status.Phase; got != v1alpha1.DomainDegraded {
		t.Errorf("phase of a site that lost its pod = %s, want Degraded", got)
	}
	w.serve(t, name)
	w.condition(t, name, v1alpha1.ConditionReady, metav1.ConditionTrue, "")
	if err := cluster.Client.Delete(t.Context(), deployment); err != nil {
		t.Fatal(err)
	}
	w.condition(t, name, v1alpha1.ConditionReady, metav1.ConditionFalse, "")
	w.serve(t, name)
	w.condition(t, name, v1alpha1.ConditionReady, metav1.ConditionTrue, "")
}
