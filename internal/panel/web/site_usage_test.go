package web_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/hosting"
)

// meter measures the same at all times, or says why it can't.
type meter struct {
	uses map[string]hosting.Use
	err  error
}

// Uses implements hosting.Meter.
func (m meter) Uses(context.Context) (map[string]hosting.Use, error) { return m.uses, m.err }

func TestUseIsMeasuredAndDrawn(t *testing.T) {
	h := newHouse(t)
	h.site("shop.example", nil)
	now := clock.Add(-time.Hour)
	h.rules.Now = func() time.Time { return now }
	h.rules.Panel.Meter = meter{uses: map[string]hosting.Use{"dom-shop.example": {CPU: 250, Memory: 128 << 20}}}
	h.get("/sites/shop.example/usage").want(t, http.StatusOK, "Nothing was measured yet")
	for range 12 {
		h.must(h.rules.Measure(t.Context(), "one"))
		h.must(h.rules.Measure(t.Context(), "two")) // it is not its turn
		now = now.Add(time.Minute)
	}
	h.get("/sites").want(t, http.StatusOK, "Processor of shop.example", "0.25 of 1")
	now = clock
	if page := h.get("/sites"); strings.Contains(page.body, "Processor") {
		t.Error("the list shows what a site used most of an hour ago, want it to leave processor time out")
	}
	h.as = h.jo
	page := h.get("/sites/shop.example/usage")
	page.want(t, http.StatusOK, "Processor (cores)", " UTC</span>", "<polyline", `class="limit"`, "0.25 of 1", "128\u00a0MiB of 512\u00a0MiB", "1.7\u00a0GiB of 5\u00a0GiB", "<td class=\"number end\">0.25</td>")
	if n := strings.Count(page.body, "<polyline"); n != 3 {
		t.Errorf("%d lines are drawn, want three", n)
	}
	h.get("/sites/shop.example/usage?span=month").want(t, http.StatusOK, "<polyline")
}

func TestClusterWithoutMetricsShowsStorageAlone(t *testing.T) {
	h := newHouse(t)
	h.site("shop.example", nil)
	h.rules.Panel.Meter = meter{err: &hosting.Error{Code: hosting.NotInstalled}}
	h.must(h.rules.Measure(t.Context(), "one"))
	page := h.get("/sites/shop.example/usage")
	page.want(t, http.StatusOK, "metrics-server", "1.7\u00a0GiB of 5\u00a0GiB")
	if n := strings.Count(page.body, "<polyline"); n != 1 {
		t.Errorf("%d lines are drawn, want storage's alone", n)
	}
	if page := h.get("/sites"); strings.Contains(page.body, "Processor") {
		t.Error("the list has a column for processor time, want none where it is not measured")
	}
}

// While a site's new pod is not measured its storage is: that is a gap in the two other
// lines and no nothing in their averages, and the list still has what was before.
func TestUnmeasuredMinutesAreNoNothing(t *testing.T) {
	h := newHouse(t)
	h.site("shop.example", nil)
	now := clock.Add(-40 * time.Minute)
	h.rules.Now = func() time.Time { return now }
	for i := range 40 {
		m := meter{}
		if i < 11 || i >= 29 && i < 35 {
			m.uses = map[string]hosting.Use{"dom-shop.example": {CPU: 250, Memory: 128 << 20}}
		}
		h.rules.Panel.Meter = m
		h.must(h.rules.Measure(t.Context(), "one"))
		now = now.Add(time.Minute)
	}
	page := h.get("/sites/shop.example/usage")
	page.want(t, http.StatusOK, "0.25 of 1", "128\u00a0MiB of", `<td class="number end">0.25</td>`)
	if n := strings.Count(page.body, "<polyline"); n != 5 {
		t.Errorf("%d lines are drawn, want two with a gap and one without", n)
	}
	h.get("/sites").want(t, http.StatusOK, "Processor of shop.example", "0.25 of 1")
}

// A site that uses more than it may, or whose limits are no numbers, is drawn all the same.
func TestPlotsTakeWhateverIsMeasured(t *testing.T) {
	h := newHouse(t)
	h.site("shop.example", func(d *v1alpha1.Domain) { d.Spec.Resources.Limits.CPU = "lots" })
	h.rules.Panel.Meter = meter{uses: map[string]hosting.Use{"dom-shop.example": {CPU: 9000, Memory: 900 << 30}}}
	h.must(h.rules.Measure(t.Context(), "one"))
	if page := h.get("/sites/shop.example/usage"); page.code != http.StatusOK || strings.Contains(page.body, "NaN") || strings.Contains(page.body, "Inf") {
		t.Errorf("the page = %d: %.2000s", page.code, page.body)
	}
}
