package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"

	"kubepanel.io/kubepanel/internal/toolbox/wordpress"
)

// wordpressFilesOptions are the flags of `toolbox wordpress files`.
type wordpressFilesOptions struct {
	settings string
	files    wordpress.Files
}

func (o *wordpressFilesOptions) parse(args []string, stderr io.Writer) error {
	f := flag.NewFlagSet("toolbox wordpress files", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&o.files.From, "from", "/usr/share/wordpress", "a complete WordPress without configuration")
	f.StringVar(&o.files.To, "to", "", "the document root")
	f.StringVar(&o.files.Languages, "languages", "/usr/share/kubepanel/languages", "folder with translations")
	f.StringVar(&o.files.DropIn, "object-cache-file", "/usr/share/kubepanel/object-cache.php", "the object cache to install")
	f.BoolVar(&o.files.ObjectCache, "object-cache", false, "install the object cache; without it, ours is removed")
	f.StringVar(&o.settings, "settings", "/etc/kubepanel/app/wordpress.json", "the site's settings; its locale chooses the translation")
	if err := f.Parse(args); err != nil {
		return err
	}
	switch {
	case f.NArg() > 0:
		return fmt.Errorf("unknown argument %q", f.Arg(0))
	case o.files.To == "":
		return errors.New("--to is missing: name the document root")
	}
	return nil
}

func wordpressFiles(args []string, stderr io.Writer, log *slog.Logger) int {
	var o wordpressFilesOptions
	if err := o.parse(args, stderr); err != nil {
		return usageError(err, stderr)
	}
	settings, err := wordpress.ReadSettings(o.settings)
	if err == nil {
		o.files.Locale, o.files.Log = settings.Locale, log
		err = o.files.Put()
	}
	if err != nil {
		// One plain line: the operator shows it as the condition's message.
		_, _ = fmt.Fprintln(stderr, "WordPress files:", err)
		return exitFailed
	}
	return 0
}
