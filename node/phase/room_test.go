package phase

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"
)

func TestTheChartsLargestVolumeIsFound(t *testing.T) {
	values, err := os.ReadFile("../../deploy/kubepanel/values.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := largestClaim(values); err != nil || got != (wanted{"mariadb", 10 * gibibyte}) {
		t.Errorf("largestClaim(our chart) = %+v, %v; want MariaDB's 10 GiB", got, err)
	}
	if got, err := largestClaim([]byte("a: {storage: 1Gi}\nb: {storage: 512Mi, c: [1]}\nd: [e]\nf: text\n")); err != nil || got != (wanted{"a", gibibyte}) {
		t.Errorf("largestClaim() = %+v, %v; want a's", got, err)
	}
	if _, err := largestClaim([]byte("a: {storage: much}\n")); err == nil || !strings.Contains(err.Error(), "a.storage") {
		t.Errorf("largestClaim(much) = %v, want an error that names the value", err)
	}
}

func FuzzSizesAreReadOrRefused(f *testing.F) {
	for _, text := range []string{"10Gi", "512Mi", "1Ti", "", "Gi", "-1Gi", "1.5Gi", "99999999999999999999Ti"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n, err := parseSize(text)
		if err == nil && (n%(1<<20) != 0 || strings.TrimLeft(text[:len(text)-2], "0123456789") != "") {
			t.Errorf("parseSize(%q) = %d", text, n)
		}
	})
}

// What no waiting mends is said at once, in a sentence, with the claim's name.
func TestAVolumeWithoutRoomEndsTheWaiting(t *testing.T) {
	item := func(phase, annotations string) string {
		return fmt.Sprintf(`{"items": [{"metadata": {"name": "data-mariadb-0", "annotations": {%s}},
			"spec": {"resources": {"requests": {"storage": "10Gi"}}}, "status": {"phase": %q}}]}`, annotations, phase)
	}
	told := fmt.Sprintf("%q: %q", roomBytes, "7945689497")
	tests := map[string]struct{ list, want string }{
		"refused":          {item("Pending", told), "volume data-mariadb-0 asks for 10Gi and 7.4 GiB can be had at most"},
		"being made":       {item("Pending", ""), ""},
		"made after all":   {item("Bound", told), ""},
		"somebody's words": {item("Pending", fmt.Sprintf("%q: %q", roomBytes, "none")), ""},
	}
	for about, test := range tests {
		t.Run(about, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, test.list) }))
			defer server.Close()
			n := node(t)
			n.api = &client{server: server.URL, http: server.Client()}
			tries := 0
			err := await(t.Context(), time.Hour, func(ctx context.Context) error { tries++; return n.noRoom(ctx, "any") })
			if (err == nil) != (test.want == "") || tries != 1 {
				t.Fatalf("after %d looks: %v, want %q", tries, err, test.want)
			}
			if err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("it says %q, want %q in it", err, test.want)
			}
		})
	}
}

func TestAwaitTriesWhatMayMendItself(t *testing.T) {
	tries := 0
	err := await(t.Context(), time.Hour, func(context.Context) error {
		if tries++; tries < 3 {
			return errors.New("not yet")
		}
		return nil
	})
	if err != nil || tries != 3 {
		t.Errorf("await = %v after %d tries, want none after 3", err, tries)
	}
}
