package v1alpha1_test

import (
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"
)

// table is one file of testdata: a valid object of a kind, and what becomes of
// it when parts are changed.
type table struct {
	Base  map[string]any `json:"base"`
	Cases []ruleCase     `json:"cases"`
}

// ruleCase changes the base by a JSON merge patch and says what the API server
// answers: Refused, or else it accepts and, with Spec, completes the spec so.
type ruleCase struct {
	Name    string         `json:"name"`
	Patch   map[string]any `json:"patch,omitempty"`
	Update  map[string]any `json:"update,omitempty"`
	Refused []refusal      `json:"refused,omitempty"`
	Spec    map[string]any `json:"spec,omitempty"`
}

// refusal is a field and a part of the sentence that says what is wrong with it.
type refusal struct {
	Field   string `json:"field"`
	Message string `json:"message"`
}

func tables(t *testing.T) map[string]table {
	t.Helper()
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no tables in testdata: %v", err)
	}
	all := map[string]table{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var read table
		if err := yaml.UnmarshalStrict(text, &read); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all[strings.TrimSuffix(filepath.Base(file), ".yaml")] = read
	}
	return all
}

func TestTheAPIServerHoldsTheRules(t *testing.T) {
	for kind, table := range tables(t) {
		for _, c := range table.Cases {
			t.Run(kind+"/"+c.Name, func(t *testing.T) {
				got, err := answer(t, table.Base, c)
				if len(c.Refused) > 0 {
					checkRefused(t, err, c.Refused)
					return
				}
				if err != nil {
					t.Fatalf("refused: %v", err)
				}
				if c.Spec != nil && !reflect.DeepEqual(normal(t, got.Object["spec"]), normal(t, c.Spec)) {
					text, _ := yaml.Marshal(got.Object["spec"])
					t.Errorf("spec was completed to\n%s", text)
				}
			})
		}
	}
}

// answer asks the API server without keeping anything, except when an update is
// to be refused: then there has to be something to update.
func answer(t *testing.T, base map[string]any, c ruleCase) (*unstructured.Unstructured, error) {
	t.Helper()
	object := patched(t, base, c.Patch)
	if c.Update == nil {
		err := cluster.Client.Create(t.Context(), object, client.DryRunAll)
		return object, err
	}
	if err := cluster.Client.Create(t.Context(), object); err != nil {
		t.Fatalf("create what is to be updated: %v", err)
	}
	defer func() {
		if err := cluster.Client.Delete(t.Context(), object); err != nil {
			t.Error(err)
		}
	}()
	updated := patched(t, object.Object, c.Update)
	err := cluster.Client.Update(t.Context(), updated, client.DryRunAll)
	return updated, err
}

// unchecked is what the API server adds when an object had worse faults than
// those that its rules find.
const unchecked = "some validation rules were not checked"

// checkRefused wants exactly these sentences: a person is to read one for each
// fault, and none that only follows from another.
func checkRefused(t *testing.T, err error, want []refusal) {
	t.Helper()
	status, ok := errors.AsType[*apierrors.StatusError](err)
	if !ok || !apierrors.IsInvalid(err) {
		t.Fatalf("answer = %v, want a refusal: %v", err, want)
	}
	left := slices.Clone(want)
	for _, cause := range status.ErrStatus.Details.Causes {
		if strings.Contains(cause.Message, unchecked) {
			continue
		}
		i := slices.IndexFunc(left, func(r refusal) bool { return matches(cause, r) })
		if i < 0 {
			t.Errorf("refused for a reason that was not expected: %s: %s", cause.Field, cause.Message)
			continue
		}
		left = slices.Delete(left, i, i+1)
	}
	for _, r := range left {
		t.Errorf("not refused: %s: %s", r.Field, r.Message)
	}
}

func matches(cause metav1.StatusCause, r refusal) bool {
	return cause.Field == r.Field && strings.Contains(cause.Message, r.Message)
}

// patched returns base changed by a JSON merge patch (RFC 7396).
func patched(t *testing.T, base, patch map[string]any) *unstructured.Unstructured {
	t.Helper()
	object, ok := normal(t, merge(base, patch)).(map[string]any)
	if !ok {
		t.Fatalf("%v is no object", base)
	}
	return &unstructured.Unstructured{Object: object}
}

func merge(base, patch map[string]any) map[string]any {
	merged := maps.Clone(base)
	if merged == nil {
		merged = map[string]any{}
	}
	for key, value := range patch {
		switch value := value.(type) {
		case nil:
			delete(merged, key)
		case map[string]any:
			below, _ := merged[key].(map[string]any)
			merged[key] = merge(below, value)
		default:
			merged[key] = value
		}
	}
	return merged
}

// normal gives numbers one type, whatever read them.
func normal(t *testing.T, value any) any {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	var out any
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	return out
}
