package hosting

import (
	"context"
	"time"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// DomainWatcher follows one Domain.
type DomainWatcher interface {
	// WatchDomain calls see with the present state and with every change, nil when
	// the Domain is gone, until see returns an error, which it returns, or ctx ends.
	WatchDomain(ctx context.Context, d *v1alpha1.Domain, see func(*v1alpha1.Domain) error) error
	// Events returns what was told about a Domain, oldest first.
	Events(ctx context.Context, d *v1alpha1.Domain) ([]Event, error)
}

// Event is one thing that the operator told about a site.
type Event struct {
	Time            time.Time
	Count           int32
	Warning         bool
	Reason, Message string
}
