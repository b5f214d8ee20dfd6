package rest

import (
	"context"
	"path"

	"kubepanel.io/kubepanel/internal/hosting"
)

// late does something that may take long, as the client prefers to hear of it.
func (s *Server) late(ctx context.Context, a hosting.Actor, in LateDeed, do func(*hosting.SiteFiles) error) (*struct{}, error) {
	return s.deed(ctx, a, in.Site, func(files *hosting.SiteFiles) error {
		files.Wait = in.patience()
		return do(files)
	})
}

// deed does something to a site's files.
func (s *Server) deed(ctx context.Context, a hosting.Actor, site string, do func(*hosting.SiteFiles) error) (*struct{}, error) {
	files, err := s.open(ctx, a, site)
	if err != nil {
		return nil, err
	}
	return nil, do(files)
}

// At is where something is after what was done to it.
type At struct {
	Path string `json:"path"`
}

func (s *Server) makeFolder(ctx context.Context, a hosting.Actor, in *struct {
	SitePath
	Body struct {
		Path string `json:"path" maxLength:"4000" example:"/html/pictures"`
	} `nameHint:"NewFolder"`
}) (*struct{}, error) {
	at, err := hosting.ParsePath(in.Body.Path)
	if err != nil {
		return nil, err
	}
	return s.deed(ctx, a, in.Site, func(files *hosting.SiteFiles) error {
		_, err := files.Make(ctx, path.Dir(at), path.Base(at), true)
		return err
	})
}

// Transfer names files and the folder that they go to.
type Transfer struct {
	Paths []string `json:"paths" minItems:"1" maxItems:"1000"`
	To    string   `json:"to" maxLength:"4000" doc:"A folder."`
}

func (s *Server) moveFiles(ctx context.Context, a hosting.Actor, in *struct {
	SitePath
	Body Transfer
}) (*struct{}, error) {
	return s.deed(ctx, a, in.Site, func(files *hosting.SiteFiles) error { return files.Move(ctx, in.Body.Paths, in.Body.To) })
}

func (s *Server) copyFiles(ctx context.Context, a hosting.Actor, in *struct {
	LateDeed
	Body Transfer
}) (*struct{}, error) {
	return s.late(ctx, a, in.LateDeed, func(files *hosting.SiteFiles) error { return files.Copy(ctx, in.Body.Paths, in.Body.To) })
}

func (s *Server) renameFile(ctx context.Context, a hosting.Actor, in *struct {
	SitePath
	Body struct {
		Path string `json:"path" maxLength:"4000"`
		Name string `json:"name" maxLength:"1000"`
	} `nameHint:"NewName"`
}) (*answer[At], error) {
	files, err := s.open(ctx, a, in.Site)
	if err != nil {
		return nil, err
	}
	at, err := files.Rename(ctx, in.Body.Path, in.Body.Name)
	if err != nil {
		return nil, err
	}
	return &answer[At]{At{at}}, nil
}

func (s *Server) setFileMode(ctx context.Context, a hosting.Actor, in *struct {
	SitePath
	Body struct {
		Path string `json:"path" maxLength:"4000"`
		Mode string `json:"mode" maxLength:"10" doc:"Three octal digits." example:"644"`
	} `nameHint:"NewMode"`
}) (*struct{}, error) {
	return s.deed(ctx, a, in.Site, func(files *hosting.SiteFiles) error { return files.Mode(ctx, in.Body.Path, in.Body.Mode) })
}

func (s *Server) trashFiles(ctx context.Context, a hosting.Actor, in *struct {
	SitePath
	Body struct {
		Paths []string `json:"paths" minItems:"1" maxItems:"1000"`
	} `nameHint:"Paths"`
}) (*struct{}, error) {
	return s.deed(ctx, a, in.Site, func(files *hosting.SiteFiles) error { return files.Trash(ctx, in.Body.Paths) })
}

func (s *Server) restoreFiles(ctx context.Context, a hosting.Actor, in *struct {
	SitePath
	Body struct {
		Names []string `json:"names" minItems:"1" maxItems:"1000" doc:"As listTrash names them."`
	} `nameHint:"TrashNames"`
}) (*struct{}, error) {
	return s.deed(ctx, a, in.Site, func(files *hosting.SiteFiles) error { return files.Restore(ctx, in.Body.Names) })
}

func (s *Server) emptyTrash(ctx context.Context, a hosting.Actor, in *LateDeed) (*struct{}, error) {
	return s.late(ctx, a, *in, func(files *hosting.SiteFiles) error { return files.EmptyTrash(ctx) })
}

func (s *Server) packFiles(ctx context.Context, a hosting.Actor, in *struct {
	LateDeed
	Body struct {
		Folder  string   `json:"folder" maxLength:"4000" example:"/html"`
		Names   []string `json:"names" minItems:"1" maxItems:"1000" doc:"Of what is in the folder."`
		Archive string   `json:"archive" maxLength:"1000" doc:"The archive's name, which ends in .zip or .tar.gz." example:"site.tar.gz"`
	} `nameHint:"NewArchive"`
}) (*struct{}, error) {
	return s.late(ctx, a, in.LateDeed, func(files *hosting.SiteFiles) error {
		return files.Pack(ctx, in.Body.Folder, in.Body.Names, in.Body.Archive)
	})
}

func (s *Server) unpackFile(ctx context.Context, a hosting.Actor, in *struct {
	LateDeed
	Body struct {
		Path  string `json:"path" maxLength:"4000"`
		Merge bool   `json:"merge,omitempty"`
	} `nameHint:"Unpacking"`
}) (*answer[At], error) {
	files, err := s.open(ctx, a, in.Site)
	if err != nil {
		return nil, err
	}
	files.Wait = in.patience()
	at, err := files.Unpack(ctx, in.Body.Path, in.Body.Merge)
	if err != nil {
		return nil, err
	}
	return &answer[At]{At{at}}, nil
}
