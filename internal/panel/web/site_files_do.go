package web

import (
	"errors"
	"net/http"
	"path"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/orders"
)

// doFiles does one thing to files of a folder, or to the one file of an item's page.
// The address has the folder or the file, the form which of its buttons was pressed.
func (s *Server) doFiles(w http.ResponseWriter, r *http.Request) error {
	files, err := s.Rules.Files(r.Context(), actor(r.Context()), r.PathValue("site"))
	if err != nil {
		return err
	}
	at, err := hosting.ParsePath(r.URL.Query().Get("path"))
	if err != nil {
		return err
	}
	if err := r.ParseForm(); err != nil {
		return unreadable(err)
	}
	lingering(w)
	files.Wait = waitForDeed
	d := deed{r: r, files: files, at: at}
	for _, name := range r.PostForm["file"] {
		d.names = append(d.names, path.Base("/"+name))
		d.paths = append(d.paths, path.Join(at, path.Base("/"+name)))
	}
	do, known := map[string]func() (string, error){
		"file": d.file, "folder": d.folder, "trash": d.trash, "move": d.move, "copy": d.copy, "pack": d.pack,
		"rename": d.rename, "mode": d.mode, "unpack": d.unpack, "unpack-here": d.unpackHere,
		"restore": d.restore, "empty": d.empty,
	}[r.PostForm.Get("do")]
	if !known {
		return &hosting.Error{Code: hosting.Invalid, Message: "There is no such button.", Mend: "Go back and try again."}
	}
	to, err := do()
	if _, going := errors.AsType[*hosting.Going](err); going {
		return seeOther(w, r, d.meanwhile())
	}
	if err == nil {
		return seeOther(w, r, to)
	}
	return s.filesAgain(w, r, err)
}

// filesAgain shows the page that a form was on, with what was typed and what is wrong.
func (s *Server) filesAgain(w http.ResponseWriter, r *http.Request, err error) error {
	wrong, err := s.asked(r, err)
	if err != nil {
		return err
	}
	switch r.PostForm.Get("on") {
	case "item":
		p, err := s.item(r)
		if err != nil {
			return err
		}
		p.Form, p.Wrong = r.PostForm, wrong
		return show(w, r, wrong.Status, p.view())
	case "trash":
		p, err := s.trash(r)
		if err != nil {
			return err
		}
		p.Wrong = wrong
		return show(w, r, wrong.Status, p.view())
	}
	p, err := s.folder(r)
	if err != nil {
		return err
	}
	p.Form, p.Wrong = r.PostForm, wrong
	return show(w, r, wrong.Status, p.view())
}

// deed is one thing that is done to files. Each of its methods returns where to go
// then.
type deed struct {
	r     *http.Request
	files *hosting.SiteFiles
	// at is the folder or the file, paths and names are what is ticked in it.
	at           string
	paths, names []string
}

// meanwhile is the page that shows how what is under way goes.
func (d deed) meanwhile() string {
	site := d.r.PathValue("site")
	switch d.value("on") {
	case "item":
		return filesURL(site, "", path.Dir(d.at))
	case "trash":
		return filesURL(site, "/trash", "/")
	}
	return filesURL(site, "", d.at)
}

func (d deed) value(name string) string { return d.r.PostForm.Get(name) }

func (d deed) to(at, done string) string {
	return filesURL(d.r.PathValue("site"), "", at, "done", done)
}

func (d deed) item(at, done string) string {
	return filesURL(d.r.PathValue("site"), "/item", at, "done", done)
}

func (d deed) file() (string, error) {
	at, err := d.files.Make(d.r.Context(), d.at, d.value("name"), false)
	return filesURL(d.r.PathValue("site"), "/edit", at), err
}

func (d deed) folder() (string, error) {
	at, err := d.files.Make(d.r.Context(), d.at, d.value("name"), true)
	return d.to(at, "made"), err
}

func (d deed) trash() (string, error) {
	if d.value("on") == "item" {
		return d.to(path.Dir(d.at), "trashed"), d.files.Trash(d.r.Context(), []string{d.at})
	}
	return d.to(d.at, "trashed"), d.files.Trash(d.r.Context(), d.paths)
}

func (d deed) move() (string, error) {
	return d.to(d.at, "moved"), d.files.Move(d.r.Context(), d.paths, d.value("to"))
}

func (d deed) copy() (string, error) {
	return d.to(d.at, "copied"), d.files.Copy(d.r.Context(), d.paths, d.value("to"))
}

func (d deed) pack() (string, error) {
	return d.to(d.at, "packed"), d.files.Pack(d.r.Context(), d.at, d.names, d.value("archive"))
}

func (d deed) rename() (string, error) {
	at, err := d.files.Rename(d.r.Context(), d.at, d.value("name"))
	return d.item(at, "moved"), err
}

func (d deed) mode() (string, error) {
	return d.item(d.at, "mode"), d.files.Mode(d.r.Context(), d.at, d.value("mode"))
}

func (d deed) unpack() (string, error) {
	at, err := d.files.Unpack(d.r.Context(), d.at, false)
	return d.to(at, "unpacked"), err
}

func (d deed) unpackHere() (string, error) {
	at, err := d.files.Unpack(d.r.Context(), d.at, true)
	return d.to(at, "unpacked"), err
}

func (d deed) restore() (string, error) {
	return filesURL(d.r.PathValue("site"), "/trash", "/", "done", "restored"), d.files.Restore(d.r.Context(), d.names)
}

func (d deed) empty() (string, error) {
	if err := ticked(d.r); err != nil {
		return "", err
	}
	return filesURL(d.r.PathValue("site"), "/trash", "/", "done", "emptied"), d.files.EmptyTrash(d.r.Context())
}

// filesTrash is what was thrown away.
type filesTrash struct {
	sitePage

	Why   *hosting.Error
	All   []orders.Thrown
	Done  string
	Wrong faults
	Jobs  []hosting.FileJob
}

// keptFor is how many days the site's toolbox leaves things in the trash; 0 of one that
// leaves them for good, or does not tell.
func keptFor(all []orders.Thrown) int {
	const day = 24 * time.Hour
	for _, t := range all {
		if !t.Until.IsZero() {
			return int(t.Until.Sub(t.At) / day)
		}
	}
	return 0
}

func (s *Server) trash(r *http.Request) (*filesTrash, error) {
	page, files, why, err := s.filesOf(r)
	p := &filesTrash{sitePage: page, Why: why}
	if err != nil || why != nil {
		return p, err
	}
	p.Done = p.deed(r.URL.Query().Get("done"))
	if p.Jobs, err = shownJobs(r.Context(), files, s.Now()); err != nil {
		return p, err
	}
	p.All, err = files.Trashed(r.Context())
	return p, err
}

func (s *Server) siteTrash(w http.ResponseWriter, r *http.Request) error {
	p, err := s.trash(r)
	if err != nil {
		return err
	}
	return show(w, r, http.StatusOK, p.view())
}
