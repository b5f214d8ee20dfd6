package web

import (
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/orders"
)

// filesPage is how many files a page lists.
const filesPage = 200

// fileRoutes are the pages of what is in a site.
func (s *Server) fileRoutes() map[string]handler {
	return map[string]handler{
		"GET /sites/{site}/files":                       s.siteFiles,
		"POST /sites/{site}/files":                      s.doFiles,
		"GET /sites/{site}/files/item":                  s.siteItem,
		"GET /sites/{site}/files/edit":                  s.siteEditor,
		"POST /sites/{site}/files/edit":                 s.saveText,
		"GET /sites/{site}/files/download":              s.downloadFile,
		"GET /sites/{site}/files/trash":                 s.siteTrash,
		"GET /sites/{site}/files/findings":              s.showFindings,
		"POST /sites/{site}/files/findings":             s.decideFinding,
		"HEAD /sites/{site}/files/upload":               s.upload,
		"PATCH /sites/{site}/files/upload":              s.upload,
		"DELETE /sites/{site}/files/upload":             s.upload,
		"POST /sites/{site}/files/jobs/{change}/cancel": s.cancelFileJob,
		"GET /sites/{site}/terminal":                    s.siteTerminal,
		"GET /sites/{site}/terminal/socket":             s.socket,
	}
}

// siteFiles is a folder of a site.
type siteFiles struct {
	sitePage

	// Why says that nobody can come in just now; the rest is empty then.
	Why *hosting.Error
	// Root is the folder that visitors see.
	Root   string
	Folder string
	Files  []orders.File
	Total  int
	From   int
	// Done says in a sentence what was just done.
	Done string
	// Jobs are what is under way, or ended lately.
	Jobs []hosting.FileJob
	// Form is what was typed, Wrong what is wrong with it.
	Form  url.Values
	Wrong faults
}

// filesOf begins a page about a site's files. Where nobody can come in, why says so
// and files is nil.
func (s *Server) filesOf(r *http.Request) (page sitePage, files *hosting.SiteFiles, why *hosting.Error, err error) {
	files, err = s.Rules.Files(r.Context(), actor(r.Context()), r.PathValue("site"))
	if e, ok := asError(err); ok && e.Code == hosting.Conflict {
		why, err = e, nil
	}
	if err == nil {
		page, err = s.site(r, "/files")
	}
	return page, files, why, err
}

func (s *Server) siteFiles(w http.ResponseWriter, r *http.Request) error {
	if partial(r) {
		return s.fileJobs(w, r)
	}
	p, err := s.folder(r)
	if err != nil {
		return err
	}
	return show(w, r, http.StatusOK, p.view())
}

// folder reads the folder that the address names; without one what visitors see.
func (s *Server) folder(r *http.Request) (*siteFiles, error) {
	page, files, why, err := s.filesOf(r)
	p := &siteFiles{sitePage: page, Why: why, Form: url.Values{}}
	if err != nil || why != nil {
		return p, err
	}
	query := r.URL.Query()
	p.Root = files.Root()
	p.Folder = p.Root
	if query.Has("path") {
		if p.Folder, err = hosting.ParsePath(query.Get("path")); err != nil {
			return p, err
		}
	}
	p.From, _ = strconv.Atoi(query.Get("from")) // what is no number is the beginning
	p.From = max(p.From, 0)
	p.Done = p.deed(query.Get("done"))
	if p.Jobs, err = shownJobs(r.Context(), files, s.Now()); err != nil {
		return p, err
	}
	listing, err := files.List(r.Context(), p.Folder, p.From, filesPage)
	if hosting.CodeOf(err) == hosting.NotFound && !query.Has("path") && p.Folder != "/" {
		p.Folder = "/" // the site's folder was renamed
		listing, err = files.List(r.Context(), p.Folder, p.From, filesPage)
	}
	if err != nil {
		return p, err
	}
	p.Files, p.Total = listing.Files, listing.Total
	return p, nil
}

// deed says what was done, by the name that the address has for it.
func (f *frame) deed(name string) string {
	return map[string]string{
		"saved": f.T("Saved."), "made": f.T("Made."), "moved": f.T("Moved."), "copied": f.T("Copied."),
		"trashed": f.T("In the trash. You can bring it back from there."), "restored": f.T("Brought back."),
		"emptied": f.T("The trash is empty."), "mode": f.T("The permissions are changed."),
		"packed": f.T("The archive is made."), "unpacked": f.T("Unpacked."), "uploaded": f.T("Uploaded."),
	}[name]
}

// filesURL is the address of a page about a path in a site.
func filesURL(site, page, at string, more ...string) string {
	query := url.Values{"path": {at}}
	for i := 0; i+1 < len(more); i += 2 {
		query.Set(more[i], more[i+1])
	}
	return siteURL(site) + "/files" + page + "?" + query.Encode()
}

// trail are the folders above a path, and it itself.
func (p sitePage) trail(at string) []link {
	links := []link{{Text: p.T("All files"), To: filesURL(p.Row.Name, "", "/")}}
	whole := ""
	for part := range strings.SplitSeq(strings.Trim(at, "/"), "/") {
		if part != "" {
			whole += "/" + part
			links = append(links, link{Text: part, To: filesURL(p.Row.Name, "", whole)})
		}
	}
	links[len(links)-1].Current = true
	return links
}

// at is the path of a file in the folder.
func (p siteFiles) at(f orders.File) string { return path.Join(p.Folder, string(f.Name)) }

// opens is where a name leads: folders and links open, texts are edited, and of all
// else there is a page.
func (p siteFiles) opens(f orders.File) string {
	switch {
	case f.Kind == orders.KindFolder:
		return filesURL(p.Row.Name, "", p.at(f))
	case f.Kind == orders.KindFile && f.Size <= maxEdit && editable(string(f.Name)):
		return filesURL(p.Row.Name, "/edit", p.at(f))
	}
	return p.item(f)
}

func (p siteFiles) item(f orders.File) string { return filesURL(p.Row.Name, "/item", p.at(f)) }

// Next is the address of the page behind this one; "" for none.
func (p siteFiles) Next() string {
	if p.From+len(p.Files) >= p.Total || len(p.Files) == 0 {
		return ""
	}
	return filesURL(p.Row.Name, "", p.Folder, "from", strconv.Itoa(p.From+len(p.Files)))
}

// Before is the address of the page before this one; "" for none.
func (p siteFiles) Before() string {
	if p.From == 0 {
		return ""
	}
	return filesURL(p.Row.Name, "", p.Folder, "from", strconv.Itoa(max(p.From-filesPage, 0)))
}

// shown is a name that can be read, whatever octets it has; named tells whether a form
// can send it back as it is.
func shown(name []byte) string { return strings.ToValidUTF8(string(name), "�") }
func named(f orders.File) bool { return utf8.Valid(f.Name) }

// fileIcon is the picture of a file.
func fileIcon(f orders.File) string {
	switch {
	case f.Kind == orders.KindFolder:
		return "folder"
	case f.Kind == orders.KindLink:
		return "out"
	case isArchive(string(f.Name)):
		return "packages"
	}
	return "file"
}

func isArchive(name string) bool {
	name = strings.ToLower(name)
	return slices.ContainsFunc([]string{".zip", ".tar", ".tar.gz", ".tgz"}, func(end string) bool { return strings.HasSuffix(name, end) })
}

// editable guesses by a name whether a file is a text.
func editable(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".zip", ".gz", ".tgz", ".tar", ".bz2", ".xz", ".7z", ".rar", ".png", ".jpg", ".jpeg", ".gif", ".webp", ".avif", ".ico", ".pdf",
		".mp3", ".mp4", ".webm", ".mov", ".avi", ".ogg", ".wav", ".woff", ".woff2", ".ttf", ".otf", ".eot", ".phar", ".so", ".exe", ".db", ".sqlite", ".mo":
		return false
	}
	return true
}

// permissions as ls has them, and in octal digits.
func permissions(f orders.File) string { return fs.FileMode(f.Mode).String()[1:] }
func octal(f orders.File) string       { return fmt.Sprintf("%03o", f.Mode) }

// stamp is a time for machines.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// maxEdit is the largest file that the page edits, in octets.
const maxEdit = 1 << 20

// sshLine is the command that comes to the same shell.
func (p sitePage) sshLine() string {
	s := p.Domain.Status.SFTP
	if s == nil {
		return "ssh " + p.Row.Name
	}
	return "ssh -p " + strconv.Itoa(int(s.Port)) + " " + s.Username + "@" + s.Host
}

// sftpLine is the command that comes to the same files.
func (p sitePage) sftpLine() string {
	s := p.Domain.Status.SFTP
	if s == nil {
		return "sftp " + p.Row.Name
	}
	return "sftp -P " + strconv.Itoa(int(s.Port)) + " " + s.Username + "@" + s.Host
}

// typed is what was typed into a field, or what it holds at first.
func (p siteFiles) typed(field, first string) string {
	if p.Form.Has(field) {
		return p.Form.Get(field)
	}
	return first
}

// newFault is what is wrong with the name of something new; with ticked files, the name
// is an archive's.
func (p siteFiles) newFault() string {
	if p.Form.Has("file") {
		return ""
	}
	return p.Wrong.Of("name")
}

// ticked tells whether a file was ticked in the form that is shown again.
func (p siteFiles) ticked(f orders.File) bool { return slices.Contains(p.Form["file"], string(f.Name)) }
