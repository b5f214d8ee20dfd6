package lab

import (
	"context"
	"fmt"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// volumes is a namespace of plain Kubernetes objects, as an administrator writes them: none of it is a site's.
type volumes struct {
	*cluster
	namespace string
	image     string
}

// TestSnapshotsAndClonesByPlainObjects: a claim from a VolumeSnapshot holds what was there then, a claim from a claim
// what is there now, and both go their own way. Pods have user namespaces and an fsGroup, as sites have.
func TestSnapshotsAndClonesByPlainObjects(t *testing.T) {
	v := openCluster(t).newVolumes(t, "lab-volumes")
	v.claim(t, "origin", nil)
	v.pod(t, "origin")
	v.write(t, "origin", "then")
	v.snapshot(t, "before", "origin")
	v.write(t, "origin", "now")
	group := "snapshot.storage.k8s.io"
	v.claim(t, "restored", &corev1.TypedLocalObjectReference{APIGroup: &group, Kind: "VolumeSnapshot", Name: "before"})
	v.claim(t, "clone", &corev1.TypedLocalObjectReference{Kind: "PersistentVolumeClaim", Name: "origin"})
	for name, want := range map[string]string{"restored": "then", "clone": "now"} {
		v.pod(t, name)
		if got := v.read(t, name); got != want {
			t.Errorf("%s holds %q, want %q", name, got, want)
		}
		v.write(t, name, "its own")
	}
	if got := v.read(t, "origin"); got != "now" {
		t.Errorf("after writing to its copies the origin holds %q, want \"now\"", got)
	}
}

// newVolumes makes an empty namespace, after removing what an earlier run left of it.
func (c *cluster) newVolumes(t testing.TB, name string) volumes {
	t.Helper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"pod-security.kubernetes.io/enforce": "restricted"}}}
	v := volumes{cluster: c, namespace: name}
	if err := v.remove(t.Context()); err != nil {
		t.Fatalf("remove what an earlier run left of %s: %v", name, err)
	}
	var driver appsv1.DaemonSet
	if err := c.Get(t.Context(), client.ObjectKey{Namespace: "kube-system", Name: "csi-btrfs"}, &driver); err != nil {
		t.Fatal(err)
	}
	v.image = driver.Spec.Template.Spec.Containers[0].Image // any with coreutils
	if err := c.Create(t.Context(), namespace); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), goneLimit)
		defer cancel()
		if err := v.remove(ctx); err != nil {
			t.Errorf("remove %s after the test: %v", name, err)
		}
	})
	return v
}

func (v volumes) remove(ctx context.Context) error {
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: v.namespace}}
	if err := client.IgnoreNotFound(v.Delete(ctx, namespace)); err != nil {
		return err
	}
	return within(ctx, goneLimit, func(ctx context.Context) error {
		err := v.Get(ctx, client.ObjectKeyFromObject(namespace), namespace)
		if apierrors.IsNotFound(err) {
			return nil
		}
		return stillThere("namespace "+v.namespace, err)
	})
}

// claim asks for a volume, empty or from something.
func (v volumes) claim(t testing.TB, name string, from *corev1.TypedLocalObjectReference) {
	t.Helper()
	claim := &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Namespace: v.namespace, Name: name},
		Spec: corev1.PersistentVolumeClaimSpec{
			AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			DataSource:  from,
			Resources:   corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("64Mi")}},
		},
	}
	if err := v.Create(t.Context(), claim); err != nil {
		t.Fatal(err)
	}
}

// snapshot takes one and waits until it can be used.
func (v volumes) snapshot(t testing.TB, name, of string) {
	t.Helper()
	snapshot := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "snapshot.storage.k8s.io/v1", "kind": "VolumeSnapshot",
		"metadata": map[string]any{"namespace": v.namespace, "name": name},
		"spec":     map[string]any{"source": map[string]any{"persistentVolumeClaimName": of}},
	}}
	if err := v.Create(t.Context(), snapshot); err != nil {
		t.Fatal(err)
	}
	eventually(t, "snapshot "+name+" can be used", settleLimit, func(ctx context.Context) error {
		if err := v.Get(ctx, client.ObjectKeyFromObject(snapshot), snapshot); err != nil {
			return err
		}
		if ready, _, _ := unstructured.NestedBool(snapshot.Object, "status", "readyToUse"); !ready {
			return fmt.Errorf("its status is %v", snapshot.Object["status"])
		}
		return nil
	})
}

// pod starts one that has the claim of its name at /data, and waits for it.
func (v volumes) pod(t testing.TB, name string) {
	t.Helper()
	yes, no, user := true, false, int64(10000)
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: v.namespace, Name: name, Labels: map[string]string{"volume": name}},
		Spec: corev1.PodSpec{
			HostUsers:                     &no,
			AutomountServiceAccountToken:  &no,
			TerminationGracePeriodSeconds: new(int64),
			SecurityContext: &corev1.PodSecurityContext{
				RunAsNonRoot: &yes, RunAsUser: &user, RunAsGroup: &user, FSGroup: &user,
				SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
			},
			Containers: []corev1.Container{{
				Name: "main", Image: v.image, ImagePullPolicy: corev1.PullNever, Command: []string{"sleep", "infinity"},
				SecurityContext: &corev1.SecurityContext{AllowPrivilegeEscalation: &no, Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}}},
				VolumeMounts:    []corev1.VolumeMount{{Name: "data", MountPath: "/data"}},
			}},
			Volumes: []corev1.Volume{{Name: "data", VolumeSource: corev1.VolumeSource{
				PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: name},
			}}},
		},
	}
	if err := v.Create(t.Context(), pod); err != nil {
		t.Fatal(err)
	}
	eventually(t, "pod "+name+" runs", settleLimit, func(ctx context.Context) error {
		_, err := v.runningPod(ctx, v.namespace, client.MatchingLabels{"volume": name})
		return err
	})
}

// write writes the page, and looks whether it is there: of a hundred commands that get
// their input by the API server's exec three got none of it, on a busy node and with
// kubectl as well (docs/roadmap.md).
func (v volumes) write(t testing.TB, name, text string) {
	t.Helper()
	const tries = 5
	for range tries {
		v.in(t, name, text, "dd", "of=/data/page", "conv=fsync", "status=none")
		if v.read(t, name) == text {
			return
		}
	}
	t.Fatalf("%s can't be written", name)
}

func (v volumes) read(t testing.TB, name string) string {
	t.Helper()
	return v.in(t, name, "", "cat", "/data/page")
}

func (v volumes) in(t testing.TB, name, input string, command ...string) string {
	t.Helper()
	pod, err := v.runningPod(t.Context(), v.namespace, client.MatchingLabels{"volume": name})
	if err != nil {
		t.Fatal(err)
	}
	out, err := v.execute(t.Context(), pod, "main", strings.NewReader(input), command...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
