package program_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"k8s.io/client-go/kubernetes"
)

// asked is what was asked of the API server during a phase.
type asked struct {
	PerDomain float64        `json:"requestsPerDomain"`
	Writes    int            `json:"writes"`
	ByKind    map[string]int `json:"requests"`
}

func (a *asked) count(all []request, n int) {
	a.ByKind, a.PerDomain, a.Writes = byKind(all), float64(len(all))/float64(n), 0
	for _, r := range all {
		if r.writes() {
			a.Writes++
		}
	}
}

type memoryFigures struct {
	Peak  float64 `json:"peakMB"`
	Empty float64 `json:"emptyMB"`
	Now   float64 `json:"afterwardsMB"`
	Slope float64 `json:"kBPerDomain"`
}

// figures are what a run found. Times are in seconds.
type figures struct {
	Domains int   `json:"domains"`
	Objects int64 `json:"objectsPerDomain"`
	Create  struct {
		Written      float64 `json:"domainsWrittenSeconds"`
		Exist        float64 `json:"allExistSeconds"`
		Ready        float64 `json:"allReadySeconds"`
		CPU          float64 `json:"cpuSeconds"`
		CPUPerDomain float64 `json:"cpuSecondsPerDomain"`
		ServerCPU    float64 `json:"apiServerCPUSeconds"`
		Load         load    `json:"load"`
		Looks        float64 `json:"reconcilesPerDomain"`
		asked
	} `json:"create"`
	Memory    memoryFigures `json:"memory"`
	Unchanged struct {
		CPUPerDomain float64 `json:"cpuSecondsPerDomain"`
		asked
	} `json:"unchanged"`
	Restart struct {
		Seconds float64 `json:"seconds"`
		CPU     float64 `json:"cpuSeconds"`
		Peak    float64 `json:"peakMB"`
		Falls   int     `json:"readyLost"`
		asked
	} `json:"restart"`
	Rest struct {
		CPU float64 `json:"cpuSecondsPerMinute"`
		asked
	} `json:"rest"`
	Drift struct {
		Edited  []float64 `json:"editedSeconds"`
		Deleted []float64 `json:"deletedSeconds"`
	} `json:"drift"`
	Remove struct {
		Domains      int     `json:"domains"`
		Seconds      float64 `json:"seconds"`
		CPUPerDomain float64 `json:"cpuSecondsPerDomain"`
		asked
	} `json:"remove"`
}

// show prints the table, and writes the JSON where it was asked for.
func (f *figures) show(b *testing.B) {
	b.Helper()
	var out strings.Builder
	row := func(what, got, goal string) { fmt.Fprintf(&out, "%-58s %12s   %s\n", what, got, goal) }
	number := func(format string, v any) string { return fmt.Sprintf(format, v) }
	fmt.Fprintf(&out, "%d Domains, %d objects each\n", f.Domains, f.Objects)
	row("", "measured", "goal")
	row("until all objects exist, s", number("%.1f", f.Create.Exist), "45 for 1,000")
	l := f.Create.Load
	row("processor s till then: of this run; idle; strangers; stolen", number("%.0f", l.Run)+fmt.Sprintf("; %.0f; %.0f; %.0f", l.Idle, l.Strangers, l.Stolen), "")
	row("until all are Ready, s", number("%.1f", f.Create.Ready), "")
	row("operator CPU per Domain, s", number("%.4f", f.Create.CPUPerDomain), "0.02")
	row("API server CPU per Domain, s", number("%.4f", f.Create.ServerCPU/float64(f.Domains)), "")
	row("reconciles per Domain to create", number("%.2f", f.Create.Looks), "")
	row("API requests per Domain to create", number("%.2f", f.Create.PerDomain), "20")
	row("peak RSS, MB", number("%.1f", f.Memory.Peak), "100 at 1,000")
	row("peak RSS per Domain, kB", number("%.1f", f.Memory.Slope), "60")
	row("restart, s", number("%.2f", f.Restart.Seconds), "3")
	row("restart, CPU s", number("%.2f", f.Restart.CPU), "0.8")
	row("restart, requests of all Domains together", number("%.0f", f.Restart.PerDomain*float64(f.Domains)), "no request per Domain")
	row("restart, peak RSS, MB", number("%.1f", f.Restart.Peak), "")
	if !testing.Short() {
		row("writes of unchanged reconciles, all Domains together", number("%d", f.Unchanged.Writes), "0")
		row("operator CPU per unchanged reconcile, s", number("%.5f", f.Unchanged.CPUPerDomain), "")
		row("at rest, CPU s per minute", number("%.2f", f.Rest.CPU), "0.05")
		row("at rest, requests per minute", number("%.0f", f.Rest.PerDomain), "")
		row("edited object back, s, worst of 7 kinds", number("%.3f", slices.Max(f.Drift.Edited)), "1")
		row("deleted object back, s, worst of 7 kinds", number("%.3f", slices.Max(f.Drift.Deleted)), "1")
		row(fmt.Sprintf("deleting %d Domains at once, s", f.Remove.Domains), number("%.1f", f.Remove.Seconds), "")
		row("API requests per Domain to delete", number("%.2f", f.Remove.PerDomain), "")
	}
	fmt.Println(out.String())
	b.ReportMetric(f.Create.Exist, "s/exist")
	b.ReportMetric(f.Create.CPUPerDomain, "cpu-s/domain")
	if *resultFile == "" {
		return
	}
	data, err := json.MarshalIndent(f, "", "  ")
	must(b, err)
	must(b, os.WriteFile(*resultFile, append(data, '\n'), 0o600))
}

// serverCPU is the processor time that the API server used until now.
func (w *world) serverCPU(t testing.TB) time.Duration {
	t.Helper()
	api, err := kubernetes.NewForConfig(w.cluster.Config)
	must(t, err)
	data, err := api.RESTClient().Get().AbsPath("/metrics").DoRaw(t.Context())
	must(t, err)
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(data))
	must(t, err)
	seconds := families["process_cpu_seconds_total"].GetMetric()[0].GetCounter().GetValue()
	return time.Duration(seconds * float64(time.Second))
}

// profile takes CPU profiles of the operator and of the API server for some seconds,
// when profiles are asked for; what it returns is closed at the end.
func (r *bench) profile(b *testing.B, phase string, seconds int) <-chan struct{} {
	done := make(chan struct{})
	if *profiles == "" {
		close(done)
		return done
	}
	what := fmt.Sprintf("profile?seconds=%d", max(1, seconds))
	var both sync.WaitGroup
	both.Go(func() {
		for range 50 { // it may not listen yet
			if r.fetch(what, phase+".cpu.prof") == nil {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
	})
	both.Go(func() {
		api, err := kubernetes.NewForConfig(r.cluster.Config)
		if err != nil {
			return
		}
		data, err := api.RESTClient().Get().AbsPath("/debug/pprof/profile").Param("seconds", strconv.Itoa(max(1, seconds))).DoRaw(b.Context())
		if err == nil {
			_ = os.WriteFile(filepath.Join(*profiles, phase+".apiserver.prof"), data, 0o600) // its absence is seen
		}
	})
	go func() { both.Wait(); close(done) }()
	return done
}

func (r *bench) heap(b *testing.B, phase string) {
	if *profiles != "" {
		must(b, r.fetch("heap?gc=1", phase+".heap.prof"))
	}
}

func (r *bench) fetch(what, file string) error {
	response, err := http.Get("http://" + r.operator.profile + "/debug/pprof/" + what)
	if err != nil {
		return err
	}
	defer response.Body.Close() // it was only read
	data, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(*profiles, file), data, 0o600)
}
