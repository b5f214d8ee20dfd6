package lab

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// How long the fault run lasts, and its seed when it is to be repeated.
const (
	chaosLength = "CHAOS"
	chaosSeed   = "CHAOS_SEED"
)

// hurry is how long a visitor of a fault run waits for an answer: he has much to do.
const hurry = 5 * time.Second

// mendLimit is how long the platform may take to be whole after the last kill.
const mendLimit = 5 * time.Minute

// TestChaos kills what the platform stands on at random while sites are made,
// changed, visited and deleted. In the end every wanted site answers, nothing is
// left of the others, and nothing that was acknowledged is lost.
func TestChaos(t *testing.T) {
	if os.Getenv(chaosLength) == "" {
		t.Skipf("%s says for how long to kill; 'make chaos' sets it", chaosLength)
	}
	length, err := time.ParseDuration(os.Getenv(chaosLength))
	if err != nil {
		t.Fatalf("%s: %v", chaosLength, err)
	}
	r := newChaos(t)
	t.Logf("repeat with: make chaos CHAOS=%s CHAOS_SEED=%d", length, r.seed)
	ctx, stop := context.WithTimeout(t.Context(), length)
	defer stop()
	var working sync.WaitGroup
	working.Go(func() { r.wreck(ctx, strikes(r.seed, length)) })
	for i := range tenants {
		working.Go(func() { r.tenant(ctx, i) })
	}
	working.Wait()
	verified := r.settle(t)
	r.leftovers(t)
	for _, fault := range r.faults {
		t.Error(fault)
	}
	t.Log("\n" + r.report(verified))
	if verified == 0 || r.deleted == 0 || len(r.kills) == 0 {
		t.Error("a run in which nothing was written, deleted or killed proves nothing")
	}
}

func newChaos(t *testing.T) *chaos {
	t.Helper()
	c := openCluster(t)
	r := &chaos{cluster: c, visitor: c.newVisitor(t, "127.0.0.1"), seed: rand.Uint64(), kills: map[string]int{}}
	r.visitor.http.Timeout = hurry
	if text := os.Getenv(chaosSeed); text != "" {
		seed, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatalf("%s: %v", chaosSeed, err)
		}
		r.seed = seed
	}
	r.clear(t)
	t.Cleanup(func() {
		if t.Failed() {
			for _, l := range r.all {
				if l.wanted {
					l.report(context.WithoutCancel(t.Context()), t)
				}
			}
		}
		r.askAllToGo(t)
	})
	return r
}

// clear removes what an earlier run left.
func (r *chaos) clear(t *testing.T) {
	t.Helper()
	r.askAllToGo(t)
	eventually(t, "the sites of an earlier run are gone", mendLimit, func(ctx context.Context) error {
		return r.unwanted(ctx, nil)
	})
}

func (r *chaos) askAllToGo(t *testing.T) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	var list v1alpha1.DomainList
	if err := r.List(ctx, &list); err != nil {
		t.Error(err)
	}
	for i := range list.Items {
		if strings.HasPrefix(list.Items[i].Name, chaosSites) {
			if err := client.IgnoreNotFound(r.Delete(ctx, &list.Items[i])); err != nil {
				t.Error(err)
			}
		}
	}
}

// settle waits until every wanted site answers with everything that it
// acknowledged, and returns how much that is.
func (r *chaos) settle(t *testing.T) int {
	t.Helper()
	verified := 0
	deadline := time.Now().Add(mendLimit)
	for _, l := range r.all {
		if !l.wanted {
			continue
		}
		err := within(t.Context(), max(time.Until(deadline), 10*time.Second), func(ctx context.Context) error {
			d, err := l.domain(ctx)
			if err == nil && (isTrue(d, v1alpha1.ConditionReady) == 0 || d.Status.ObservedGeneration != d.Generation) {
				err = fmt.Errorf("it is %s", summary(d))
			}
			return err
		})
		if err != nil {
			t.Errorf("%s is wanted and not live: %v", l.name, err)
			continue
		}
		if l.ok == 0 {
			continue // the run ended before it got its program
		}
		count := 0
		err = within(t.Context(), max(time.Until(deadline), 10*time.Second), func(ctx context.Context) (err error) {
			count, err = l.verify(ctx, r.visitor)
			if loss, ok := errors.AsType[*lost](err); ok {
				r.fault(loss)
				return nil
			}
			return err
		})
		if err != nil {
			t.Errorf("%s is wanted and does not answer: %v", l.name, err)
		}
		verified += count
	}
	return verified
}

// leftovers waits until nothing is there that nobody wants.
func (r *chaos) leftovers(t *testing.T) {
	t.Helper()
	wanted := map[string]bool{}
	for _, l := range r.all {
		if !l.wanted {
			continue
		}
		d, err := l.domain(t.Context())
		if err != nil {
			t.Errorf("%s is wanted and gone: %v", l.name, err)
			continue
		}
		wanted[d.Status.Namespace] = true
	}
	eventually(t, "nothing is left of deleted sites", mendLimit, func(ctx context.Context) error {
		all := []error{r.unwanted(ctx, wanted)}
		for _, l := range r.all {
			if !l.wanted {
				all = append(all, l.emptied())
			}
		}
		return errors.Join(all...)
	})
}

// unwanted looks for namespaces, volumes, databases, users and rights of the run's
// sites that are not in wanted, which holds namespaces: databases and users have
// their names.
func (r *chaos) unwanted(ctx context.Context, wanted map[string]bool) error {
	var found []error
	check := func(what, name string) {
		if strings.HasPrefix(name, "dom-"+strings.ReplaceAll(chaosSites, "-", "--")) && !wanted[name] {
			found = append(found, fmt.Errorf("%s %s is still there", what, name))
		}
	}
	var domains v1alpha1.DomainList
	var namespaces corev1.NamespaceList
	var volumes corev1.PersistentVolumeList
	if err := errors.Join(r.List(ctx, &domains), r.List(ctx, &namespaces), r.List(ctx, &volumes)); err != nil {
		return err
	}
	for i := range domains.Items {
		if d := &domains.Items[i]; strings.HasPrefix(d.Name, chaosSites) && !wanted[d.Status.Namespace] {
			found = append(found, fmt.Errorf("Domain %s is still there: %s", d.Name, summary(d)))
		}
	}
	for _, n := range namespaces.Items {
		check("namespace", n.Name)
	}
	for _, v := range volumes.Items {
		if v.Spec.ClaimRef != nil {
			check("volume "+v.Name+" of", v.Spec.ClaimRef.Namespace)
		}
	}
	for what, statement := range map[string]string{
		"database":  "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA",
		"user":      "SELECT User FROM mysql.user",
		"rights of": "SELECT User FROM mysql.db",
	} {
		rows, err := r.queryMariaDB(ctx, statement)
		if err != nil {
			return err
		}
		for _, name := range rows {
			check(what, name)
		}
	}
	return errors.Join(found...)
}
