package v1alpha1_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"kubepanel.io/kubepanel/internal/kubetest"
)

var yamlBlock = regexp.MustCompile("(?s)```yaml\n(.*?)```")

// What a reader copies from the reference has to work.
func TestExamplesOfTheReferenceAreAccepted(t *testing.T) {
	root, err := kubetest.Root()
	if err != nil {
		t.Fatal(err)
	}
	pages, err := filepath.Glob(filepath.Join(root, "docs/kinds/intro/*.md"))
	if err != nil {
		t.Fatal(err)
	}
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "dom-shop-example"}}
	if err := cluster.Client.Create(t.Context(), namespace); err != nil {
		t.Fatal(err)
	}
	strict := client.WithFieldValidation(cluster.Client, metav1.FieldValidationStrict)
	examples := 0
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range yamlBlock.FindAllSubmatch(text, -1) {
			examples++
			object := &unstructured.Unstructured{}
			if err := yaml.Unmarshal(block[1], &object.Object); err != nil {
				t.Fatalf("%s: %v", page, err)
			}
			if err := strict.Create(t.Context(), object, client.DryRunAll); err != nil {
				t.Errorf("%s: %v", page, err)
			}
		}
	}
	if want := len(readCRDs(t)); examples < want {
		t.Errorf("%d examples, want one for each of %d kinds", examples, want)
	}
}
