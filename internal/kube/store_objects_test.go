package kube_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kubepanel.io/kubepanel/internal/kubetest"
)

// ensure makes an object that is gone after the test, in a namespace that is
// there.
func ensure(t *testing.T, o client.Object) {
	t.Helper()
	if o.GetNamespace() != "" {
		err := cluster.Client.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: o.GetNamespace()}})
		if err != nil && !apierrors.IsAlreadyExists(err) {
			t.Fatal(err)
		}
	}
	if err := cluster.Client.Create(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cluster.Client.Delete(context.Background(), o, client.GracePeriodSeconds(0)); err != nil {
			t.Error(err)
		}
	})
}

func secret(name string, data map[string]string) *corev1.Secret {
	return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: systemNamespace, Name: name}, StringData: data}
}

func withSettings(t *testing.T, text string) *corev1.ConfigMap {
	t.Helper()
	file := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: systemNamespace, Name: "kubepanel-platform"},
		Data:       map[string]string{"platform.yaml": text},
	}
	ensure(t, file)
	return file
}

// platformFile is a platform.yaml that is right.
func platformFile(t *testing.T) string {
	t.Helper()
	root, err := kubetest.Root()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(root, "api/platform/testdata/platform.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
