package hosting

import (
	"context"
	"io"
	"path"
	"strings"

	"kubepanel.io/kubepanel/internal/orders"
)

// Download passes a folder on as an archive (tar.gz).
func (f *SiteFiles) Download(ctx context.Context, folder string, out io.Writer) error {
	at, err := ParsePath(folder)
	if err != nil {
		return err
	}
	_, err = f.order(ctx, orders.Order{Do: orders.Pack, Path: path.Dir(at), Paths: []string{path.Base(at)}, Format: orders.TarGz}, nil, out)
	return err
}

// Pack makes an archive of names in a folder, beside them. Its name ends in .zip or
// .tar.gz.
func (f *SiteFiles) Pack(ctx context.Context, folder string, names []string, archive string) error {
	if len(names) == 0 {
		return &Error{Code: Invalid, Message: "No file is chosen.", Mend: "Tick those that you mean."}
	}
	if err := someNames(names); err != nil {
		return err
	}
	to, err := under(folder, archive)
	if err != nil {
		return err
	}
	format := ""
	for _, end := range []string{orders.Zip, orders.TarGz} {
		if strings.HasSuffix(strings.ToLower(to), "."+end) {
			format = end
		}
	}
	if format == "" {
		return invalidField("name", "The name of an archive ends in .zip or .tar.gz.", nil)
	}
	_, err = f.change(ctx, orders.Order{Do: orders.Pack, Path: path.Dir(to), Paths: names, To: to, Format: format}, nil)
	return err
}

// Unpack unpacks an archive into a new folder of its name beside it, or with merge
// into the folder that it is in. It returns where that is. What would replace something
// is refused before anything is there.
func (f *SiteFiles) Unpack(ctx context.Context, archive string, merge bool) (string, error) {
	at, err := ParsePath(archive)
	if err != nil {
		return "", err
	}
	to := path.Dir(at)
	if !merge {
		to = stem(at)
	}
	_, err = f.change(ctx, orders.Order{Do: orders.Unpack, Path: at, To: to, Merge: merge}, nil)
	return to, err
}

// stem is an archive's path without what tells that it is one.
func stem(name string) string {
	for _, end := range []string{".tar.gz", ".tgz", ".tar", ".zip"} {
		if cut := len(name) - len(end); cut > 0 && strings.EqualFold(name[cut:], end) && name[cut-1] != '/' {
			return name[:cut]
		}
	}
	return name + ".d"
}
