package domain_test

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/desired"
	"kubepanel.io/kubepanel/internal/kube"
)

// An operator that starts compares nothing of a site that is as the last one found it,
// tells all the same how the site is, and mends what was changed while none ran.
func TestANewOperatorComparesOnlyWhatIsNotAsItWasFound(t *testing.T) {
	const name = "found.example"
	ns := desired.Namespace(name)
	w := newWorld(t)
	w.only = name // what is counted is counted over all sites
	stop := w.startOperator(t)
	w.create(t, newDomain(name))
	w.serve(t, name)
	w.condition(t, name, v1alpha1.ConditionReady, metav1.ConditionTrue, "")
	stop()
	digest := get(t, &v1alpha1.Domain{}, "", name).Status.Digest
	if digest == "" {
		t.Fatal("the site is ready and its status has no digest")
	}

	claim := get(t, &corev1.PersistentVolumeClaim{}, ns, desired.VolumeName)
	metav1.SetMetaDataAnnotation(&claim.ObjectMeta, v1alpha1.AnnotationUsedBytes, "104857600")
	update(t, claim)
	w.counts = &kube.Counts{}
	stop = w.startOperator(t)
	eventually(t, func() error {
		if s := get(t, &v1alpha1.Domain{}, "", name).Status.Storage; s == nil || s.Used != "100Mi" {
			return errorf("the status says of the volume %+v", s)
		}
		return nil
	})
	if n := w.counts.Unchanged.Load() + w.counts.Applied.Load() + w.counts.Created.Load(); n != 0 {
		t.Errorf("%d objects were compared or written, want none", n)
	}
	stop()

	site := get(t, &appsv1.Deployment{}, ns, desired.ObjectName(name))
	image := site.Spec.Template.Spec.Containers[0].Image
	site.Spec.Template.Spec.Containers[0].Image = "other.example/image"
	update(t, site)
	w.startOperator(t)
	eventually(t, func() error {
		if got := get(t, site, ns, site.Name).Spec.Template.Spec.Containers[0].Image; got != image {
			return errorf("the site's image is %s, want %s", got, image)
		}
		return nil
	})
	w.serve(t, name)
	eventually(t, func() error {
		if got := get(t, &v1alpha1.Domain{}, "", name).Status.Digest; got != digest {
			return errorf("mended, its digest is %q, want %q as before", got, digest)
		}
		return nil
	})
}

func update(t *testing.T, o client.Object) {
	t.Helper()
	if err := cluster.Client.Update(t.Context(), o); err != nil {
		t.Fatal(err)
	}
}
