package hosting

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// Provider is what the people of a hosting provider can do, each as far as its
// account goes: Panel's sites, with accounts, packages and ownership around them.
// Every method asks May first and leaves a line in the audit trail.
type Provider struct {
	Panel *Panel
	Store Store
	// Nodes are the cluster's machines.
	Nodes NodeKeeper
	// Follow waits for what other panels wrote; nil where Domains are read from the cluster
	// itself. Patience bounds how long an answer waits; 0 for two seconds.
	Follow   Follower
	Patience time.Duration
	// Now is the clock.
	Now func() time.Time
	// Reserved are names that no site may have, nor a name below them: the panel's own.
	Reserved []string
	// Door is the way into sites; nil when the platform has none for the panel.
	Door Door
	// FileRuns are the long changes of files that this panel carries out; nil where nobody
	// ends them.
	FileRuns *FileRuns
	// FileFault hears of a long change of files that failed for a reason that is nobody's
	// but ours, once nobody waits for it; may be nil.
	FileFault func(site string, err error)
	// Scanning has uploads looked at; nil where nobody does.
	Scanning *Scanning
	// Mails says that the panel can send mail.
	Mails bool
	// LogServer is where the trail is sent, HOST:PORT; "" for nowhere.
	LogServer string

	expect string // see If
	once   *Once  // see Once
}

// NewID returns an ID that nothing has yet.
func NewID() ID { return ID(uuid.Must(uuid.NewV7()).String()) }

// write runs rules in one transaction and notes what they changed in the trail.
func (p *Provider) write(ctx context.Context, a Actor, do func(tx Tx) (change, error)) error {
	return p.Store.Write(ctx, func(tx Tx) error {
		c, err := do(tx)
		if err != nil || c.did == "" {
			return err
		}
		if err := p.note(ctx, tx, c); err != nil {
			return err
		}
		e, err := entry(a, p.Now(), c)
		if err != nil {
			return err
		}
		return tx.Append(ctx, e)
	})
}

// Record appends an entry about something that no rule here changes, such as a
// sign-in, to the transaction that does it. Nothing in object or after is secret.
func Record(ctx context.Context, tx Tx, a Actor, at time.Time, e Deed) error {
	made, err := entry(a, at, change{did: Right(e.Did), object: e.Object, on: e.On, after: e.After})
	if err != nil {
		return err
	}
	return tx.Append(ctx, made)
}

// Deed is what Record tells.
type Deed struct {
	Did    string
	Object string
	On     Object // the account that it is about
	After  any
}

// seen replaces the answer that something is missing by the one for what is not
// the actor's, so that nobody learns what exists.
func seen(err error) error {
	if err != nil && CodeOf(err) == NotFound {
		return hidden()
	}
	return err
}
