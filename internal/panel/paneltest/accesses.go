package paneltest

import (
	"context"
	"sync"
	"time"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/hosting"
)

// Accesses keeps accounts on databases in memory, as the API server and the operator do.
type Accesses struct {
	mu    sync.Mutex
	all   map[string]*v1alpha1.DatabaseAccess
	Moved int // how often a visit was made longer
	// Phase is what the operator makes of the next one.
	Phase v1alpha1.DatabaseAccessPhase
}

// NewAccesses has none yet, and an operator that opens all.
func NewAccesses() *Accesses {
	return &Accesses{all: map[string]*v1alpha1.DatabaseAccess{}, Phase: v1alpha1.DatabaseAccessOpen}
}

// OpenAccess implements hosting.Accesses.
func (a *Accesses) OpenAccess(_ context.Context, o *v1alpha1.DatabaseAccess) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	o.Status = v1alpha1.DatabaseAccessStatus{Phase: a.Phase, Message: "MariaDB does not answer.", Username: "visitor-" + o.Name}
	a.all[o.Name] = o.DeepCopy()
	return nil
}

// MoveAccess implements hosting.Accesses.
func (a *Accesses) MoveAccess(_ context.Context, _, name string, until time.Time) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	o, ok := a.all[name]
	if !ok {
		return &hosting.Error{Code: hosting.NotFound}
	}
	o.Spec.ExpiresAt.Time = until
	a.Moved++
	return nil
}

// CloseAccess implements hosting.Accesses.
func (a *Accesses) CloseAccess(_ context.Context, _, name string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.all, name)
	return nil
}

// Accesses implements hosting.Accesses.
func (a *Accesses) Accesses(context.Context) ([]v1alpha1.DatabaseAccess, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	var list []v1alpha1.DatabaseAccess
	for _, o := range a.all {
		list = append(list, *o)
	}
	return list, nil
}

// Count tells how many are open.
func (a *Accesses) Count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.all)
}
