package kube

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	serializer "k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
)

// encodedList is a list of as many Secrets as the API server sends it.
func encodedList(t testing.TB, n int) []byte {
	t.Helper()
	list := &corev1.SecretList{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "SecretList"}, ListMeta: metav1.ListMeta{ResourceVersion: "7", Continue: "c"},
	}
	for i := range n {
		list.Items = append(list.Items, corev1.Secret{ObjectMeta: metav1.ObjectMeta{
			Name: fmt.Sprintf("s-%d", i), ManagedFields: []metav1.ManagedFieldsEntry{{Manager: "m"}},
		}, Data: map[string][]byte{"a": []byte("b")}})
	}
	var out bytes.Buffer
	if err := serializer.NewSerializer(clientgoscheme.Scheme, clientgoscheme.Scheme).Encode(list, &out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestItemsAreCutOutOfAList(t *testing.T) {
	for _, n := range []int{0, 1, 3} {
		all := &items{read: ReadParts(&corev1.Secret{})}
		rest, err := cutItems(bytes.NewReader(encodedList(t, n)), all.take)
		if err != nil {
			t.Fatal(err)
		}
		out, _, err := serializer.NewSerializer(clientgoscheme.Scheme, clientgoscheme.Scheme).Decode(rest, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		list, ok := out.(*corev1.SecretList)
		if !ok || list.ResourceVersion != "7" || list.Continue != "c" || len(list.Items) != 0 {
			t.Errorf("of %d items the rest is %+v, want the list without any", n, out)
		}
		for i, o := range all.objects {
			s, ok := o.(*corev1.Secret)
			if !ok || s.Name != fmt.Sprintf("s-%d", i) || string(s.Data["a"]) != "b" || s.ManagedFields != nil {
				t.Errorf("item %d of %d is %+v", i, n, o)
			}
		}
		if len(all.objects) != n {
			t.Errorf("%d items were cut out, want %d", len(all.objects), n)
		}
	}
}

// A list of which the end is missing is none: what it lacks would count as removed.
func TestHalfAListIsNone(t *testing.T) {
	whole := encodedList(t, 3)
	for size := range len(whole) {
		n := 0
		_, err := cutItems(bytes.NewReader(whole[:size]), func([]byte) error { n++; return nil })
		if err == nil && n < 3 {
			t.Errorf("the first %d of %d bytes, with %d items, are taken for a list", size, len(whole), n)
		}
	}
}

func FuzzCutItems(f *testing.F) {
	f.Add(encodedList(f, 2))
	f.Add(encodedList(f, 0))
	readers := []Reader{ReadSums(&corev1.ConfigMap{}), ReadParts(&corev1.Pod{}, 10), ReadSums(&corev1.ResourceQuota{})}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, read := range readers {
			all := &items{read: read}
			rest, err := cutItems(bytes.NewReader(data), all.take)
			if err != nil {
				continue
			}
			again, err := cutItems(bytes.NewReader(rest), func([]byte) error { return fmt.Errorf("an item is left") })
			if err != nil || !strings.HasPrefix(string(again), listWord) {
				t.Errorf("what is left of %q is %q: %v", data, rest, err)
			}
			for _, o := range all.objects {
				if o == runtime.Object(nil) {
					t.Errorf("an item of %q became nothing", data)
				}
			}
		}
	})
}
