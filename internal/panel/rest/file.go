package rest

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/orders"
)

func (s *Server) files() {
	files := func(method, path, id, summary, says string) operation {
		return operation{method: method, path: "/sites/{site}/files" + path, id: id, summary: summary, says: says, scope: hosting.RightSiteFiles, long: true}
	}
	quiet := func(op operation) operation { op.status = http.StatusNoContent; return op }
	// later may take long, and goes on when nobody waits.
	later := func(op operation) operation { op.later = true; return op }
	flowing := func(op operation) operation { op.stream = true; return op }
	handle(s, files(http.MethodGet, "", "listFiles", "List a folder", "Folders first, then by name."), s.listFiles)
	handle(s, files(http.MethodGet, "/item", "getFile", "Show what a path leads to", ""), s.getFile)
	read := flowing(files(http.MethodGet, "/content", "readFile", "Send a file's content",
		"As it is; Range asks for parts. The ETag of a file of up to 1 MiB is what saveFile wants in If-Match."))
	read.parts = true
	handle(s, read, s.readFile)
	save := flowing(files(http.MethodPut, "/content", "saveFile", "Make a file of the request's body, up to 1 MiB",
		"With If-Match it replaces what that names (* is whatever is there), without it the file must not be there. It is written whole or not at all. What is larger is uploaded."))
	save.body = hosting.MaxText
	handle(s, save, s.saveFile)
	handle(s, flowing(files(http.MethodGet, "/archive", "downloadFolder", "Send a folder as an archive (tar.gz)", "")), s.downloadFolder)
	handle(s, quiet(files(http.MethodPost, "/folders", "makeFolder", "Make a folder", "")), s.makeFolder)
	handle(s, quiet(files(http.MethodPost, "/move", "moveFiles", "Move files into a folder", "")), s.moveFiles)
	handle(s, later(quiet(files(http.MethodPost, "/copy", "copyFiles", "Copy files into a folder", ""))), s.copyFiles)
	handle(s, files(http.MethodPost, "/rename", "renameFile", "Give a file another name in its folder", ""), s.renameFile)
	handle(s, quiet(files(http.MethodPost, "/mode", "setFileMode", "Change a file's permissions", "")), s.setFileMode)
	handle(s, quiet(files(http.MethodPost, "/trash", "trashFiles", "Move files into the trash", "")), s.trashFiles)
	handle(s, files(http.MethodGet, "/trash", "listTrash", "List the trash, the newest first", ""), s.listTrash)
	handle(s, quiet(files(http.MethodPost, "/trash/restore", "restoreFiles", "Put things from the trash back where they were", "")), s.restoreFiles)
	handle(s, later(quiet(files(http.MethodDelete, "/trash", "emptyTrash", "Remove for good what is in the trash", ""))), s.emptyTrash)
	handle(s, later(quiet(files(http.MethodPost, "/pack", "packFiles", "Make an archive of names in a folder", ""))), s.packFiles)
	handle(s, later(files(http.MethodPost, "/unpack", "unpackFile", "Unpack an archive beside it",
		"Into a new folder of its name, or with merge into the folder that it is in. What would replace something is refused before anything is there.")), s.unpackFile)
	handle(s, files(http.MethodGet, "/jobs", "listFileJobs", "List long changes of files, the newest first",
		"Those under way, whichever panel carries them out, and the last ten that ended within a day without somebody waiting for them."), s.listFileJobs)
	handle(s, files(http.MethodGet, "/jobs/{change}", "getFileJob", "Show how far a long change of files is", ""), s.getFileJob)
	cancel := files(http.MethodDelete, "/jobs/{change}", "cancelFileJob", "Cancel a long change of files",
		"It ends within seconds and leaves nothing half done; what was whole by then stays. One that has ended stays as it is.")
	cancel.status = http.StatusAccepted
	handle(s, cancel, s.cancelFileJob)
}

// File is what a folder holds under a name.
type File struct {
	Name string `json:"name" doc:"Octets that are no UTF-8 are replaced; then octets has the name as it is."`
	// Octets names what the panel can't be asked about.
	Octets   []byte    `json:"octets,omitempty" doc:"A name that is no UTF-8, which only SFTP and SSH reach."`
	Kind     string    `json:"kind" enum:"folder,file,link,other"`
	Size     int64     `json:"size"`
	Mode     string    `json:"mode" doc:"Permissions as octal digits." example:"644"`
	Modified time.Time `json:"modified"`
	Target   string    `json:"target,omitempty" doc:"Where a link leads."`
}

func fileOf(f *orders.File) File {
	const octal = 8
	r := File{Name: readable(f.Name), Kind: f.Kind, Size: f.Size, Mode: strconv.FormatUint(uint64(f.Mode), octal), Modified: f.Modified, Target: readable(f.Target)}
	if !utf8.Valid(f.Name) {
		r.Octets = f.Name
	}
	return r
}

func readable(name []byte) string { return strings.ToValidUTF8(string(name), "\ufffd") }

// FilePath is an operation on one file or folder.
type FilePath struct {
	SitePath
	Path string `query:"path" required:"true" maxLength:"4000" doc:"From the site's top on." example:"/html/index.php"`
}

// open opens a site's files.
func (s *Server) open(ctx context.Context, a hosting.Actor, site string) (*hosting.SiteFiles, error) {
	return s.rules(ctx).Files(ctx, a, site)
}

func (s *Server) listFiles(ctx context.Context, a hosting.Actor, in *struct {
	SitePath
	Paging
	Path string `query:"path" maxLength:"4000" doc:"From the site's top on; what visitors see when left out." example:"/html"`
}) (*answer[List[File]], error) {
	from, err := in.before()
	if err != nil {
		return nil, err
	}
	files, err := s.open(ctx, a, in.Site)
	if err != nil {
		return nil, err
	}
	if in.Path == "" {
		in.Path = files.Root()
	}
	found, err := files.List(ctx, in.Path, int(from), in.Limit)
	if err != nil {
		return nil, err
	}
	l := whole(found.Files, fileOf).Body
	total, next := int64(found.Total), from+int64(len(found.Files))
	if l.Total = &total; next < total && len(found.Files) > 0 {
		l.Next = cursor(strconv.FormatInt(next, 10))
	}
	return &answer[List[File]]{l}, nil
}

func (s *Server) getFile(ctx context.Context, a hosting.Actor, in *FilePath) (*answer[File], error) {
	files, err := s.open(ctx, a, in.Site)
	if err != nil {
		return nil, err
	}
	found, err := files.Stat(ctx, in.Path)
	if err != nil {
		return nil, err
	}
	return &answer[File]{fileOf(found)}, nil
}

// Thrown is something in the trash.
type Thrown struct {
	Name string    `json:"name" doc:"In the trash; restoreFiles takes it."`
	From string    `json:"from" doc:"Where it was."`
	Kind string    `json:"kind" enum:"folder,file,link,other"`
	Size int64     `json:"size"`
	At   time.Time `json:"at"`
	// Until is left out where things stay.
	Until *time.Time `json:"until,omitempty" doc:"When it is removed for good."`
}

func (s *Server) listTrash(ctx context.Context, a hosting.Actor, in *struct {
	SitePath
	Paging
}) (*answer[List[Thrown]], error) {
	files, err := s.open(ctx, a, in.Site)
	if err != nil {
		return nil, err
	}
	found, err := files.Trashed(ctx)
	if err != nil {
		return nil, err
	}
	return paged(in.Paging, found, func(t *orders.Thrown) string { return newest(t.At, string(t.Name)) }, func(t *orders.Thrown) Thrown {
		thrown := Thrown{Name: readable(t.Name), From: readable(t.From), Kind: t.Kind, Size: t.Size, At: t.At}
		if !t.Until.IsZero() {
			thrown.Until = &t.Until
		}
		return thrown
	})
}
