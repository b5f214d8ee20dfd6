package main

import (
	"compress/gzip"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"kubepanel.io/kubepanel/internal/panel/web"
)

var many = flag.Int("sites", 10_000, "how many sites the panel's benchmark has at its end")

// How long the benchmark asks, and by how many connections at once.
const (
	saturation  = 8 * time.Second
	steadiness  = 15 * time.Second
	steadyRate  = 200 // requests/s
	connections = 8
	asks        = 100 // of each page
	turns       = 20  // of the list with many sites and with few
	resting     = time.Minute
)

// BenchmarkPanel asks a panel with 100, 1,000 and 10,000 sites for its pages and
// prints what that costs. The load comes from this process, on the same processors.
func BenchmarkPanel(b *testing.B) {
	for b.Loop() {
		t := newTown(b)
		f := &findings{}
		t.grow(100)
		o := t.open()
		o.signIn()
		o.close()
		few := t.twin()
		t.grow(1000)
		t.measure()
		o = t.open()
		o.figures(f)
		for range 5 {
			o.close()
			o = t.open()
			f.starts = append(f.starts, o.first)
		}
		o.close()
		t.grow(*many)
		few.measure()
		t.measure()
		o = t.open()
		f.slower, f.dearer = o.beside(few)
		f.manyMemory = o.peak()
		few.close()
		before := o.busy()
		time.Sleep(resting)
		f.atRest = o.busy() - before
		f.show(b, *many)
	}
}

// twin is a panel that goes on with the sites of today, whatever becomes of the town: it
// has a copy of the database, and is told of no change of the cluster.
func (t *town) twin() *office {
	t.Helper()
	twin := *t
	file := filepath.Join(t.TempDir(), "twin.db")
	data, err := os.ReadFile(strings.TrimPrefix(t.database, "sqlite:"))
	must(t, err)
	must(t, os.WriteFile(file, data, 0o600))
	twin.database = "sqlite:" + file
	var news *courier
	news, twin.kubeconfig = newCourier(t)
	o := twin.open()
	news.tarry()
	return o
}

// beside compares the list of one panel with another's, one request after the other: the
// median, and the panel's time of the processor. They are asked in turns, since what was
// done to the API server a moment ago slows down both.
func (o *office) beside(other *office) (median, processor float64) {
	o.Helper()
	offices := []*office{o, other}
	wires := []*wire{o.wires("/sites", 1)[0], other.wires("/sites", 1)[0]}
	var took [2][]time.Duration
	var busy [2]time.Duration
	for _, w := range wires {
		w.after(o, 2*asks) // connections and caches are warm
	}
	for range turns {
		for i, of := range offices {
			before := of.busy()
			took[i] = append(took[i], wires[i].after(o, asks)...)
			busy[i] += of.busy() - before
		}
	}
	for i := range took {
		slices.Sort(took[i])
	}
	return quantile(took[0], 0.5).Seconds() / quantile(took[1], 0.5).Seconds(), busy[0].Seconds() / busy[1].Seconds()
}

// findings are what a run found.
type findings struct {
	saturated         float64 // requests/s
	p50, p99          time.Duration
	statements, asked float64 // of one list: SQL, requests to the API server
	octets            int64   // of the list
	slower, dearer    float64 // the median and the processor's time with many sites beside a hundred
	atRest            time.Duration
	manyMemory        float64 // octets, with many sites
	pages             map[string]time.Duration
	first, script     int64 // octets on the way to the first page
	starts            []time.Duration
	peakMemory        float64
	own, files        float64 // octets of it that are no file's and a file's, after all pages
}

// figures measures a panel with 1,000 sites.
func (o *office) figures(f *findings) {
	o.Helper()
	wires := o.wires("/sites", connections)
	saturate(o, wires, time.Second) // connections and caches are warm
	f.saturated = saturate(o, wires, saturation)
	took := arrive(o, wires, steadyRate, steadiness)
	f.p50, f.p99 = quantile(took, 0.5), quantile(took, 0.99)
	const lists = 100
	statements, asked := o.metric("kubepanel_panel_sql_statements_total"), o.metric("rest_client_requests_total")
	for range lists {
		size, err := wires[0].ask()
		must(o, err)
		f.octets = size
	}
	f.statements = (o.metric("kubepanel_panel_sql_statements_total") - statements) / lists
	f.asked = (o.metric("rest_client_requests_total") - asked) / lists
	f.pages = map[string]time.Duration{}
	for _, path := range o.pages() {
		f.pages[path] = quantile(o.wires(path, 1)[0].after(o, asks), 0.95)
	}
	f.first, f.script = o.firstPage()
	f.peakMemory, f.own, f.files = o.peak(), o.status("RssAnon"), o.status("RssFile")
}

// pages are the addresses of all pages of the panel but those beyond it.
func (o *office) pages() []string {
	o.Helper()
	known := strings.NewReplacer("{$}", "", "{site}", townSite(7), "{user}", string(townUser(7)), "{package}", "package", "{company}", "company", "{application}", "application", "{guide}", "customer")
	var all []string
	for _, pattern := range web.Pages() {
		if slices.ContainsFunc(beyond, func(p string) bool { return strings.HasPrefix(pattern, p) }) {
			continue
		}
		path := known.Replace(pattern)
		if strings.Contains(path, "{") {
			o.Fatalf("the town has nothing for the page %s", pattern)
		}
		all = append(all, path)
	}
	return append(all, "/sites?q=0099", "/palette?q=site")
}

var linked = regexp.MustCompile(`(?:src|href)="(/static/[^"]+)"`)

// firstPage is how many octets a browser without anything kept loads for the list of
// sites, and how many of them are script.
func (o *office) firstPage() (all, script int64) {
	o.Helper()
	page := o.load("/sites", &all)
	paths := slices.Collect(func(yield func(string) bool) {
		for _, m := range linked.FindAllStringSubmatch(page, -1) {
			if !yield(m[1]) {
				return
			}
		}
	})
	slices.Sort(paths)
	for _, path := range slices.Compact(paths) {
		var size int64
		o.load(path, &size)
		all += size
		if filepath.Ext(path) == ".js" {
			script += size
		}
	}
	return all, script
}

// load fetches a file as a browser does, and adds its octets on the way.
func (o *office) load(path string, size *int64) string {
	o.Helper()
	request, err := http.NewRequestWithContext(o.Context(), http.MethodGet, "http://"+o.at+path, http.NoBody)
	must(o, err)
	request.Header.Set("Cookie", o.cookie)
	request.Header.Set("Accept-Encoding", "gzip")
	answer, err := (&http.Transport{}).RoundTrip(request)
	must(o, err)
	defer answer.Body.Close() // it was read
	body, err := io.ReadAll(answer.Body)
	must(o, err)
	*size += int64(len(body))
	if answer.Header.Get("Content-Encoding") != "gzip" {
		return string(body)
	}
	plain, err := gzip.NewReader(strings.NewReader(string(body)))
	must(o, err)
	text, err := io.ReadAll(plain)
	must(o, err)
	return string(text)
}

// show prints the table.
func (f *findings) show(b *testing.B, sites int) {
	b.Helper()
	var out strings.Builder
	row := func(what, goal, format string, v ...any) {
		fmt.Fprintf(&out, "%-66s %14s   %s\n", what, fmt.Sprintf(format, v...), goal)
	}
	row("", "goal", "measured")
	row("1,000 sites, the list as a page of 50, saturated, requests/s", "≥ 1,500", "%.0f", f.saturated)
	row(fmt.Sprintf("at %d requests/s: p50, ms", steadyRate), "", "%.1f", milliseconds(f.p50))
	row("p99, ms", "≤ 20", "%.1f", milliseconds(f.p99))
	row("SQL statements of the list", "≤ 10", "%.1f", f.statements)
	row("requests to the API server of the list", "0", "%.1f", f.asked)
	row("octets of the list, not compressed", "≤ 100,000", "%d", f.octets)
	row(fmt.Sprintf("median of the list with %d sites beside 100", sites), "≤ 1.3", "%.2f", f.slower)
	row("processor's time of it beside 100", "", "%.2f", f.dearer)
	row(fmt.Sprintf("at rest with %d sites, processor s per minute", sites), "", "%.2f", f.atRest.Seconds()*time.Minute.Seconds()/resting.Seconds())
	slowest := ""
	for path, took := range f.pages {
		if took > f.pages[slowest] {
			slowest = path
		}
	}
	row(fmt.Sprintf("p95 of the slowest of %d pages (%s), ms", len(f.pages), slowest), "≤ 20", "%.1f", milliseconds(f.pages[slowest]))
	row("first page with all its files, compressed, octets", "≤ 150,000", "%d", f.first)
	row("script of it, octets", "≤ 60,000", "%d", f.script)
	slices.Sort(f.starts)
	row("start to first answer, median and worst of 5, ms", "≤ 500", "%.0f, %.0f", milliseconds(quantile(f.starts, 0.5)), milliseconds(f.starts[len(f.starts)-1]))
	row("most memory ever, MB", "≤ 100", "%.1f", f.peakMemory/1e6)
	row("at the end of all this: its own, and of its program's file, MB", "", "%.1f, %.1f", f.own/1e6, f.files/1e6)
	row(fmt.Sprintf("most memory with %d sites, MB", sites), "", "%.1f", f.manyMemory/1e6)
	fmt.Println(out.String())
	b.ReportMetric(f.saturated, "requests/s")
	b.ReportMetric(milliseconds(f.p99), "ms/p99")
}
