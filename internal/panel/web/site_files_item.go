package web

import (
	"net/http"
	"net/url"
	"path"
	"strings"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/orders"
)

// filesItem is the page of one file or folder: what it is, and what can be done to it.
type filesItem struct {
	sitePage

	Why   *hosting.Error
	At    string
	File  orders.File
	Done  string
	Form  url.Values
	Wrong faults
}

func (s *Server) item(r *http.Request) (*filesItem, error) {
	page, files, why, err := s.filesOf(r)
	p := &filesItem{sitePage: page, Why: why, Form: url.Values{}}
	if err != nil || why != nil {
		return p, err
	}
	if p.At, err = hosting.ParsePath(r.URL.Query().Get("path")); err != nil {
		return p, err
	}
	file, err := files.Stat(r.Context(), p.At)
	if err != nil {
		return p, err
	}
	p.File, p.Done = *file, p.deed(r.URL.Query().Get("done"))
	return p, nil
}

func (s *Server) siteItem(w http.ResponseWriter, r *http.Request) error {
	p, err := s.item(r)
	if err != nil {
		return err
	}
	return show(w, r, http.StatusOK, p.view())
}

// Typed is what was typed into a field, or what it holds at first.
func (p filesItem) Typed(field, first string) string {
	if p.Form.Has(field) {
		return p.Form.Get(field)
	}
	return first
}

// filesEdit is a text that is being edited.
type filesEdit struct {
	sitePage

	Why       *hosting.Error
	At        string
	Text, Sum string
	// Language chooses the highlighting: what stands behind the name's last dot.
	Language string
	Saved    bool
	Wrong    faults
	// Theirs is the sum of what somebody else saved meanwhile; saving anew replaces that.
	Theirs string
}

func (s *Server) edit(r *http.Request) (*filesEdit, *hosting.SiteFiles, error) {
	page, files, why, err := s.filesOf(r)
	p := &filesEdit{sitePage: page, Why: why}
	if err != nil || why != nil {
		return p, nil, err
	}
	p.At, err = hosting.ParsePath(r.URL.Query().Get("path"))
	p.Language = strings.ToLower(strings.TrimPrefix(path.Ext(p.At), "."))
	p.Saved = r.URL.Query().Get("done") == "saved"
	return p, files, err
}

func (s *Server) siteEditor(w http.ResponseWriter, r *http.Request) error {
	p, files, err := s.edit(r)
	if err == nil && files != nil {
		p.Text, p.Sum, err = files.Text(r.Context(), p.At)
	}
	if hosting.CodeOf(err) == hosting.Invalid && err != nil {
		return seeOther(w, r, filesURL(p.Row.Name, "/item", p.At)) // no text: what it is instead
	}
	if err != nil {
		return err
	}
	return show(w, r, http.StatusOK, p.view())
}

// saveText saves what was edited, unless somebody else changed the file meanwhile: then
// the text stands in the form again, and the other one is a click away.
func (s *Server) saveText(w http.ResponseWriter, r *http.Request) error {
	p, files, err := s.edit(r)
	if err != nil {
		return err
	}
	if files == nil {
		return p.Why
	}
	// Browsers send ends of lines as CR LF, whatever they were.
	p.Text, p.Sum = strings.ReplaceAll(r.PostFormValue("text"), "\r\n", "\n"), r.PostFormValue("sum")
	if r.PostFormValue("ends") == "crlf" {
		p.Text = strings.ReplaceAll(p.Text, "\n", "\r\n")
	}
	sum := p.Sum
	if r.PostForm.Has("theirs") {
		sum = r.PostFormValue("theirs")
	}
	err = files.Save(r.Context(), p.At, p.Text, sum)
	if err == nil {
		return seeOther(w, r, filesURL(p.Row.Name, "/edit", p.At, "done", "saved"))
	}
	conflict := hosting.CodeOf(err) == hosting.Conflict
	if p.Wrong, err = s.asked(r, err); err != nil {
		return err
	}
	if conflict {
		_, p.Theirs, _ = files.Text(r.Context(), p.At) // gone or no text any more: there is nothing to replace then
	}
	return show(w, r, p.Wrong.Status, p.view())
}

// Ends tells which ends of lines the text has.
func (p filesEdit) Ends() string {
	if strings.Contains(p.Text, "\r\n") {
		return "crlf"
	}
	return "lf"
}
