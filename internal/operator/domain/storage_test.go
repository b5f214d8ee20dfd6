package domain_test

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/desired"
)

// TestGrowingWaitsForTheLargerQuota: the quota allows two volumes of the former size
// until its controller has counted with the new one.
func TestGrowingWaitsForTheLargerQuota(t *testing.T) {
	w := newWorld(t)
	class := &storagev1.StorageClass{ObjectMeta: metav1.ObjectMeta{Name: "grows"}, Provisioner: "example.com/none", AllowVolumeExpansion: ptr.To(true)}
	w.create(t, class)
	w.settings.StorageClass = class.Name
	w.startOperator(t)
	const name = "growing.example"
	w.create(t, newDomain(name))
	w.serve(t, name)
	w.condition(t, name, v1alpha1.ConditionPVCReady, metav1.ConditionTrue, "")
	ns := desired.Namespace(name)
	w.usage(t.Context(), ns) // of 1Gi

	w.change(t, name, func(d *v1alpha1.Domain) { d.Spec.Resources.Storage = "5Gi" })
	w.condition(t, name, v1alpha1.ConditionPVCReady, metav1.ConditionFalse, "Growing")
	if claim := get(t, &corev1.PersistentVolumeClaim{}, ns, desired.VolumeName); claim.Spec.Resources.Requests.Storage().Cmp(resource.MustParse("1Gi")) != 0 {
		t.Fatalf("the claim asks for %s under the former quota: this test tests nothing", claim.Spec.Resources.Requests.Storage())
	}
	w.usage(t.Context(), ns)
	eventually(t, func() error {
		claim := get(t, &corev1.PersistentVolumeClaim{}, ns, desired.VolumeName)
		if claim.Spec.Resources.Requests.Storage().Cmp(resource.MustParse("5Gi")) != 0 {
			quota := get(t, &corev1.ResourceQuota{}, ns, "site")
			return errorf("the claim asks for %s, want 5Gi; quota %+v; %s", claim.Spec.Resources.Requests.Storage(), quota, conditions(get(t, &v1alpha1.Domain{}, "", name)))
		}
		return nil
	})
}

// TestAVolumeThatFillsUpIsTold plays the storage, which tells on the claim.
func TestAVolumeThatFillsUpIsTold(t *testing.T) {
	w := newWorld(t)
	w.startOperator(t)
	const name = "filling.example"
	w.create(t, newDomain(name))
	w.serve(t, name)
	w.condition(t, name, v1alpha1.ConditionPVCReady, metav1.ConditionTrue, "Satisfied")
	claim := get(t, &corev1.PersistentVolumeClaim{}, desired.Namespace(name), desired.VolumeName)
	for _, step := range []struct {
		used   string // MiB
		status metav1.ConditionStatus
		reason string
		says   string
	}{
		{"500", metav1.ConditionTrue, "Satisfied", ""},
		{"973", metav1.ConditionTrue, "VolumeNearlyFull", "973Mi of 1024Mi"},
		{"1020", metav1.ConditionFalse, "VolumeFull", "spec.resources.storage"},
		{"100", metav1.ConditionTrue, "Satisfied", ""},
	} {
		tell(t, claim, step.used)
		c := w.condition(t, name, v1alpha1.ConditionPVCReady, step.status, step.reason)
		if !strings.Contains(c.Message, step.says) {
			t.Errorf("with %s MiB used it says %q, want %q in it", step.used, c.Message, step.says)
		}
		eventually(t, func() error {
			d := get(t, &v1alpha1.Domain{}, "", name)
			if s := d.Status.Storage; s == nil || s.Used != step.used+"Mi" || s.Size != "1Gi" {
				return errorf("status.storage = %+v, want %sMi of 1Gi", s, step.used)
			}
			return nil
		})
	}
}

// TestAVolumeWithoutRoomIsToldAtOnce plays the storage, which tells on the claim: the
// site says so when it hears of it, and not at the next look, and takes it back.
func TestAVolumeWithoutRoomIsToldAtOnce(t *testing.T) {
	w := newWorld(t)
	w.startOperator(t)
	const name = "roomless.example"
	w.create(t, newDomain(name))
	w.condition(t, name, v1alpha1.ConditionPVCReady, metav1.ConditionFalse, "VolumePending")
	claim := get(t, &corev1.PersistentVolumeClaim{}, desired.Namespace(name), desired.VolumeName)
	patch := client.MergeFrom(claim.DeepCopy())
	metav1.SetMetaDataAnnotation(&claim.ObjectMeta, v1alpha1.AnnotationRoomBytes, "524288000")
	if err := cluster.Client.Patch(t.Context(), claim, patch); err != nil {
		t.Fatal(err)
	}
	c := w.condition(t, name, v1alpha1.ConditionPVCReady, metav1.ConditionFalse, "NoRoom")
	for _, want := range []string{"asks for 1Gi", "room for 500Mi at most", "freed or added"} {
		if !strings.Contains(c.Message, want) {
			t.Errorf("the condition says %q, want %q in it", c.Message, want)
		}
	}
	// The scheduler's word for a pod without its volume would send a person to the nodes.
	w.pod(t, name, func(p *corev1.Pod) {
		p.Status.Conditions = []corev1.PodCondition{{
			Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: "Unschedulable",
			Message: "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.",
		}}
	})
	w.condition(t, name, v1alpha1.ConditionDeploymentReady, metav1.ConditionFalse, "WaitsForVolume")
	w.serve(t, name) // with a volume, whatever is still written on the claim
	w.condition(t, name, v1alpha1.ConditionPVCReady, metav1.ConditionTrue, "Satisfied")
}

func tell(t *testing.T, claim *corev1.PersistentVolumeClaim, mebibytes string) {
	t.Helper()
	used := resource.MustParse(mebibytes + "Mi")
	patch := client.MergeFrom(claim.DeepCopy())
	metav1.SetMetaDataAnnotation(&claim.ObjectMeta, v1alpha1.AnnotationUsedBytes, used.AsDec().String())
	if err := cluster.Client.Patch(t.Context(), claim, patch); err != nil {
		t.Fatal(err)
	}
}
