package lab

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// benchSites is how many sites are created one after the other.
const benchSites = 10

// BenchmarkSites creates ten WordPress sites on a warm platform, one after the
// other, and then measures what each costs when nobody visits it.
func BenchmarkSites(b *testing.B) {
	c := openCluster(b)
	// The first site after a start finds images unread and caches empty; a warm
	// platform is what the promise is about.
	visitor := c.newVisitor(b, "127.0.0.1")
	warm := c.newSite(b, "bench-warm.localhost", "--wordpress")
	visitor.must(b, warm.url()+"/")
	c.calm(b)
	for b.Loop() {
		var sites []site
		var totals []float64
		parts := map[string][]float64{}
		for i := range benchSites {
			s := c.expectSite(b, fmt.Sprintf("bench-%d.localhost", i))
			clock := watchSteps(b, s)
			c.kubepanel(b, "site", "create", s.name, "--wordpress", "--wait").must(b)
			visitor.must(b, s.url()+"/")
			took := clock.stop()
			sites = append(sites, s)
			totals = append(totals, took.total.Seconds())
			for part, at := range took.parts {
				parts[part] = append(parts[part], at.Seconds())
			}
		}
		reportCreation(b, totals, parts)
		reportMemory(b, "WordPress", c.measureMemory(b, sites))
	}
}

func reportCreation(b *testing.B, totals []float64, parts map[string][]float64) {
	b.Helper()
	type row struct {
		Step string `json:"step"`
		spread
	}
	var rows []row
	for name, values := range parts {
		rows = append(rows, row{name, spreadOf(values)})
	}
	slices.SortFunc(rows, func(x, y row) int { return cmp.Compare(x.Median, y.Median) })
	rows = append(rows, row{"live over HTTPS", spreadOf(totals)})
	var out strings.Builder
	fmt.Fprintf(&out, "seconds from the command's start until the step was done, %d WordPress sites\n%-22s %8s %8s %8s\n", len(totals), "", "min", "median", "max")
	for _, r := range rows {
		fmt.Fprintf(&out, "%-22s %s\n", r.Step, r.spread)
	}
	show(b, out.String())
	b.ReportMetric(spreadOf(totals).Median, "s/site")
	keepResult(b, "create", map[string]any{"sites": len(totals), "steps": rows, "all": totals})
}

// The front page is asked in rounds, first one server and then the other, so
// that whatever else this computer does hits both.
const (
	frontRounds      = 5
	frontRequests    = 200
	frontConnections = 4
)

// frontTarget is how much of a plain server's rate the whole path must keep.
const frontTarget = 0.9

// BenchmarkFrontPage compares WordPress' front page through the whole path
// (forwarder, edge with TLS, the pod's nginx, FPM) with the same page from the
// same nginx and FPM started by hand, with TLS by that nginx.
func BenchmarkFrontPage(b *testing.B) {
	c := openCluster(b)
	// Limits of the whole computer: what is compared is the path, not a limit.
	c.calm(b)
	s := c.newSite(b, "bench-front.localhost", "--wordpress", "--cpu", fmt.Sprintf("%d", runtime.NumCPU()), "--memory", "2Gi")
	s.put(b, "lab-same.php", `<?php echo json_encode([PHP_VERSION, PHP_SAPI, get_loaded_extensions(), array_diff_key(ini_get_all(null, false), ['error_log' => 1]),
	(opcache_get_status(false) ?: [])['opcache_enabled'] ?? false]);`)
	plain := newPlainServer(b, s)
	path, direct := c.newVisitor(b, "127.0.0.1"), plain.visitor(b, s)
	page := load{url: s.url() + "/", want: "</html>", requests: frontRequests, connections: frontConnections}
	eventually(b, "the plain server answers", time.Minute, func(ctx context.Context) error {
		got, err := direct.get(ctx, page.url)
		if err = page.check(got, err); err != nil {
			return fmt.Errorf("%w\n%s", err, plain.said())
		}
		return nil
	})
	plain.gather(b)
	if here, there := path.must(b, page.url).body, direct.must(b, page.url).body; here != there {
		b.Errorf("the pages differ: %d bytes from the site, %d from the plain server", len(here), len(there))
	}
	here, there := path.must(b, s.url()+"/lab-same.php").body, direct.must(b, s.url()+"/lab-same.php").body
	if here != there || !strings.HasSuffix(here, ",true]") {
		b.Fatalf("the two run PHP with other settings, or without OPcache:\n%s\n%s", here, there)
	}
	for b.Loop() {
		var site, bare []loadResult
		var questions []float64
		for range frontRounds {
			asked := c.dnsQuestions(b)
			site = append(site, page.mustRun(b, path))
			questions = append(questions, (c.dnsQuestions(b)-asked)/float64(page.requests+page.warmUp()))
			bare = append(bare, page.mustRun(b, direct))
		}
		reportFrontPage(b, site, bare)
		show(b, fmt.Sprintf("questions to the cluster's DNS per request, median: %.2f", spreadOf(questions).Median))
		keepResult(b, "frontPageDNS", spreadOf(questions))
	}
}

// warmUp is how many requests are made before those that count: PHP starts its
// processes on demand.
func (l load) warmUp() int { return l.connections * 5 }

func (l load) mustRun(b *testing.B, v visitor) loadResult {
	b.Helper()
	warm := l
	warm.requests = l.warmUp()
	_, err := warm.run(b.Context(), v)
	if err != nil {
		b.Fatal(err)
	}
	result, err := l.run(b.Context(), v)
	if err != nil {
		b.Fatal(err)
	}
	return result
}

func reportFrontPage(b *testing.B, site, bare []loadResult) {
	b.Helper()
	rate := func(list []loadResult) spread {
		var values []float64
		for _, r := range list {
			values = append(values, r.Rate)
		}
		return spreadOf(values)
	}
	ratio := rate(site).Median / rate(bare).Median
	var out strings.Builder
	fmt.Fprintf(&out, "WordPress' front page, uncached, %d rounds of %d requests over %d connections\n%-10s %8s %8s %8s\n",
		len(site), frontRequests, frontConnections, "", "req/s", "p50 ms", "p95 ms")
	for i := range site {
		fmt.Fprintf(&out, "%-10s %8.1f %8.1f %8.1f\n", "site", site[i].Rate, site[i].P50, site[i].P95)
		fmt.Fprintf(&out, "%-10s %8.1f %8.1f %8.1f\n", "plain", bare[i].Rate, bare[i].P50, bare[i].P95)
	}
	fmt.Fprintf(&out, "median rate of the site beside the plain server: %.3f (target %.1f)", ratio, frontTarget)
	show(b, out.String())
	b.ReportMetric(rate(site).Median, "req/s")
	b.ReportMetric(ratio, "of-plain")
	keepResult(b, "frontPage", map[string]any{"site": site, "plain": bare, "ratio": ratio, "target": frontTarget})
}

// show prints a table. A benchmark's log is cut after ten lines.
func show(b *testing.B, table string) {
	b.Helper()
	if _, err := fmt.Fprintf(os.Stdout, "\n%s\n", strings.TrimRight(table, "\n")); err != nil {
		b.Fatal(err)
	}
}

// keepResult writes one part of lab/artifacts/bench.json and leaves the others.
func keepResult(b *testing.B, part string, value any) {
	b.Helper()
	all := map[string]any{}
	text, err := os.ReadFile(filepath.Join(artifacts, "bench.json"))
	if err == nil {
		err = json.Unmarshal(text, &all)
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		b.Fatal(err)
	}
	all[part] = value
	all["machine"] = thisComputer()
	text, err = json.MarshalIndent(all, "", "  ")
	if err != nil {
		b.Fatal(err)
	}
	keepArtifact(b, "bench.json", append(text, '\n'))
}

// thisComputer is what figures are worth nothing without.
func thisComputer() map[string]any {
	info, _ := os.ReadFile("/proc/cpuinfo") // an unknown processor is told as such
	memory, _ := os.ReadFile("/proc/meminfo")
	model := "unknown"
	for line := range strings.Lines(string(info)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			model = strings.TrimSpace(value)
			break
		}
	}
	var uts unix.Utsname
	kernel := "unknown"
	if unix.Uname(&uts) == nil {
		kernel = unix.ByteSliceToString(uts.Release[:])
	}
	return map[string]any{
		"processor": model, "cores": runtime.NumCPU(), "memory": statusField(string(memory), "MemTotal"),
		"kernel": kernel, "measured": time.Now().UTC().Format(time.RFC3339),
	}
}
