package lab

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

// idleLimit is how long PHP's processes may take to end: 30 s without a request,
// and the scheduler asks once a minute.
const idleLimit = 3 * time.Minute

// BenchmarkIdlePHP measures what a PHP site costs that has been visited and is
// not any more: ten of them, each with one page of its own.
func BenchmarkIdlePHP(b *testing.B) {
	c := openCluster(b)
	c.calm(b)
	visitor := c.newVisitor(b, "127.0.0.1")
	for b.Loop() {
		var sites []site
		for i := range benchSites {
			s := c.newSite(b, fmt.Sprintf("bench-php-%d.localhost", i))
			s.put(b, "index.php", `<?php echo array_sum(range(1, 1000));`)
			if got := visitor.must(b, s.url()+"/").body; got != "500500" {
				b.Fatalf("%s: %q", s.name, got)
			}
			sites = append(sites, s)
		}
		reportMemory(b, "PHP", c.measureMemory(b, sites))
	}
}

// measureMemory takes each site at a moment when none of its PHP processes runs.
func (c *cluster) measureMemory(b *testing.B, sites []site) []siteMemory {
	b.Helper()
	var list []siteMemory
	for _, s := range sites {
		pod := s.pod(b)
		eventually(b, s.name+" is idle", idleLimit, func(context.Context) error {
			all, err := processes()
			if err != nil {
				return err
			}
			inside, _ := podProcesses(all, string(pod.UID))
			if n := workersOf(inside); n > 0 {
				return fmt.Errorf("%d PHP processes wait for requests", n)
			}
			found, err := memoryOf(all, pod)
			if err == nil {
				list = append(list, found)
			}
			return err
		})
	}
	return list
}

// reportMemory prints what sites of one kind cost, and by which part of them.
func reportMemory(b *testing.B, kind string, list []siteMemory) {
	b.Helper()
	column := func(pick func(siteMemory) float64) spread {
		var values []float64
		for _, m := range list {
			values = append(values, pick(m))
		}
		return spreadOf(values)
	}
	total := column(siteMemory.total)
	set := column(func(m siteMemory) float64 { return m.WorkingSet })
	shim := column(func(m siteMemory) float64 { return m.Shim })
	own := column(func(m siteMemory) float64 { return m.Processes })
	var out strings.Builder
	fmt.Fprintf(&out, `MiB of one idle %s site, %d sites
                                     min   median      max
working set of the pod's cgroup %s
PSS of its shim                 %s
working set and shim            %s
PSS of the pod's processes      %s

medians by part      processes    shared     files    kernel       all
`, kind, len(list), set, shim, total, own)
	parts := map[string]memoryPart{}
	for _, name := range slices.Sorted(maps.Keys(list[0].Parts)) {
		part := memoryPart{
			Own:    column(func(m siteMemory) float64 { return m.Parts[name].Own }).Median,
			Shared: column(func(m siteMemory) float64 { return m.Parts[name].Shared }).Median,
			Files:  column(func(m siteMemory) float64 { return m.Parts[name].Files }).Median,
			Kernel: column(func(m siteMemory) float64 { return m.Parts[name].Kernel }).Median,
		}
		parts[name] = part
		fmt.Fprintf(&out, "%-20s %9.2f %9.2f %9.2f %9.2f %9.2f\n", name, part.Own, part.Shared, part.Files, part.Kernel, part.sum())
	}
	show(b, out.String())
	b.ReportMetric(total.Median, "MiB/site")
	keepResult(b, "memory"+kind, map[string]any{"workingSet": set, "shim": shim, "total": total, "processes": own, "parts": parts})
}
