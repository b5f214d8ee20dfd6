package hosting

import (
	"context"
	"errors"
	"io"
	"sync"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/orders"
)

// Door is the way into sites: each reaches that site and nothing else. It bounds how
// much one account, and one site, has under way at once.
type Door interface {
	// Order has the site's toolbox carry out an order. The content that goes with it
	// comes from in, what it gives goes to out; either may be nil.
	Order(ctx context.Context, v Visit, o orders.Order, in io.Reader, out io.Writer) (orders.Answer, error)
	// Terminal opens the site's shell.
	Terminal(ctx context.Context, v Visit, size TerminalSize) (Terminal, error)
}

// Visit is who comes to which site.
type Visit struct {
	Account ID
	Site    string
	// Hear is told how an order goes, now and then, while it is under way; may be nil.
	Hear func(orders.Answer)
}

// TerminalSize is in characters.
type TerminalSize struct{ Columns, Rows int }

// Terminal is a shell that somebody types at. It ends with what was opened, and
// reading ends when the shell does.
type Terminal interface {
	io.ReadWriteCloser
	Resize(size TerminalSize) error
}

// NoAnswer is what a person is told when a site's toolbox does not answer, or answers what
// makes no sense: that is the site's fault and none of the panel's.
func NoAnswer(site string, err error) error {
	return &Error{Code: Unreachable, Message: "The file server of " + ShowName(site) + " does not answer.",
		Mend: "Try again in a minute; the overview says how the site is.", Err: err}
}

// visit asks whether an actor may come into a site for something, and whether
// somebody is there to open.
func (p *Provider) visit(ctx context.Context, a Actor, do Right, name string) (*OwnedSite, Visit, error) {
	s, err := p.site(ctx, a, do, name)
	if err != nil {
		return nil, Visit{}, err
	}
	v := Visit{Account: a.ID, Site: s.Name}
	if a.Behind != "" {
		v.Account = a.Behind
	}
	if p.Door == nil {
		return s, v, &Error{Code: Conflict, Message: "The panel has no way to the files of sites here: they are reached through a port of each site's own.",
			Mend: "An administrator can have all come through the gateway: sftp.exposure in the chart's values."}
	}
	return s, v, closed(s.Domain)
}

// closed says why nobody can come into a site just now; nil when they can.
func closed(d *v1alpha1.Domain) error {
	switch {
	case d == nil:
		return &Error{Code: Conflict, Message: "The site is being made.", Mend: "Its files are here in a moment."}
	case !d.DeletionTimestamp.IsZero():
		return &Error{Code: Conflict, Message: "The site is being deleted."}
	case d.Spec.Suspended:
		return &Error{Code: Conflict, Message: "The site is suspended, and its file server with it. Nothing is lost.",
			Mend: "Resume the site, and its files are here again."}
	case d.Spec.SFTP.Enabled != nil && !*d.Spec.SFTP.Enabled:
		return &Error{Code: Conflict, Message: "SFTP is switched off for this site, and the panel comes to its files the same way.",
			Mend: "Set spec.sftp.enabled of the Domain to true."}
	case d.Status.SFTP == nil:
		return &Error{Code: Conflict, Message: "The site's file server is being made.", Mend: "Its files are here in a moment."}
	}
	return nil
}

// Shell opens a site's shell for an actor. Opening is noted, and so is the end, by who
// calls CloseShell.
func (p *Provider) Shell(ctx context.Context, a Actor, name string, size TerminalSize) (Terminal, error) {
	s, v, err := p.visit(ctx, a, RightSiteTerminal, name)
	if err != nil {
		return nil, err
	}
	if s.Domain.Spec.SFTP.Type != v1alpha1.SFTPGit {
		return nil, &Error{Code: Conflict, Message: "The site has no shell.", Mend: "Switch it on, and the terminal is here in a moment."}
	}
	if err := p.noteDeed(ctx, a, s, RightSiteTerminal, Deed{After: map[string]string{"terminal": "opened"}}); err != nil {
		return nil, err
	}
	t, err := p.Door.Terminal(ctx, v, size)
	if err != nil {
		return nil, err
	}
	return &shell{Terminal: t, ended: func() error {
		return p.noteDeed(context.WithoutCancel(ctx), a, s, RightSiteTerminal, Deed{After: map[string]string{"terminal": "closed"}})
	}}, nil
}

// shell notes its end.
type shell struct {
	Terminal

	ended func() error
	once  sync.Once
	err   error
}

// Close ends the shell, once, whoever comes first: who types or who reads.
func (s *shell) Close() error {
	s.once.Do(func() { s.err = errors.Join(s.Terminal.Close(), s.ended()) })
	return s.err
}

// MayEnter tells whether an actor may come in for files or a terminal, and returns the
// site with the reason why it can't be just now; nil when it can.
func (p *Provider) MayEnter(ctx context.Context, a Actor, do Right, name string) (s *OwnedSite, why *Error, err error) {
	s, _, err = p.visit(ctx, a, do, name)
	if e, ok := asAnswer(err); ok && e.Code == Conflict {
		return s, e, nil
	}
	return s, nil, err
}

// noteDeed leaves a line in the trail about what is done past the store.
func (p *Provider) noteDeed(ctx context.Context, a Actor, s *OwnedSite, do Right, d Deed) error {
	return p.write(ctx, a, func(Tx) (change, error) {
		return change{did: do, object: s.Name, on: s.On(), after: d.After}, nil
	})
}
