package program_test

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"kubepanel.io/kubepanel/internal/proctest"
)

// process is one operator.
type process struct {
	cmd     *exec.Cmd
	address string // of its metrics
	reader  *http.Client
	profile string // of its profiles
	log     *proctest.Log
	started time.Time
	ended   chan struct{}
	stopped bool // it was told to end
}

// startOperator runs the program as one of the users; more are flags.
func (w *world) startOperator(t testing.TB, user string, more ...string) *process {
	t.Helper()
	p := &process{address: proctest.Address(t), reader: w.reader, profile: proctest.Address(t), log: &proctest.Log{}, ended: make(chan struct{})}
	p.cmd = exec.Command(w.binary, append([]string{"operator", "--kubeconfig", w.kubeconfig(t, user), "--settings", w.settingsFile,
		"--address", proctest.Address(t), "--metrics-listen", p.address, "--edge-address", w.edge, "--gateway-address", w.gateway, "--profile-address", p.profile}, more...)...)
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	// It ends with the tests, however they end.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	p.started = time.Now()
	must(t, p.cmd.Start())
	w.operators = append(w.operators, p)
	go func() {
		defer close(p.ended)
		_ = p.cmd.Wait() // how it ended is in ProcessState
	}()
	t.Cleanup(func() {
		p.stop(syscall.SIGKILL)
		if t.Failed() {
			t.Logf("%s said:\n%s", user, tail(p.log.String()))
		}
	})
	return p
}

// stop sends a signal and waits for the end.
func (p *process) stop(s syscall.Signal) {
	p.stopped = true
	_ = p.cmd.Process.Signal(s) // it may have ended before
	<-p.ended
}

// died tells whether the process ended without having been told to.
func (p *process) died() bool {
	select {
	case <-p.ended:
		return !p.stopped
	default:
		return false
	}
}

func tail(log string) string { return log[max(0, len(log)-3000):] }

// cpu is the processor time that the process used until now.
func (p *process) cpu(t testing.TB) time.Duration {
	t.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	must(t, err)
	// proc(5): utime and stime are the 14th and 15th field, counted in 10 ms; the
	// second is the name in parentheses.
	fields := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:]))
	user, errUser := strconv.Atoi(fields[11])
	system, errSystem := strconv.Atoi(fields[12])
	must(t, errUser)
	must(t, errSystem)
	return time.Duration(user+system) * 10 * time.Millisecond
}

// memory returns VmHWM or VmRSS in bytes.
func (p *process) memory(t testing.TB, field string) float64 {
	t.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	must(t, err)
	for line := range strings.Lines(string(data)) {
		if rest, ok := strings.CutPrefix(line, field+":"); ok {
			kilobytes, err := strconv.Atoi(strings.Fields(rest)[0])
			must(t, err)
			return float64(kilobytes) * 1024
		}
	}
	t.Fatalf("no %s in /proc", field)
	return 0
}

// looks is how often the program looked at a Domain.
func (p *process) looks() float64 {
	return p.metric("controller_runtime_reconcile_total", map[string]string{"controller": "domain"})
}

// metric is the sum over all series of a metric whose labels are as given; 0 when
// the program does not answer yet.
func (p *process) metric(name string, labels map[string]string) float64 {
	family := p.metrics()[name]
	if family == nil {
		return 0
	}
	sum := 0.0
	for _, series := range family.GetMetric() {
		fits := 0
		for _, l := range series.GetLabel() {
			if labels[l.GetName()] == l.GetValue() {
				fits++
			}
		}
		if fits == len(labels) {
			sum += series.GetCounter().GetValue() + series.GetGauge().GetValue()
		}
	}
	return sum
}

// metrics are all that the program shows; none when it does not answer yet.
func (p *process) metrics() map[string]*dto.MetricFamily {
	response, err := p.reader.Get("https://" + p.address + "/metrics")
	if err != nil {
		return nil
	}
	defer response.Body.Close() // it was only read
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(response.Body)
	if err != nil {
		return nil
	}
	return families
}
