package program_test

import (
	"fmt"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/desired"
)

// drift deletes and edits one object of every kind by hand, one after the other,
// and takes the time until it is back.
func (r *bench) drift(b *testing.B) {
	name := domainName(1)
	ns, site := desired.Namespace(name), desired.ObjectName(name)
	for _, o := range []client.Object{
		&appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: site}}, &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: desired.ServiceName(name)}},
		&networkingv1.Ingress{ObjectMeta: metav1.ObjectMeta{Name: site}}, &networkingv1.NetworkPolicy{ObjectMeta: metav1.ObjectMeta{Name: "site"}},
		&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "nginx-config"}}, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: desired.SecretDatabase}},
		&corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Name: "site"}},
	} {
		o.SetNamespace(ns)
		must(b, r.client.Get(b.Context(), client.ObjectKeyFromObject(o), o))
		r.Drift.Edited = append(r.Drift.Edited, r.until(b, o, r.edit))
		r.Drift.Deleted = append(r.Drift.Deleted, r.until(b, o, r.delete))
	}
	r.settle(b)
}

// until does something to an object and returns the seconds until it is mended.
func (r *bench) until(b *testing.B, o client.Object, do func(*testing.B, client.Object) (mended func() error)) float64 {
	mended := do(b, o)
	start := time.Now()
	for end := start.Add(r.patience); ; time.Sleep(2 * time.Millisecond) {
		err := mended()
		if err == nil {
			return time.Since(start).Seconds()
		}
		if time.Now().After(end) {
			b.Fatal(err)
		}
	}
}

// edit takes our labels' owner away, which every kind has.
func (r *bench) edit(b *testing.B, o client.Object) func() error {
	patch := client.RawPatch("application/merge-patch+json", []byte(`{"metadata":{"labels":{"`+v1alpha1.LabelDomain+`":null}}}`))
	must(b, r.client.Patch(b.Context(), o, patch))
	return func() error {
		if err := r.client.Get(b.Context(), client.ObjectKeyFromObject(o), o); err != nil {
			return err
		}
		if o.GetLabels()[v1alpha1.LabelDomain] == "" {
			return fmt.Errorf("the label of %T %s is not put back", o, o.GetName())
		}
		return nil
	}
}

func (r *bench) delete(b *testing.B, o client.Object) func() error {
	was := o.GetUID()
	must(b, r.client.Delete(b.Context(), o))
	return func() error {
		err := r.client.Get(b.Context(), client.ObjectKeyFromObject(o), o)
		if err == nil && o.GetUID() == was {
			return fmt.Errorf("%T %s is still the old one", o, o.GetName())
		}
		return err
	}
}

// remove deletes a tenth of the Domains at once.
func (r *bench) remove(b *testing.B) {
	r.Remove.Domains = max(1, r.n/10)
	r.audit.read(b)
	cpu := r.operator.cpu(b)
	start := time.Now()
	each(b, 1, r.Remove.Domains+1, func(name string) error {
		return r.client.Delete(b.Context(), &v1alpha1.Domain{ObjectMeta: metav1.ObjectMeta{Name: name}})
	})
	for i := range r.Remove.Domains {
		r.eventually(b, r.patience, func() error {
			err := r.client.Get(b.Context(), client.ObjectKey{Name: domainName(i + 1)}, &v1alpha1.Domain{})
			if apierrors.IsNotFound(err) {
				return nil
			}
			return fmt.Errorf("%s is still there: %w", domainName(i+1), err)
		})
	}
	r.Remove.Seconds = time.Since(start).Seconds()
	asked, _ := r.settle(b)
	r.Remove.CPUPerDomain = (r.operator.cpu(b) - cpu).Seconds() / float64(r.Remove.Domains)
	r.Remove.count(asked, r.Remove.Domains)
}
