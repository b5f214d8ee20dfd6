package keeper

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"
)

const (
	// lookSlow covers a notice that was lost; lookOften is for file systems that give
	// none.
	lookSlow  = time.Minute
	lookOften = 2 * time.Second
)

// Keeper keeps one program running with the newest configuration that is good.
type Keeper struct {
	Program Program
	// Config is the mounted folder; State a private one that outlives the container,
	// not the pod; Status the file that tells what came of the configuration.
	Config, State, Status string
	Stderr                io.Writer

	stops, children, changes chan os.Signal
	// main serves; running are all that were started and have not ended.
	main    int
	running map[int]bool
	// code is the exit code of the one that ended last.
	code     int
	stopping bool
	// inUse is what main runs with, seen the revision that was looked at last.
	inUse config
	seen  string
}

// Run starts the program and returns its exit code when it has ended.
func (k *Keeper) Run() (int, error) {
	k.running = map[int]bool{}
	// A channel each: a burst of one signal must not push another out.
	k.stops, k.children, k.changes = make(chan os.Signal, 4), make(chan os.Signal, 1), make(chan os.Signal, 1)
	signal.Notify(k.stops, syscall.SIGTERM, syscall.SIGINT, syscall.SIGQUIT)
	signal.Notify(k.children, syscall.SIGCHLD)
	signal.Notify(k.changes, syscall.SIGIO)
	if err := os.MkdirAll(k.State, 0o700); err != nil {
		return 0, fmt.Errorf("make the state folder: %w", err)
	}
	every := lookSlow
	watched, err := watch(k.Config)
	if err != nil {
		k.log("changes are looked for, since the file system does not tell: " + err.Error())
		every = lookOften
	} else {
		defer watched.Close()
	}
	if err := k.begin(); err != nil {
		return 0, err
	}
	debug.FreeOSMemory()
	k.attend(every)
	return k.code, nil
}

// attend answers signals until everything that was started has ended.
func (k *Keeper) attend(every time.Duration) {
	timer := time.NewTicker(every)
	defer timer.Stop()
	for len(k.running) > 0 {
		k.look()
		select {
		case s := <-k.stops:
			k.stop(s)
		case <-k.children:
			k.reap()
		case <-k.changes:
		case <-timer.C:
		}
		if !k.running[k.main] && !k.stopping {
			// It ended by itself; the container ends too and is started again.
			code := k.code
			k.stop(syscall.SIGTERM)
			k.code = code
			return
		}
	}
}

// begin starts the program with the best configuration there is: the mounted one,
// else the last good one, else the mounted one without the customer's part. A
// site with a mistake in it serves; it does not start again and again.
func (k *Keeper) begin() error {
	mounted, err := k.take()
	if err != nil {
		return err
	}
	k.seen = mounted.revision
	last, hasLast := k.last()
	fault := k.try(mounted)
	if fault == "" {
		k.tell(mounted.revision, accepted, "")
		return nil
	}
	k.tell(mounted.revision, refused, fault)
	if hasLast && k.try(last) == "" {
		return nil
	}
	if mounted.without(k.Program.Custom) && k.try(mounted) == "" {
		return nil
	}
	// What is wrong is ours, then. Let the program say it in its own words.
	return k.start(mounted)
}

// try tests a configuration and starts with it; it returns what is wrong.
func (k *Keeper) try(c config) string {
	if fault := k.test(c); fault != "" {
		return fault
	}
	if err := k.start(c); err != nil {
		return err.Error()
	}
	return ""
}

// start runs the program, the first time.
func (k *Keeper) start(c config) error {
	if err := k.point(c); err != nil {
		return err
	}
	pid, fault := k.launch(c)
	if fault != "" {
		return errors.New(fault)
	}
	k.main, k.inUse = pid, c
	k.sweep(c)
	return nil
}

// look takes up what has changed, until nothing has.
func (k *Keeper) look() {
	for !k.stopping {
		if r := k.revision(); r == "" || r == k.seen {
			return
		}
		c, err := k.take()
		if err != nil {
			k.log(err.Error()) // the next notice, or the slow look, tries again
			return
		}
		k.seen = c.revision
		fault := k.test(c)
		if fault == "" {
			fault = k.change(c)
		}
		if fault != "" {
			k.tell(c.revision, refused, fault)
			c.remove()
			continue
		}
		k.inUse = c
		k.sweep(c)
		k.tell(c.revision, accepted, "")
		debug.FreeOSMemory() // the next change may be months away
	}
}

// change has the running program take a tested configuration over.
func (k *Keeper) change(c config) (fault string) {
	if k.Program.socket == nil {
		return k.reload(c)
	}
	pid, fault := k.launch(c)
	if fault != "" {
		return fault
	}
	former := k.main
	k.main = pid
	_ = syscall.Kill(former, syscall.SIGQUIT) // it finishes what it has
	if err := k.point(c); err != nil {
		k.log(err.Error()) // it runs; only a restart would begin with the former one
	}
	return ""
}

// reload tells the program that the configuration is another, and looks whether
// it goes on with new workers: what only shows when it is in force, such as a
// port that is taken, makes nginx keep the former one.
func (k *Keeper) reload(c config) (fault string) {
	before := offspring(k.main)
	if err := k.point(c); err != nil {
		return err.Error()
	}
	_ = syscall.Kill(k.main, syscall.SIGHUP) // gone: the container ends anyhow
	var began bool
	err := k.until(reloadLimit, func() bool {
		former := false
		for pid := range offspring(k.main) {
			began = began || !before[pid]
			former = former || before[pid] && !leaving(pid)
		}
		// The former workers serve on for a moment beside the new ones, and what is told
		// to be in force has to be so for everybody.
		return began && !former || !k.running[k.main]
	})
	if began || err == nil || errors.Is(err, errStopping) {
		return ""
	}
	if err := k.point(k.inUse); err != nil {
		k.log(err.Error())
	}
	return "it passed the test and could not be taken over; the container's log says why"
}
