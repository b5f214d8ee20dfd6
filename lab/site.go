package lab

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// goneLimit is how long a deleted site may take to leave nothing behind: a pod
// has 10 s to end, and the namespace is emptied after that.
const goneLimit = 2 * time.Minute

// settleLimit is how long a change may take until it is live: a pod that ends,
// a pod that starts.
const settleLimit = 2 * time.Minute

// site is one site of a journey.
type site struct {
	*cluster
	name string
}

// newSite makes a site with the CLI and waits until it is live. It is deleted
// after the test; a test that failed says first how the site was.
func (c *cluster) newSite(t testing.TB, name string, flags ...string) site {
	t.Helper()
	s := c.expectSite(t, name)
	c.kubepanel(t, append([]string{"site", "create", name, "--wait"}, flags...)...).must(t)
	return s
}

// expected are the names of all sites of this run and the test that each is of:
// journeys run beside each other, and one would delete the other's site.
var expected sync.Map

// expectSite prepares for a site that the test itself makes: nothing is left of
// an earlier run, and nothing will be left of this one.
func (c *cluster) expectSite(t testing.TB, name string) site {
	t.Helper()
	s := site{cluster: c, name: name}
	if other, taken := expected.LoadOrStore(name, t.Name()); taken && other != t.Name() {
		t.Fatalf("%s is the site of %s, which may run beside this one; take another name", name, other)
	}
	if err := s.remove(t.Context()); err != nil {
		t.Fatalf("remove what an earlier run left of %s: %v", name, err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), commandLimit)
		defer cancel()
		if t.Failed() {
			s.report(ctx, t)
		}
		// Nobody waits for it here: that it leaves nothing is a journey of its own.
		if err := s.askToGo(ctx); err != nil {
			t.Errorf("delete %s after the test: %v", name, err)
		}
	})
	return s
}

// askToGo deletes the Domain without waiting for what follows.
func (s site) askToGo(ctx context.Context) error {
	d := &v1alpha1.Domain{ObjectMeta: metav1.ObjectMeta{Name: s.name}}
	return client.IgnoreNotFound(s.Delete(ctx, d))
}

// remove deletes the site and waits until the Domain is gone.
func (s site) remove(ctx context.Context) error {
	if err := s.askToGo(ctx); err != nil {
		return err
	}
	return within(ctx, goneLimit, func(ctx context.Context) error {
		d, err := s.domain(ctx)
		if apierrors.IsNotFound(err) {
			return nil
		}
		if err != nil {
			return err
		}
		return fmt.Errorf("it is still there: %s", summary(d))
	})
}

// calm waits until what earlier tests left is gone, so that a clock measures one
// thing only.
func (c *cluster) calm(t testing.TB) {
	t.Helper()
	eventually(t, "earlier sites are gone", goneLimit, func(ctx context.Context) error {
		var list v1alpha1.DomainList
		if err := c.List(ctx, &list); err != nil {
			return err
		}
		for _, d := range list.Items {
			if d.DeletionTimestamp != nil {
				return fmt.Errorf("%s is still being deleted", d.Name)
			}
		}
		return nil
	})
}

func (s site) domain(ctx context.Context) (*v1alpha1.Domain, error) {
	d := &v1alpha1.Domain{}
	return d, s.Get(ctx, client.ObjectKey{Name: s.name}, d)
}

// state returns the Domain of a site that has to be there.
func (s site) state(t testing.TB) *v1alpha1.Domain {
	t.Helper()
	d, err := s.domain(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// namespace is read from status, as everybody should: only the operator knows it.
func (s site) namespace(t testing.TB) string {
	t.Helper()
	namespace := s.state(t).Status.Namespace
	if namespace == "" {
		t.Fatalf("%s: status.namespace is empty", s.name)
	}
	return namespace
}

// url is the public address, without a slash at the end.
func (s site) url() string { return s.settings.Edge.URL(s.name) }

// secret reads one of the site's Secrets.
func (s site) secret(t testing.TB, name string) map[string]string {
	t.Helper()
	var secret corev1.Secret
	if err := s.Get(t.Context(), client.ObjectKey{Namespace: s.namespace(t), Name: name}, &secret); err != nil {
		t.Fatal(err)
	}
	values := map[string]string{}
	for key, value := range secret.Data {
		values[key] = string(value)
	}
	return values
}

// pod returns the site's pod, waiting for one that is ready.
func (s site) pod(t testing.TB) *corev1.Pod {
	t.Helper()
	namespace := s.namespace(t)
	var pod *corev1.Pod
	eventually(t, "a ready pod of "+s.name, settleLimit, func(ctx context.Context) (err error) {
		pod, err = s.runningPod(ctx, namespace, nil)
		return err
	})
	return pod
}

// php runs a script in the site's app container, as the site's own program
// would run, and returns what it printed.
func (s site) php(t testing.TB, script string, args ...string) string {
	t.Helper()
	out, err := s.execute(t.Context(), s.pod(t), "app", strings.NewReader(script), append([]string{"php", "--"}, args...)...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// put writes a file of the site, given relative to the document root.
func (s site) put(t testing.TB, path, content string) {
	t.Helper()
	const script = `file_put_contents('/var/www/html/' . $argv[1], stream_get_contents(STDIN)) !== false || exit(1);`
	_, err := s.execute(t.Context(), s.pod(t), "app", strings.NewReader(content), "php", "-r", script, "--", path)
	if err != nil {
		t.Fatal(err)
	}
}

// becomes waits until a condition of the site has a status and returns it.
func (s site) becomes(t testing.TB, condition string, status metav1.ConditionStatus, limit time.Duration) metav1.Condition {
	t.Helper()
	var found metav1.Condition
	eventually(t, fmt.Sprintf("%s: %s is %s", s.name, condition, status), limit, func(ctx context.Context) error {
		d, err := s.domain(ctx)
		if err != nil {
			return err
		}
		have := meta.FindStatusCondition(d.Status.Conditions, condition)
		if have == nil || have.Status != status || d.Status.ObservedGeneration != d.Generation {
			return fmt.Errorf("it is %s", summary(d))
		}
		found = *have
		return nil
	})
	return found
}

// summary tells a Domain's state on one line.
func summary(d *v1alpha1.Domain) string {
	parts := []string{fmt.Sprintf("phase %s at generation %d of %d", d.Status.Phase, d.Status.ObservedGeneration, d.Generation)}
	for _, c := range d.Status.Conditions {
		if c.Status != metav1.ConditionTrue || c.Type == v1alpha1.ConditionReady {
			parts = append(parts, fmt.Sprintf("%s=%s (%s: %s)", c.Type, c.Status, c.Reason, c.Message))
		}
	}
	return strings.Join(parts, "; ")
}

// change edits the Domain as somebody with kubectl would.
func (s site) change(t testing.TB, edit func(*v1alpha1.Domain)) {
	t.Helper()
	d := s.state(t)
	// A patch, so that the operator's writing in between is no conflict.
	patch := client.MergeFrom(d.DeepCopy())
	edit(d)
	if err := s.Patch(t.Context(), d, patch); err != nil {
		t.Fatalf("change %s: %v", s.name, err)
	}
}
