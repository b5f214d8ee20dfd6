package program_test

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Two operators run, and the one that works is killed while it makes fifty Domains.
// The other one ends what was begun, and at no moment do both write.
func TestAnotherOperatorTakesOverFromAKilledOne(t *testing.T) {
	const (
		domains  = 50
		patience = 5 * time.Minute // the lease has to run out first
	)
	w := newWorld(t)
	w.startNodes(t)
	ready := w.follow(t)
	first := w.startOperator(t, users[0])
	w.create(t, 0, 1)
	ready.await(t, 1, patience)
	w.startOperator(t, users[1])
	w.create(t, 1, domains)
	w.eventually(t, patience, func() error {
		if n := ready.count(); n < domains/4 {
			return fmt.Errorf("%d Domains are ready", n)
		}
		return nil
	})
	first.stop(syscall.SIGKILL)
	if n := ready.count(); n == domains {
		t.Fatal("all Domains were ready before the operator was killed: the test shows nothing")
	}
	ready.await(t, domains, patience)

	log := auditor{world: w}
	writes := map[string][]request{}
	for _, r := range log.read(t) {
		if r.writes() {
			writes[r.User.Username] = append(writes[r.User.Username], r)
		}
	}
	one, other := writes[users[0]], writes[users[1]]
	if len(one) == 0 || len(other) == 0 {
		t.Fatalf("the killed operator wrote %d times and its successor %d times, want both to have worked", len(one), len(other))
	}
	if last, next := one[len(one)-1], other[0]; next.At.Before(last.At) {
		t.Errorf("the second operator began to write (%s) at %s, and the first one wrote (%s) at %s", next.kind(), next.At, last.kind(), last.At)
	}
}

// The container of an operator's pod is killed, and the next one starts under the
// same name: the lease is its own, so it does not wait for it to run out.
func TestThePodsNextContainerGoesOnWithItsLease(t *testing.T) {
	const patience = time.Minute
	w := newWorld(t)
	w.startNodes(t)
	ready := w.follow(t)
	lease := func() coordinationv1.LeaseSpec {
		var l coordinationv1.Lease
		must(t, w.client.Get(t.Context(), client.ObjectKey{Namespace: w.settings.Namespace, Name: "kubepanel-operator"}, &l))
		return l.Spec
	}
	first := w.startOperator(t, users[0], "--identity=pod")
	w.create(t, 0, 1)
	ready.await(t, 1, patience)
	before := lease()
	first.stop(syscall.SIGKILL)
	w.startOperator(t, users[0], "--identity=pod")
	w.create(t, 1, 2)
	ready.await(t, 2, patience)
	after := lease()
	if *after.HolderIdentity != "pod" || *after.LeaseTransitions != *before.LeaseTransitions || !after.AcquireTime.Equal(before.AcquireTime) {
		t.Errorf("the lease was got anew: %+v, before %+v", after, before)
	}
}
