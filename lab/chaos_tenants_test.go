package lab

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

const (
	// tenants make, change and delete sites at the same time.
	tenants = 3
	// keptSites is how many sites a tenant keeps besides the one he works on.
	keptSites = 2
	// chaosPatience is how long anything may take while everything is killed.
	chaosPatience = 4 * time.Minute
	// visitEvery is how often a tenant's visitors write.
	visitEvery = 200 * time.Millisecond
	// chaosSites is what the names of all sites of a fault run begin with.
	chaosSites = "chaos-"
)

// chaos is one fault run.
type chaos struct {
	*cluster
	visitor visitor
	seed    uint64

	mu                     sync.Mutex
	kills                  map[string]int
	missed                 int // strikes that found nothing to kill
	made, changed, deleted int
	all                    []*ledger
	faults                 []error
}

func (r *chaos) fault(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.faults = append(r.faults, err)
}

// wreck kills what the schedule says until it ends.
func (r *chaos) wreck(ctx context.Context, schedule []strike) {
	start := time.Now()
	for _, s := range schedule {
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Until(start.Add(s.at))):
		}
		// What can't be found is down already, or there is none of it.
		killed, _ := r.hit(ctx, s) // counted as missed
		r.mu.Lock()
		if killed > 0 {
			r.kills[s.victim.name]++
		} else {
			r.missed++
		}
		r.mu.Unlock()
	}
}

// tenant does what customers do until ctx ends. What he does is the same for the
// same seed; when, is not.
func (r *chaos) tenant(ctx context.Context, number int) {
	random := rand.New(rand.NewPCG(r.seed, uint64(number)+2))
	var kept []*ledger
	for i := 0; ctx.Err() == nil; i++ {
		l := r.begin(ctx, fmt.Sprintf("%s%d-%d.localhost", chaosSites, number, i))
		if l == nil {
			return
		}
		if err := r.grow(ctx, l); err != nil {
			if ctx.Err() == nil {
				r.fault(err)
			}
			return
		}
		r.use(ctx, l, kept, random)
		if ctx.Err() != nil {
			return
		}
		if kept = append(kept, l); len(kept) > keptSites {
			at := random.IntN(len(kept))
			if err := r.end(ctx, kept[at]); err != nil {
				r.fault(err)
				return
			}
			kept = slices.Delete(kept, at, at+1)
		}
	}
}

// begin asks for a site until it is taken: an API server that does not answer is no
// refusal.
func (r *chaos) begin(ctx context.Context, name string) *ledger {
	l := &ledger{site: site{cluster: r.cluster, name: name}, wanted: true}
	for ctx.Err() == nil {
		a, err := ask(ctx, "kubepanel", "site", "create", name)
		if err == nil && (a.code == 0 || strings.Contains(a.stderr, "taken")) {
			r.mu.Lock()
			r.made++
			r.all = append(r.all, l)
			r.mu.Unlock()
			return l
		}
	}
	return nil
}

// grow waits until the site is live and gives it its program.
func (r *chaos) grow(ctx context.Context, l *ledger) error {
	err := within(ctx, chaosPatience, func(ctx context.Context) error {
		d, err := l.domain(ctx)
		if err == nil && isTrue(d, v1alpha1.ConditionReady) == 0 {
			err = fmt.Errorf("it is %s", summary(d))
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("%s is not live after %s: %w", l.name, chaosPatience, err)
	}
	if err := within(ctx, chaosPatience, l.install); err != nil {
		return fmt.Errorf("give %s its program: %w", l.name, err)
	}
	return nil
}

// use visits the site and those kept, and changes it now and then.
func (r *chaos) use(ctx context.Context, l *ledger, kept []*ledger, random *rand.Rand) {
	visits := 40 + random.IntN(80)
	change := visits / 3
	tick := time.NewTicker(visitEvery)
	defer tick.Stop()
	for i := range visits {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		all := append([]*ledger{l}, kept...)
		to := all[random.IntN(len(all))]
		_ = to.write(ctx, r.visitor, fmt.Sprintf("%d-%d", i, time.Now().UnixNano())) // the ledger counts it
		if i == change || i == 2*change {
			if err := r.change(ctx, l, random); err != nil && ctx.Err() == nil {
				r.fault(err)
			}
		}
	}
	// What was acknowledged must be there at any time when the site answers.
	err := within(ctx, chaosPatience, func(ctx context.Context) error {
		_, err := l.verify(ctx, r.visitor)
		if loss, ok := errors.AsType[*lost](err); ok {
			r.fault(loss)
			return nil
		}
		return err
	})
	if err != nil && ctx.Err() == nil {
		r.fault(fmt.Errorf("%s does not answer again: %w", l.name, err))
	}
}

// change makes one change of a site as its owner would.
func (r *chaos) change(ctx context.Context, l *ledger, random *rand.Rand) error {
	edits := []func(*v1alpha1.Domain){
		func(d *v1alpha1.Domain) {
			d.Spec.Workload.Settings = map[string]v1alpha1.Setting{"memoryLimit": "192M"}
		},
		func(d *v1alpha1.Domain) { d.Spec.Webserver.CustomConfig = "add_header X-Chaos yes;" },
		func(d *v1alpha1.Domain) { d.Spec.Webserver.ClientMaxBodySize = "7m" },
		func(d *v1alpha1.Domain) { d.Spec.Aliases = []v1alpha1.DomainAlias{{Name: "alias-" + l.name}} },
		func(d *v1alpha1.Domain) { d.Spec.Workload.Env = []v1alpha1.EnvVar{{Name: "CHAOS", Value: "yes"}} },
		func(d *v1alpha1.Domain) {
			d.Annotations = map[string]string{v1alpha1.AnnotationRestartedAt: time.Now().String()}
		},
	}
	edit := edits[random.IntN(len(edits))]
	err := within(ctx, chaosPatience, func(ctx context.Context) error {
		d, err := l.domain(ctx)
		if err != nil {
			return err
		}
		patch := client.MergeFrom(d.DeepCopy())
		edit(d)
		return l.Patch(ctx, d, patch)
	})
	if err != nil {
		return fmt.Errorf("change %s: %w", l.name, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.changed++
	return nil
}

// end deletes a site; that nothing is left of it is looked at when all is over.
func (r *chaos) end(ctx context.Context, l *ledger) error {
	err := within(context.WithoutCancel(ctx), chaosPatience, func(ctx context.Context) error {
		a, err := ask(ctx, "kubepanel", "site", "delete", l.name, "--yes")
		if err == nil && a.code != 0 {
			err = fmt.Errorf("%s: %s", a.line, a.stderr)
		}
		return err
	})
	if err != nil {
		return err
	}
	l.mu.Lock()
	l.wanted = false
	l.mu.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.deleted++
	return nil
}

// report is what the run did and met.
func (r *chaos) report(verified int) string {
	var b strings.Builder
	total := 0
	for _, name := range slices.Sorted(maps.Keys(r.kills)) {
		fmt.Fprintf(&b, "  killed   %-11s %d times\n", name, r.kills[name])
		total += r.kills[name]
	}
	stored, ok, failed, longest, kept := 0, 0, 0, time.Duration(0), 0
	for _, l := range r.all {
		stored, ok, failed, longest = stored+len(l.stored), ok+l.ok, failed+l.failed, max(longest, l.longest)
		if l.wanted {
			kept++
		}
	}
	fmt.Fprintf(&b, "  in all   %d kills; %d strikes met nobody, because it was down or is not there\n", total, r.missed)
	fmt.Fprintf(&b, "  sites    %d made, %d changes, %d deleted, %d to be live at the end\n", r.made, r.changed, r.deleted, kept)
	fmt.Fprintf(&b, "  writes   %d acknowledged, %d of them at sites that stay, which were all read back: file and row\n", stored, verified)
	fmt.Fprintf(&b, "  requests %d answered, %d failed; the longest time without an answer was %s\n", ok, failed, longest.Round(100*time.Millisecond))
	return b.String()
}
