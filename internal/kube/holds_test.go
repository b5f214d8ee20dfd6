package kube_test

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kubepanel.io/kubepanel/internal/kube"
)

// wanted is what a reconciler built; live is the same after the API server and
// others wrote to it.
func wanted() *appsv1.Deployment {
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "a", Labels: map[string]string{"k": "v", "empty": ""}},
		Spec: appsv1.DeploymentSpec{
			Replicas: ptr.To[int32](0),
			Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{
				AutomountServiceAccountToken: ptr.To(false),
				Containers: []corev1.Container{{
					Name: "app", Args: []string{"-x", ""},
					Env: []corev1.EnvVar{{Name: "A", Value: "1"}},
					Resources: corev1.ResourceRequirements{Limits: corev1.ResourceList{
						corev1.ResourceCPU: resource.MustParse("1000m"),
					}},
				}},
			}},
		},
	}
}

func live(edit func(*appsv1.Deployment)) *appsv1.Deployment {
	d := wanted()
	d.UID, d.ResourceVersion, d.Generation = "u", "7", 3
	d.Labels["theirs"] = "x"
	d.Spec.RevisionHistoryLimit = ptr.To[int32](10)
	c := &d.Spec.Template.Spec.Containers[0]
	c.ImagePullPolicy = corev1.PullAlways
	c.Resources.Limits[corev1.ResourceCPU] = resource.MustParse("1")
	c.Env = append([]corev1.EnvVar{{Name: "THEIRS"}}, c.Env...)
	d.Spec.Template.Spec.Containers = append([]corev1.Container{{Name: "injected"}}, d.Spec.Template.Spec.Containers...)
	d.Status.Replicas = 5
	if edit != nil {
		edit(d)
	}
	return d
}

func TestHolds(t *testing.T) {
	app := func(d *appsv1.Deployment) *corev1.Container { return &d.Spec.Template.Spec.Containers[1] }
	tests := map[string]struct {
		live client.Object
		want bool
	}{
		"defaults and others' fields do not count": {live(nil), true},
		"another value":           {live(func(d *appsv1.Deployment) { d.Spec.Replicas = ptr.To[int32](1) }), false},
		"false turned to true":    {live(func(d *appsv1.Deployment) { d.Spec.Template.Spec.AutomountServiceAccountToken = ptr.To(true) }), false},
		"false taken away":        {live(func(d *appsv1.Deployment) { d.Spec.Template.Spec.AutomountServiceAccountToken = nil }), false},
		"label taken away":        {live(func(d *appsv1.Deployment) { delete(d.Labels, "k") }), false},
		"empty label filled":      {live(func(d *appsv1.Deployment) { d.Labels["empty"] = "x" }), false},
		"empty label taken away":  {live(func(d *appsv1.Deployment) { delete(d.Labels, "empty") }), false},
		"argument added":          {live(func(d *appsv1.Deployment) { app(d).Args = append(app(d).Args, "-y") }), false},
		"empty argument filled":   {live(func(d *appsv1.Deployment) { app(d).Args[1] = "y" }), false},
		"variable changed":        {live(func(d *appsv1.Deployment) { app(d).Env[1].Value = "2" }), false},
		"variable taken away":     {live(func(d *appsv1.Deployment) { app(d).Env = app(d).Env[:1] }), false},
		"container taken away":    {live(func(d *appsv1.Deployment) { d.Spec.Template.Spec.Containers = d.Spec.Template.Spec.Containers[:1] }), false},
		"quantity changed":        {live(func(d *appsv1.Deployment) { app(d).Resources.Limits[corev1.ResourceCPU] = resource.MustParse("2") }), false},
		"another kind altogether": {&corev1.Pod{}, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := kube.Holds(tt.live, wanted()); got != tt.want {
				t.Errorf("Holds = %v, want %v", got, tt.want)
			}
		})
	}
}

func TestHoldsComparesBytes(t *testing.T) {
	want := &corev1.Secret{Data: map[string][]byte{"a": []byte("x")}}
	if kube.Holds(&corev1.Secret{Data: map[string][]byte{"a": []byte("y")}}, want) {
		t.Error("another value holds")
	}
	if !kube.Holds(&corev1.Secret{Data: map[string][]byte{"a": []byte("x"), "b": nil}}, want) {
		t.Error("a key of somebody else counts")
	}
}
