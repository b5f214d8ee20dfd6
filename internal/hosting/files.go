package hosting

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"time"

	"kubepanel.io/kubepanel/internal/orders"
)

// SiteFiles are a site's files, opened for an actor. What changes one is noted in the
// audit trail before it is done, with names and sizes and never with content.
type SiteFiles struct {
	rules *Provider
	actor Actor
	site  *OwnedSite
	visit Visit

	// Wait is how long a change that may take long is waited for; 0 is to its end, NoWait
	// not at all.
	Wait time.Duration
}

// NoWait is the Wait of who never waits.
const NoWait time.Duration = -1

// FileDeed is what the audit trail tells of a change.
type FileDeed struct {
	Do    string   `json:"files"`
	Paths []string `json:"paths,omitempty"`
	To    string   `json:"to,omitempty"`
	Size  int64    `json:"size,omitempty"`
	Mode  string   `json:"mode,omitempty"`
	More  int      `json:"more,omitempty"`  // paths that are left out
	Found string   `json:"found,omitempty"` // what a scanner knows an upload as
}

// maxNoted is how many paths an entry names.
const maxNoted = 20

// longestDeed bounds a change of files that nobody waits for any more. One that gives no
// sign of life ends much sooner: the door sees to that.
const longestDeed = time.Hour

// Files opens a site's files for an actor.
func (p *Provider) Files(ctx context.Context, a Actor, name string) (*SiteFiles, error) {
	s, v, err := p.visit(ctx, a, RightSiteFiles, name)
	if err != nil {
		return nil, err
	}
	return &SiteFiles{rules: p, actor: a, site: s, visit: v}, nil
}

// Root is the folder that visitors of the site see.
func (f *SiteFiles) Root() string {
	root := f.site.Domain.Spec.Webserver.DocumentRoot
	if root == "" {
		root = "html"
	}
	return path.Clean("/" + root)
}

// order has the toolbox do something that is not noted.
func (f *SiteFiles) order(ctx context.Context, o orders.Order, in io.Reader, out io.Writer) (orders.Answer, error) {
	answer, err := f.rules.Door.Order(ctx, f.visit, o, in, out)
	if err != nil {
		return answer, err
	}
	return answer, told(answer)
}

// change notes what is about to be done, and does it. What needs nothing more of who asked
// is done to its end although they go away, within longestDeed.
func (f *SiteFiles) change(ctx context.Context, o orders.Order, in io.Reader) (orders.Answer, error) {
	deed := FileDeed{Do: o.Do, Paths: o.Paths, To: o.To, Size: o.Size}
	if o.Path != "" {
		deed.Paths = append([]string{o.Path}, o.Paths...)
	}
	if o.Do == orders.Mode {
		deed.Mode = fmt.Sprintf("%03o", o.Mode)
	}
	if len(deed.Paths) > maxNoted {
		deed.Paths, deed.More = deed.Paths[:maxNoted], len(deed.Paths)-maxNoted
	}
	if lengthy(o) {
		return f.late(ctx, o, deed)
	}
	if err := f.rules.noteDeed(ctx, f.actor, f.site, RightSiteFiles, Deed{After: deed}); err != nil {
		return orders.Answer{}, err
	}
	if in == nil {
		whole, cancel := context.WithTimeout(context.WithoutCancel(ctx), longestDeed)
		defer cancel()
		ctx = whole
	}
	return f.order(ctx, o, in, nil)
}

// ask gives what an order gives as JSON.
func (f *SiteFiles) ask(ctx context.Context, o orders.Order, into any) error {
	b := &bounded{left: maxAnswer}
	if _, err := f.order(ctx, o, nil, b); err != nil {
		return err
	}
	if err := readAnswer(b.Bytes(), into); err != nil {
		return NoAnswer(f.visit.Site, err)
	}
	return nil
}

// List returns a part of a folder.
func (f *SiteFiles) List(ctx context.Context, folder string, offset, limit int) (*orders.Listing, error) {
	at, err := ParsePath(folder)
	if err != nil {
		return nil, err
	}
	l := &orders.Listing{}
	return l, f.ask(ctx, orders.Order{Do: orders.List, Path: at, Offset: int64(offset), Limit: limit}, l)
}

// Stat describes what a path leads to.
func (f *SiteFiles) Stat(ctx context.Context, name string) (*orders.File, error) {
	at, err := ParsePath(name)
	if err != nil {
		return nil, err
	}
	file := &orders.File{}
	return file, f.ask(ctx, orders.Order{Do: orders.Stat, Path: at}, file)
}

// told makes a person's answer of a toolbox's.
func told(a orders.Answer) error {
	if a.Code == "" {
		return nil
	}
	say := func(code Code, message, mend string) error {
		return &Error{Code: code, Message: message, Mend: mend, Err: errors.New(a.Cause)}
	}
	name := showPath(a.Path)
	switch a.Code {
	case orders.Missing:
		return say(NotFound, "There is no "+name+".", "It may have been moved or deleted meanwhile: look at the folder again.")
	case orders.Exists:
		return say(Conflict, "There is something at "+name+" already.", "Choose another name, or move away what is there.")
	case orders.Full:
		return say(OverQuota, "The site's storage is full. Nothing was changed.", "Delete what is not needed, empty the trash, or give the site more storage.")
	case orders.Changed:
		return say(Conflict, "Somebody else changed "+name+" meanwhile.", "Open it again to see the change, or save under another name.")
	case orders.Refused:
		return say(Invalid, "The site does not allow that for "+name+".", "Its permissions forbid it, or it leads out of the site.")
	case orders.NotFolder:
		return say(Invalid, name+" is no folder.", "")
	case orders.NotFile:
		return say(Invalid, name+" is no plain file.", "")
	case orders.Inside:
		return say(Invalid, name+" can't be put into itself.", "Choose another folder.")
	case orders.TooMany:
		return say(Invalid, name+" holds more than the panel takes at once.", "Use SFTP or SSH for it.")
	case orders.TooLarge:
		return say(Invalid, "The archive would become far larger than an honest one does.", "If you trust it, unpack it over SSH.")
	case orders.BadEntry:
		return say(Invalid, "The archive has an entry that would land outside of its folder: "+name+". Nothing was unpacked.", "")
	case orders.Broken:
		return say(Invalid, name+" is no archive that can be read, or it is damaged. Nothing was unpacked.", "Archives are .zip, .tar, .tar.gz and .tgz.")
	}
	return fmt.Errorf("the toolbox answers %s for %s: %s", a.Code, a.Path, a.Cause)
}

func asAnswer(err error) (*Error, bool) { return errors.AsType[*Error](err) }
