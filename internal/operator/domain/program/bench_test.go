package program_test

import (
	"flag"
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"
)

var (
	domains    = flag.Int("domains", 1000, "how many Domains the benchmark makes")
	resultFile = flag.String("result", "", "file that the benchmark's figures are written to, as JSON")
	resting    = flag.Duration("rest", time.Minute, "how long the benchmark looks at an operator that has nothing to do")
	profiles   = flag.String("profiles", "", "folder that the benchmark writes profiles of the operator to")
)

func TestMain(m *testing.M) {
	ctrl.SetLogger(logr.Discard())
	flag.Parse()
	os.Exit(m.Run())
}

// quiet is how long an operator has to ask for nothing to count as done.
const quiet = 3 * time.Second

// bench is one run.
type bench struct {
	*world
	*figures
	audit    *auditor
	ready    *readiness
	operator *process
	census   *census
	n        int
	patience time.Duration
}

// BenchmarkOperator makes many Domains and tells what they cost. Its phases build
// on each other, in the order in which they stand here. With -test.short it only
// makes them and starts the operator anew.
func BenchmarkOperator(b *testing.B) {
	for b.Loop() {
		w := newWorld(b)
		run := &bench{
			world: w, figures: &figures{Domains: *domains}, audit: &auditor{world: w}, n: *domains,
			patience: time.Minute + time.Duration(*domains)*500*time.Millisecond,
		}
		w.startNodes(b)
		run.ready = w.follow(b)
		run.warm(b)
		run.make(b)
		if !testing.Short() {
			run.unchanged(b)
		}
		run.restart(b)
		if !testing.Short() {
			run.rest(b)
			run.drift(b)
			run.remove(b)
		}
		run.show(b)
	}
}

// warm starts the operator and makes one Domain that does not count: it shows that
// everything works and what a Domain becomes.
func (r *bench) warm(b *testing.B) {
	r.operator = r.startOperator(b, users[0])
	r.create(b, 0, 1)
	r.ready.await(b, 1, r.patience)
	r.settle(b)
	r.census = r.newCensus(b, domainName(0))
	r.Objects = r.census.perDomain()
}

// settle waits until the operator has asked for nothing about sites for a while, and
// returns the requests until then and the time of the last. In the platform's own
// namespace it renews its lease, and tries whether policies hold.
func (r *bench) settle(b *testing.B) (all []request, last time.Time) {
	since := time.Now()
	last = since
	r.eventually(b, r.patience, func() error {
		time.Sleep(200 * time.Millisecond)
		for _, one := range r.audit.read(b) {
			if one.ObjectRef.Namespace != r.settings.Namespace {
				all = append(all, one)
				since, last = time.Now(), one.At
			}
		}
		if time.Since(since) < quiet {
			return fmt.Errorf("the operator still asks: %v", byKind(all))
		}
		return nil
	})
	return all, last
}

// make is the main part: from nothing to all Domains ready.
func (r *bench) make(b *testing.B) {
	cpu, empty, looks := r.operator.cpu(b), r.operator.memory(b, "VmHWM"), r.operator.looks()
	server, before := r.serverCPU(b), loadNow(b)
	profile := r.profile(b, "make", r.n/10)
	start := time.Now()
	r.create(b, 1, r.n+1)
	r.Create.Written = time.Since(start).Seconds()
	r.census.await(b, r.n+1, r.patience)
	r.Create.Exist = time.Since(start).Seconds()
	r.Create.Load = loadNow(b).since(before)
	r.Create.Ready = r.ready.await(b, r.n+1, r.patience).Sub(start).Seconds()
	asked, _ := r.settle(b)
	used := r.operator.cpu(b) - cpu
	r.Create.CPU = used.Seconds()
	r.Create.Looks = (r.operator.looks() - looks) / float64(r.n)
	r.Create.CPUPerDomain = used.Seconds() / float64(r.n)
	r.Create.ServerCPU = (r.serverCPU(b) - server).Seconds()
	r.Create.count(asked, r.n)
	peak := r.operator.memory(b, "VmHWM")
	r.Memory = memoryFigures{
		Peak: peak / 1e6, Empty: empty / 1e6, Now: r.operator.memory(b, "VmRSS") / 1e6,
		Slope: (peak - empty) / 1e3 / float64(r.n),
	}
	<-profile
	r.heap(b, "make")
}

// unchanged makes every Domain be looked at although nothing of it is new.
func (r *bench) unchanged(b *testing.B) {
	r.audit.read(b)
	cpu := r.operator.cpu(b)
	profile := r.profile(b, "unchanged", 3+r.n/100)
	each(b, 1, r.n+1, func(name string) error { return r.touch(b, name) })
	asked, _ := r.settle(b)
	r.Unchanged.CPUPerDomain = (r.operator.cpu(b) - cpu).Seconds() / float64(r.n)
	r.Unchanged.count(asked, r.n)
	<-profile
}

// restart ends the operator as an upgrade does, and starts it with everything ready.
func (r *bench) restart(b *testing.B) {
	r.operator.stop(syscall.SIGTERM)
	r.audit.read(b)
	falls := r.ready.falls
	r.operator = r.startOperator(b, users[0])
	profile := r.profile(b, "restart", 5)
	done := func() bool {
		return r.operator.looks() >= float64(r.n+1) &&
			r.operator.metric("kubepanel_operator_queue_depth", nil) == 0 &&
			r.operator.metric("controller_runtime_active_workers", map[string]string{"controller": "domain"}) == 0
	}
	r.eventually(b, r.patience, func() error {
		if done() {
			return nil
		}
		time.Sleep(200 * time.Millisecond) // answering costs the operator time too
		return fmt.Errorf("the operator has not looked at every Domain: %s", tail(r.operator.log.String()))
	})
	r.Restart.Seconds = time.Since(r.operator.started).Seconds()
	asked, last := r.settle(b)
	r.Restart.Seconds = max(r.Restart.Seconds, last.Sub(r.operator.started).Seconds())
	r.Restart.CPU = r.operator.cpu(b).Seconds()
	r.Restart.Peak = r.operator.memory(b, "VmHWM") / 1e6
	r.Restart.count(asked, r.n)
	if r.Restart.Falls = r.ready.falls - falls; r.Restart.Falls > 0 {
		b.Errorf("a restart made %d Domains not ready", r.Restart.Falls)
	}
	<-profile
	r.heap(b, "restart")
}

// rest looks at an operator that has nothing to do. In its first minute it still
// looks for an edge at which to try network policies; here there is none.
func (r *bench) rest(b *testing.B) {
	time.Sleep(time.Until(r.operator.started.Add(65 * time.Second)))
	r.audit.read(b)
	cpu := r.operator.cpu(b)
	profile := r.profile(b, "rest", int(resting.Seconds()))
	time.Sleep(*resting)
	r.Rest.CPU = (r.operator.cpu(b) - cpu).Minutes() / resting.Minutes() * time.Minute.Seconds()
	r.Rest.count(r.audit.read(b), 1)
	<-profile
}
