package kube

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kjson "sigs.k8s.io/json"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// textList is a list of Domains as the API server sends it.
const textList = `{"apiVersion":"kubepanel.io/v1alpha1","items":[` +
	`{"apiVersion":"kubepanel.io/v1alpha1","kind":"Domain","metadata":{"name":"a","managedFields":[{"manager":"m","fieldsV1":{"f:spec":{}}}]},"spec":{"domainName":"a.example"}},` +
	`{"metadata":{"name":"b"},"Metadata":{"name":"c"},"of":["a later version"]}` +
	`],"kind":"DomainList","metadata":{"continue":"c","resourceVersion":"7"}}` + "\n"

func cutDomains(text string) (all *items, rest []byte, err error) {
	all = &items{like: &v1alpha1.Domain{}}
	rest, err = cutText(strings.NewReader(text), all.takeText)
	return all, rest, err
}

func TestItemsAreCutOutOfText(t *testing.T) {
	all, rest, err := cutDomains(textList)
	if err != nil {
		t.Fatal(err)
	}
	var left v1alpha1.DomainList
	if err := json.Unmarshal(rest, &left); err != nil {
		t.Fatal(err)
	}
	want := v1alpha1.DomainList{
		TypeMeta: metav1.TypeMeta{APIVersion: "kubepanel.io/v1alpha1", Kind: "DomainList"},
		ListMeta: metav1.ListMeta{ResourceVersion: "7", Continue: "c"}, Items: []v1alpha1.Domain{},
	}
	if !reflect.DeepEqual(left, want) {
		t.Errorf("what is left is %+v, want %+v", left, want)
	}
	compareWithDecoder(t, textList, all)
}

func TestATransformIsOfTextToo(t *testing.T) {
	all := &items{like: &v1alpha1.Domain{}, keep: Slim}
	if _, err := cutText(strings.NewReader(textList), all.takeText); err != nil {
		t.Fatal(err)
	}
	if d, ok := all.objects[0].(*v1alpha1.Domain); !ok || d.ManagedFields != nil || d.Spec.DomainName != "a.example" {
		t.Errorf("the first item is %+v, want a.example without who wrote which field", all.objects[0])
	}
}

func TestAListOfNothing(t *testing.T) {
	for _, text := range []string{`{"items":[]}`, `{"items":null}`} {
		if all, rest, err := cutDomains(text); err != nil || len(all.objects) > 0 || string(rest) != `{"items":[]}` {
			t.Errorf("of %s %d items were cut and %s is left: %v", text, len(all.objects), rest, err)
		}
	}
}

// compareWithDecoder wants the same objects that the list's own decoder makes.
func compareWithDecoder(t *testing.T, text string, got *items) {
	t.Helper()
	var want v1alpha1.DomainList
	if err := kjson.UnmarshalCaseSensitivePreserveInts([]byte(text), &want); err != nil {
		t.Fatalf("%q was read, and its decoder says: %v", text, err)
	}
	if len(got.objects) != len(want.Items) {
		t.Fatalf("of %q %d items were cut, want %d", text, len(got.objects), len(want.Items))
	}
	for i := range want.Items {
		if !reflect.DeepEqual(got.objects[i], &want.Items[i]) {
			t.Errorf("item %d of %q is\n%+v, want\n%+v", i, text, got.objects[i], want.Items[i])
		}
	}
}

// A list of which the end is missing is none: what it lacks would count as removed.
func TestHalfATextIsNone(t *testing.T) {
	for size := range len(textList) - 1 { // it ends with a line
		if _, _, err := cutDomains(textList[:size]); err == nil {
			t.Errorf("the first %d bytes are taken for a list", size)
		}
	}
}

func TestWhatIsNoListIsRefused(t *testing.T) {
	for _, text := range []string{`[]`, `{}`, `{"items":{}}`, `null`, `{"items":[1]}`, `{"items":[{}]]`, `{"metadata":{}}`, "k8s\x00"} {
		if _, rest, err := cutDomains(text); err == nil {
			t.Errorf("%s is taken for a list; the rest is %s", text, rest)
		}
	}
}

func FuzzCutText(f *testing.F) {
	f.Add(textList)
	f.Add(`{"items":[]}`)
	f.Add(`{"items":[{"metadata":{"name":"\ud800"}}],"items":[{}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		all, rest, err := cutDomains(text)
		if err != nil {
			return
		}
		if !json.Valid(rest) {
			t.Errorf("of %q this is left: %q", text, rest)
		}
		if !json.Valid([]byte(text)) || bytes.Count([]byte(text), []byte(`items`)) > 1 {
			return // something follows the list, or its items come twice: no API server sends that
		}
		compareWithDecoder(t, text, all)
	})
}
