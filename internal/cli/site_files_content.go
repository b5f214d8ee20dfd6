package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kubepanel.io/kubepanel/internal/client"
	"kubepanel.io/kubepanel/internal/hosting"
)

// piece is how much of an upload is sent at once, in octets.
const piece = 8 << 20

func newFilesGet(env *Env) *cobra.Command {
	cmd := env.filesCommand(wording{names: []string{wordPath, "the local file"}, optional: true}, "get NAME PATH [FILE]", "Fetch a file, or a folder as an archive (tar.gz)",
		"get blog.localhost /html/wp-config.php\n  kubepanel site files get blog.localhost /html site.tar.gz\n  kubepanel site files get blog.localhost /html/robots.txt -",
		func(ctx context.Context, api *client.ClientWithResponses, args []string) error {
			local := ""
			if len(args) > 2 {
				local = args[2]
			}
			return env.fetch(ctx, api, args[:2], local)
		})
	cmd.Long = "Fetch a file into one of its name, or of another; - writes it to standard output. A folder comes\nas an archive (tar.gz). A file that is here already is replaced once all of it has come."
	return cmd
}

// fetch writes what is at a path of a site, as of names it.
func (e *Env) fetch(ctx context.Context, api *client.ClientWithResponses, of []string, local string) error {
	at, err := api.GetFileWithResponse(ctx, of[0], &client.GetFileParams{Path: of[1]})
	if err != nil {
		return err
	}
	if err := client.Check(at.StatusCode(), at.ApplicationProblemJSONDefault); err != nil {
		return err
	}
	name := path.Base(path.Clean("/" + of[1]))
	var body io.ReadCloser
	if at.JSON200.Kind == client.FileKindFolder {
		if name += ".tar.gz"; name == "/.tar.gz" {
			name = of[0] + ".tar.gz"
		}
		body, err = client.Stream(api.DownloadFolder(client.Long(ctx), of[0], &client.DownloadFolderParams{Path: of[1]}))
	} else {
		body, err = client.Stream(api.ReadFile(client.Long(ctx), of[0], &client.ReadFileParams{Path: of[1]}))
	}
	if err != nil {
		return err
	}
	defer body.Close() // it was only read
	return e.saveAs(or(local, name), body)
}

// saveAs keeps what came in a file, or writes it to standard output for -.
func (e *Env) saveAs(local string, body io.Reader) error {
	if local == "-" {
		_, err := transfer(e.Out, body, "standard output")
		return err
	}
	size, err := keep(local, body)
	if err != nil {
		return err
	}
	return e.done(map[string]any{"file": local, "size": size}, "Fetched %s (%d octets).", clean(local), size)
}

// transfer copies what comes and tells whose fault it was when that ended early.
func transfer(to io.Writer, from io.Reader, where string) (int64, error) {
	coming := &noted{Reader: from}
	size, err := io.Copy(to, coming)
	switch {
	case err == nil:
		return size, nil
	case coming.err != nil:
		return size, &hosting.Error{Code: hosting.Unreachable, Message: "The file was cut while it came.", Mend: "Try again.", Err: err}
	}
	return size, &hosting.Error{Code: hosting.Invalid, Message: "The file can't be written: " + where + ".", Mend: "Free space there, or name another place.", Err: err}
}

// noted keeps the error that reading ended with.
type noted struct {
	io.Reader
	err error
}

func (n *noted) Read(p []byte) (int, error) {
	size, err := n.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		n.err = err
	}
	return size, err
}

// keep writes a file as a whole: what is cut leaves what was there.
func keep(local string, from io.Reader) (int64, error) {
	draft, err := os.CreateTemp(filepath.Dir(local), ".kubepanel-")
	if err != nil {
		return 0, &hosting.Error{Code: hosting.Invalid, Message: "The file can't be written: " + local + ".", Err: err}
	}
	defer os.Remove(draft.Name()) // it is gone after the rename
	size, err := transfer(draft, from, local)
	if err != nil {
		return 0, errors.Join(err, draft.Close())
	}
	const mode = 0o644
	if err := errors.Join(draft.Chmod(mode), draft.Close()); err != nil {
		return 0, fmt.Errorf("write %s: %w", local, err)
	}
	if err := os.Rename(draft.Name(), local); err != nil {
		return 0, &hosting.Error{Code: hosting.Invalid, Message: "The file can't be written: " + local + ".", Err: err}
	}
	return size, nil
}

func newFilesPut(env *Env) *cobra.Command {
	var replace bool
	cmd := env.filesCommand(wording{names: []string{"the local file", wordPath}}, "put NAME FILE PATH", "Send a file into a site", "put blog.localhost theme.zip /html/theme.zip",
		func(ctx context.Context, api *client.ClientWithResponses, args []string) error {
			u := upload{env: env, api: api, site: args[0], to: args[2], replace: replace}
			if strings.HasSuffix(u.to, "/") {
				u.to += filepath.Base(args[1])
			}
			return u.send(ctx, args[1])
		})
	cmd.Long = "Send a file into a site, however large it is. When it was cut, the same command goes on where it\nended. A path that ends with / is a folder, in which the file keeps its name."
	cmd.Flags().BoolVar(&replace, "replace", false, "replace a file that is there")
	return cmd
}

// upload is a file on its way into a site.
type upload struct {
	env      *Env
	api      *client.ClientWithResponses
	site, to string
	replace  bool
}

func (u upload) send(ctx context.Context, local string) error {
	file, err := os.Open(local)
	if err != nil {
		return &hosting.Error{Code: hosting.Invalid, Message: "The file can't be read: " + local + ".", Err: err}
	}
	defer file.Close() // it was only read
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("look at %s: %w", local, err)
	}
	if !info.Mode().IsRegular() {
		return &hosting.Error{Code: hosting.Invalid, Message: local + " is no plain file.", Mend: "Pack a folder first, and unpack it in the site."}
	}
	modified := info.ModTime().UTC().Format(time.RFC3339Nano)
	there, err := u.api.GetUploadWithResponse(ctx, u.site, &client.GetUploadParams{Path: u.to, Size: info.Size(), Modified: &modified})
	if err != nil {
		return err
	}
	if err := client.Check(there.StatusCode(), there.ApplicationProblemJSONDefault); err != nil {
		return err
	}
	at := there.JSON200.Offset
	for {
		part := io.NewSectionReader(file, at, min(piece, info.Size()-at))
		sent, err := u.api.UploadWithBodyWithResponse(client.Long(ctx), u.site,
			&client.UploadParams{Path: u.to, Size: info.Size(), Modified: &modified, Replace: &u.replace, Offset: &at}, "application/octet-stream", part)
		if err != nil {
			return err
		}
		if err := client.Check(sent.StatusCode(), sent.ApplicationProblemJSONDefault); err != nil {
			return err
		}
		if sent.JSON200.Done {
			return u.env.done(map[string]any{"path": u.to, "size": info.Size()}, "Sent %s (%d octets).", clean(u.to), info.Size())
		}
		if at = sent.JSON200.Offset; u.env.Terminal && !u.env.structured() {
			fmt.Fprintf(u.env.Err, "\r%d%%", at*100/info.Size()) // a person waits
		}
	}
}
