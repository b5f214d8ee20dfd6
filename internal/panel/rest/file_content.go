package rest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/orders"
	"kubepanel.io/kubepanel/internal/panel/streams"
)

// maxPiece is the largest piece of an upload, in octets. What is cut off is sent again
// from where it was cut, so a piece is no loss.
const maxPiece = 16 << 20

func (s *Server) uploads() {
	handle(s, operation{method: http.MethodGet, path: "/sites/{site}/uploads", id: "getUpload", summary: "Show how much of an upload is there",
		scope: hosting.RightSiteFiles, says: "An upload is known by its path, size and time of modification: who sends the same file goes on where it was cut."}, s.getUpload)
	handle(s, operation{method: http.MethodPatch, path: "/sites/{site}/uploads", id: "upload", summary: "Add a piece to an upload, up to 16 MiB",
		scope: hosting.RightSiteFiles, stream: true, long: true, body: maxPiece,
		says: "The piece is the request's body. The last one makes the upload the file. An offset that is not where the upload ends answers 409: ask for that, and go on there."}, s.upload)
	handle(s, operation{method: http.MethodDelete, path: "/sites/{site}/uploads", id: "cancelUpload", summary: "Forget an upload that is not whole yet", status: http.StatusNoContent,
		scope: hosting.RightSiteFiles, says: "Nothing happens where there is none. What nobody goes on with is forgotten after a week by itself."}, s.cancelUpload)
}

// Sent is the body of a request that is read as it comes.
type Sent struct{ flow *flow }

// Resolve implements huma.Resolver.
func (b *Sent) Resolve(c huma.Context) []error {
	b.flow = flowing(c)
	return nil
}

// UploadPath says which upload is meant.
type UploadPath struct {
	FilePath
	Size     int64  `query:"size" required:"true" minimum:"0" doc:"Of the whole file, in octets."`
	Modified string `query:"modified" maxLength:"100" doc:"What your computer says of the file's last change; tells versions of it apart."`
	Replace  bool   `query:"replace" doc:"Replace a file that is there."`
}

func (p UploadPath) upload() hosting.Upload {
	return hosting.Upload{Path: p.Path, Size: p.Size, Modified: p.Modified, Replace: p.Replace}
}

// Uploaded is how far an upload is.
type Uploaded struct {
	Offset int64 `json:"offset" doc:"How much of it is there, in octets."`
	Done   bool  `json:"done" doc:"It has become the file."`
}

func (s *Server) getUpload(ctx context.Context, a hosting.Actor, in *UploadPath) (*answer[Uploaded], error) {
	files, err := s.open(ctx, a, in.Site)
	if err != nil {
		return nil, err
	}
	there, err := files.Uploaded(ctx, in.upload())
	if err != nil {
		return nil, err
	}
	return &answer[Uploaded]{Uploaded{Offset: there}}, nil
}

func (s *Server) cancelUpload(ctx context.Context, a hosting.Actor, in *UploadPath) (*struct{}, error) {
	files, err := s.open(ctx, a, in.Site)
	if err != nil {
		return nil, err
	}
	return nil, files.CancelUpload(ctx, in.upload())
}

func (s *Server) upload(ctx context.Context, a hosting.Actor, in *struct {
	UploadPath
	Sent
	Offset int64 `query:"offset" minimum:"0" doc:"Where the piece belongs."`
}) (*answer[Uploaded], error) {
	files, err := s.open(ctx, a, in.Site)
	if err != nil {
		return nil, err
	}
	ctx, done := s.while(ctx, in.flow.request, hosting.RightSiteFiles, in.Site)
	defer done()
	there, err := files.Upload(ctx, in.upload(), in.Offset, in.flow)
	if err != nil {
		return nil, streams.Why(ctx, err)
	}
	return &answer[Uploaded]{Uploaded{Offset: there, Done: there == in.Size}}, nil
}

// saved is a file as it was saved.
type saved struct {
	ETag string `header:"ETag"`
	Body File
}

func (s *Server) saveFile(ctx context.Context, a hosting.Actor, in *struct {
	FilePath
	Sent
	IfMatch string `header:"If-Match" maxLength:"200" doc:"The ETag of the file that is replaced, or *."`
}) (*saved, error) {
	files, err := s.open(ctx, a, in.Site)
	if err != nil {
		return nil, err
	}
	sum := strings.Trim(strings.TrimSpace(in.IfMatch), `"`)
	if sum == "*" {
		if _, sum, err = files.Small(ctx, in.Path); err != nil {
			return nil, err
		}
	}
	content, err := io.ReadAll(in.flow)
	if err != nil {
		return nil, bodyProblem(err)
	}
	if err := files.Save(ctx, in.Path, string(content), sum); err != nil {
		if sum != "" && hosting.CodeOf(err) == hosting.Conflict {
			err = &hosting.Error{Code: hosting.Changed, Message: "The file is not any more what If-Match names.", Mend: "Read it again and decide anew.", Err: err}
		}
		return nil, err
	}
	file, err := files.Stat(ctx, in.Path)
	if err != nil {
		return nil, err
	}
	return &saved{ETag: `"` + hosting.ContentSum(content) + `"`, Body: fileOf(file)}, nil
}

func (s *Server) readFile(ctx context.Context, a hosting.Actor, in *FilePath) (*stream, error) {
	files, err := s.open(ctx, a, in.Site)
	if err != nil {
		return nil, err
	}
	file, err := files.Stat(ctx, in.Path)
	if err != nil {
		return nil, err
	}
	if file.Kind != orders.KindFile {
		return nil, &hosting.Error{Code: hosting.Invalid, Message: "That is no plain file.", Mend: "A folder can be had as an archive."}
	}
	var content io.ReadSeeker
	tag := fmt.Sprintf(`"%x-%x"`, file.Modified.UnixNano(), file.Size)
	if file.Size <= hosting.MaxText {
		small, sum, err := files.Small(ctx, in.Path)
		if err != nil {
			return nil, err
		}
		content, tag = bytes.NewReader(small), `"`+sum+`"`
	}
	return &stream{ContentType: "application/octet-stream", Body: func(to huma.Context) {
		f := flowing(to)
		if content == nil {
			ctx, done := s.while(ctx, f.request, hosting.RightSiteFiles, in.Site)
			defer done()
			distant := &distantFile{ctx: ctx, files: files, path: in.Path, size: file.Size}
			defer distant.Close()
			content = distant
		}
		asFile(f.w, path.Base(path.Clean("/"+in.Path)))
		f.w.Header().Set("ETag", tag)
		http.ServeContent(&patient{flow: f}, f.request, "", file.Modified.Truncate(time.Second), content)
	}}, nil
}

// asFile has a browser keep an answer, and show nothing of it.
func asFile(w http.ResponseWriter, name string) {
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	w.Header().Set("Cache-Control", "private, no-cache")
}

// patient sends through a flow what writes to a http.ResponseWriter, and makes problem
// documents of what net/http refuses: a range that is not there, a condition that fails.
type patient struct {
	*flow

	refused bool
}

// Header implements http.ResponseWriter.
func (p *patient) Header() http.Header { return p.w.Header() }

// WriteHeader implements http.ResponseWriter.
func (p *patient) WriteHeader(status int) {
	if status < http.StatusBadRequest {
		p.w.WriteHeader(status)
		return
	}
	p.refused = true
	problem := decoded(status, "that part of the file, or that version of it, is not there")
	for _, name := range []string{"Content-Disposition", "Content-Length"} {
		p.Header().Del(name)
	}
	problem.write(p.w)
}

// Write implements http.ResponseWriter.
func (p *patient) Write(b []byte) (int, error) {
	if p.refused {
		return len(b), nil
	}
	return p.flow.Write(b)
}

func (s *Server) downloadFolder(ctx context.Context, a hosting.Actor, in *FilePath) (*stream, error) {
	files, err := s.open(ctx, a, in.Site)
	if err != nil {
		return nil, err
	}
	file, err := files.Stat(ctx, in.Path)
	if err != nil {
		return nil, err
	}
	if file.Kind != orders.KindFolder {
		return nil, &hosting.Error{Code: hosting.Invalid, Message: "That is no folder.", Mend: "A file is had by its content."}
	}
	name := path.Base(path.Clean("/" + in.Path))
	if name == "/" {
		name = in.Site
	}
	return &stream{ContentType: "application/gzip", Body: func(to huma.Context) {
		f := flowing(to)
		ctx, done := s.while(ctx, f.request, hosting.RightSiteFiles, in.Site)
		defer done()
		asFile(f.w, name+".tar.gz")
		s.end(ctx, f, "download a folder", streams.Why(ctx, files.Download(ctx, in.Path, f)))
	}}, nil
}

// distantFile is a file of a site that is read where somebody wants it.
type distantFile struct {
	ctx   context.Context //nolint:containedctx // of the one request that reads it
	files *hosting.SiteFiles
	path  string
	size  int64

	at   int64
	pipe *io.PipeReader // what comes from at on; nil before it was asked for
}

// Seek implements io.Seeker.
func (d *distantFile) Seek(offset int64, whence int) (int64, error) {
	at := offset
	switch whence {
	case io.SeekCurrent:
		at += d.at
	case io.SeekEnd:
		at += d.size
	}
	if at != d.at {
		d.Close()
	}
	d.at = at
	return at, nil
}

// Read implements io.Reader.
func (d *distantFile) Read(b []byte) (int, error) {
	if d.at >= d.size {
		return 0, io.EOF
	}
	if d.pipe == nil {
		from, to := io.Pipe()
		part := hosting.Part{Offset: d.at, Size: d.size - d.at}
		go func() { to.CloseWithError(d.files.ReadPart(d.ctx, d.path, part, to)) }()
		d.pipe = from
	}
	n, err := d.pipe.Read(b)
	d.at += int64(n)
	return n, err
}

// Close ends what is being read.
func (d *distantFile) Close() {
	if d.pipe != nil {
		d.pipe.Close()
		d.pipe = nil
	}
}
