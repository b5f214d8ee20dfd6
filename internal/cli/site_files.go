package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"kubepanel.io/kubepanel/internal/client"
)

func newSiteFiles(env *Env) *cobra.Command {
	return group("files", "Files of a site",
		"  kubepanel site files ls blog.localhost /html\n  kubepanel site files put blog.localhost index.php /html/index.php",
		newFilesList(env), newFilesGet(env), newFilesPut(env), newFilesMkdir(env), newFilesMove(env), newFilesCopy(env), newFilesRename(env), newFilesMode(env),
		newFilesRemove(env), newFilesTrash(env), newFilesRestore(env), newFilesEmpty(env), newFilesPack(env), newFilesUnpack(env), newFilesJobs(env), newFilesCancel(env))
}

const (
	wordSite   = "the name of the site"
	wordPath   = "the path"
	wordFolder = "the folder"
)

// filesCommand is a command about a site's files.
func (e *Env) filesCommand(w wording, use, short, example string, run func(ctx context.Context, api *client.ClientWithResponses, args []string) error) *cobra.Command {
	w.names = append([]string{wordSite}, w.names...)
	return e.with(w, &cobra.Command{Use: use, Short: short, Example: "  kubepanel site files " + example, ValidArgsFunction: e.siteNames}, run)
}

func newFilesList(env *Env) *cobra.Command {
	return env.filesCommand(wording{names: []string{wordFolder}, optional: true}, "ls NAME [FOLDER]", "List a folder; without one what visitors see", "ls blog.localhost /html",
		func(ctx context.Context, api *client.ClientWithResponses, args []string) error {
			q := client.ListFilesParams{}
			if len(args) > 1 {
				q.Path = &args[1]
			}
			files, err := allFiles(ctx, api, args[0], q)
			if err != nil {
				return err
			}
			rows := make([][]string, 0, len(files))
			for _, f := range files {
				name := clean(f.Name)
				switch f.Kind {
				case client.FileKindFolder:
					name += "/"
				case client.FileKindLink:
					name += " -> " + clean(value(f.Target))
				case client.FileKindFile, client.FileKindOther:
				}
				rows = append(rows, []string{f.Mode, fmt.Sprint(f.Size), f.Modified.Local().Format(time.DateTime), name})
			}
			return env.rows(files, []string{"MODE", "SIZE", "MODIFIED", "NAME"}, rows)
		})
}

func allFiles(ctx context.Context, api *client.ClientWithResponses, site string, q client.ListFilesParams) ([]client.File, error) {
	most := int64(200)
	q.Limit = &most
	files := []client.File{}
	for {
		page, err := api.ListFilesWithResponse(ctx, site, &q)
		if err != nil {
			return nil, err
		}
		if err := client.Check(page.StatusCode(), page.ApplicationProblemJSONDefault); err != nil {
			return nil, err
		}
		files = append(files, page.JSON200.Items...)
		if value(page.JSON200.Next) == "" {
			return files, nil
		}
		q.Cursor = page.JSON200.Next
	}
}

func newFilesMkdir(env *Env) *cobra.Command {
	return env.filesCommand(wording{names: []string{wordPath}}, "mkdir NAME PATH", "Make a folder", "mkdir blog.localhost /html/pictures",
		func(ctx context.Context, api *client.ClientWithResponses, args []string) error {
			made, err := api.MakeFolderWithResponse(ctx, args[0], nil, client.NewFolder{Path: args[1]})
			if err != nil {
				return err
			}
			if err := client.Check(made.StatusCode(), made.ApplicationProblemJSONDefault); err != nil {
				return err
			}
			return env.done(map[string]string{"path": args[1]}, "Made %s.", clean(args[1]))
		})
}

func newFilesMove(env *Env) *cobra.Command {
	return env.filesCommand(toFolder(), "mv NAME PATH... FOLDER", "Move files into a folder", "mv blog.localhost /html/a.php /html/b.php /html/old",
		func(ctx context.Context, api *client.ClientWithResponses, args []string) error {
			body := transferOf(args)
			done, err := api.MoveFilesWithResponse(client.Long(ctx), args[0], nil, body)
			if err != nil {
				return err
			}
			if err := client.Check(done.StatusCode(), done.ApplicationProblemJSONDefault); err != nil {
				return err
			}
			return env.done(body, "Moved %d to %s.", len(body.Paths), clean(body.To))
		})
}

func newFilesCopy(env *Env) *cobra.Command {
	l := &lateDeed{env: env}
	return l.add(env.filesCommand(toFolder(), "cp NAME PATH... FOLDER", "Copy files, with all that is in them, into a folder", "cp blog.localhost /html/a.php /html/b.php /html/old",
		func(ctx context.Context, api *client.ClientWithResponses, args []string) error {
			body := transferOf(args)
			done, err := api.CopyFilesWithResponse(client.Long(ctx), args[0], &client.CopyFilesParams{Prefer: l.prefer()}, body)
			if over, err := l.over(ctx, api, args[0], done, err); err != nil || !over {
				return err
			}
			return env.done(body, "Copied %d to %s.", len(body.Paths), clean(body.To))
		}))
}

func toFolder() wording {
	return wording{names: []string{wordPath, wordFolder}, many: true}
}

func transferOf(args []string) client.Transfer {
	last := len(args) - 1
	return client.Transfer{Paths: args[1:last], To: args[last]}
}

func newFilesRename(env *Env) *cobra.Command {
	return env.filesCommand(wording{names: []string{wordPath, "the new name"}}, "rename NAME PATH NEW", "Give a file or a folder another name", "rename blog.localhost /html/wp-config.old wp-config.php",
		func(ctx context.Context, api *client.ClientWithResponses, args []string) error {
			done, err := api.RenameFileWithResponse(ctx, args[0], nil, client.NewName{Path: args[1], Name: args[2]})
			if err != nil {
				return err
			}
			if err := client.Check(done.StatusCode(), done.ApplicationProblemJSONDefault); err != nil {
				return err
			}
			return env.done(map[string]string{"path": args[1], "name": args[2]}, "%s is called %s now.", clean(args[1]), clean(args[2]))
		})
}

func newFilesMode(env *Env) *cobra.Command {
	return env.filesCommand(wording{names: []string{"the permissions", wordPath}}, "chmod NAME MODE PATH", "Change a file's permissions", "chmod blog.localhost 640 /html/wp-config.php",
		func(ctx context.Context, api *client.ClientWithResponses, args []string) error {
			done, err := api.SetFileModeWithResponse(ctx, args[0], nil, client.NewMode{Mode: args[1], Path: args[2]})
			if err != nil {
				return err
			}
			if err := client.Check(done.StatusCode(), done.ApplicationProblemJSONDefault); err != nil {
				return err
			}
			return env.done(map[string]string{"path": args[2], "mode": args[1]}, "%s has the permissions %s.", clean(args[2]), clean(args[1]))
		})
}

func newFilesPack(env *Env) *cobra.Command {
	l := &lateDeed{env: env}
	return l.add(env.filesCommand(wording{names: []string{wordFolder, "the archive's name", "what is packed"}, many: true}, "pack NAME FOLDER ARCHIVE ENTRY...",
		"Make an archive of what is in a folder, beside it", "pack blog.localhost /html backup.tar.gz wp-content wp-config.php",
		func(ctx context.Context, api *client.ClientWithResponses, args []string) error {
			done, err := api.PackFilesWithResponse(client.Long(ctx), args[0], &client.PackFilesParams{Prefer: l.prefer()}, client.NewArchive{Folder: args[1], Archive: args[2], Names: args[3:]})
			if over, err := l.over(ctx, api, args[0], done, err); err != nil || !over {
				return err
			}
			return env.done(map[string]string{"folder": args[1], "archive": args[2]}, "Made %s in %s.", clean(args[2]), clean(args[1]))
		}))
}

func newFilesUnpack(env *Env) *cobra.Command {
	var here bool
	l := &lateDeed{env: env}
	cmd := env.filesCommand(wording{names: []string{wordPath}}, "unpack NAME ARCHIVE", "Unpack an archive into a new folder of its name", "unpack blog.localhost /html/theme.zip",
		func(ctx context.Context, api *client.ClientWithResponses, args []string) error {
			done, err := api.UnpackFileWithResponse(client.Long(ctx), args[0], &client.UnpackFileParams{Prefer: l.prefer()}, client.Unpacking{Path: args[1], Merge: &here})
			if over, err := l.over(ctx, api, args[0], done, err); err != nil || !over {
				return err
			}
			at := done.JSON200
			if at == nil {
				at = &client.At{Path: value(done.JSON202.To)}
			}
			return env.done(at, "Unpacked to %s.", clean(at.Path))
		})
	cmd.Flags().BoolVar(&here, "here", false, "into the folder that it is in; nothing there is replaced")
	return l.add(cmd)
}
