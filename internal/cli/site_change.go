package cli

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/hosting"
)

// longestFile is more than the API server takes of one object (1.5 MiB in etcd).
const longestFile = 2 << 20

// standardInput is the name of a file that is none: what comes is read.
const standardInput = "-"

// siteChange are the options that say what is to be changed of a site.
type siteChange struct {
	env   *Env
	flags *pflag.FlagSet

	php, runtime, storage, cpu, memory, title, timeZone, documentRoot, uploadSize, wwwRedirect, image, port, proxyMode string

	settings, aliases, variables, command, args, nodes []string

	suspend, resume, shell, redis, cache bool

	// runtimeConfig, webserverConfig, authorizedKeys and envFile are files.
	runtimeConfig, webserverConfig, authorizedKeys, envFile string
}

// add gives a command these options.
func (c *siteChange) add(cmd *cobra.Command) {
	f := pflag.NewFlagSet("change", pflag.ContinueOnError)
	f.StringVar(&c.title, "title", "", "what people call the site, as a line of `text`; '' for nothing")
	f.StringArrayVar(&c.aliases, "alias", nil, "further `name`; the site has those that are given and no others, with '' none (may be repeated)")
	f.StringVar(&c.php, "php", "", "`version` of PHP")
	f.StringVar(&c.runtime, "runtime", "", "another version of what the site runs, as `TYPE:VERSION`")
	f.StringArrayVar(&c.settings, "setting", nil, "setting of the runtime, as `KEY=VALUE`; KEY= takes it away (may be repeated)")
	f.StringArrayVar(&c.variables, "env", nil, "variable of the program, as `NAME=VALUE`; NAME= takes it away (may be repeated)")
	f.StringVar(&c.envFile, "env-file", "", envFileUsage)
	f.StringArrayVar(&c.command, "command", nil, "`word` of what starts the program in place of the image's own beginning; '' for that again (may be repeated)")
	f.StringArrayVar(&c.args, "args", nil, "`word` of the program's arguments in place of the image's; '' for those again (may be repeated)")
	f.StringVar(&c.port, "port", "", "`number` of the port that the program listens on, not for PHP and static files; '' for the catalogue's")
	f.StringVar(&c.proxyMode, "proxy-mode", "", "how nginx talks to the program, as a `word`: "+join(proxyModes, ", ")+"; '' for the catalogue's")
	f.StringVar(&c.image, "image", "", "`image` in place of the catalogue's, which the provider alone gives; '' for the catalogue's again")
	f.StringArrayVar(&c.nodes, "preferred-node", nil, "`name` of a node that the site runs on when it can, which the provider alone chooses; '' for any (may be repeated)")
	f.StringVar(&c.runtimeConfig, "runtime-config", "", "`file` with what is added to the runtime's own configuration (php.ini, gunicorn); - reads standard input")
	f.StringVar(&c.webserverConfig, "webserver-config", "", "`file` with what is added to nginx' server block; - reads standard input")
	f.StringVar(&c.documentRoot, "document-root", "", "`folder` that is served, relative to html; '' for html itself")
	f.StringVar(&c.uploadSize, "upload-size", "", "largest upload, as a `size` such as 64m or 1g")
	f.StringVar(&c.wwwRedirect, "www-redirect", "", "which of a name and its www form visitors end up at, as a `word`: "+join(wwwRedirects, ", "))
	f.BoolVar(&c.cache, "cache", false, "have nginx keep pages; =false ends it")
	f.BoolVar(&c.redis, "redis", false, "keep an object cache in Redis beside the site; =false ends it")
	f.StringVar(&c.timeZone, "time-zone", "", "IANA `name` of the time zone, such as Europe/Berlin")
	f.StringVar(&c.storage, "storage", "", "`size` of the volume; it can only grow")
	f.StringVar(&c.cpu, "cpu", "", "most processor time, as an `amount` such as 500m or 2 cores")
	f.StringVar(&c.memory, "memory", "", "most memory, as an `amount` such as 512Mi or 2Gi")
	f.StringVar(&c.authorizedKeys, "authorized-keys", "", "`file` with all public keys that may sign in by SFTP, one a line; - reads standard input")
	f.BoolVar(&c.shell, "shell", false, "give git and a shell beside SFTP; =false takes them away")
	f.BoolVar(&c.suspend, "suspend", false, "stop the site and say so to visitors")
	f.BoolVar(&c.resume, "resume", false, "start a suspended site")
	c.flags = f
	cmd.Flags().AddFlagSet(f)
	complete(cmd, "php", c.env.phpVersions)
	complete(cmd, "runtime", c.env.runtimes)
	complete(cmd, "www-redirect", words(wwwRedirects...))
	complete(cmd, "proxy-mode", words(proxyModes...))
}

// wwwRedirects are what --www-redirect can be.
var wwwRedirects = []v1alpha1.WWWRedirect{v1alpha1.WWWRedirectNone, v1alpha1.WWWRedirectToRoot, v1alpha1.WWWRedirectToWWW}

// proxyModes are what --proxy-mode can be.
var proxyModes = []v1alpha1.ProxyMode{v1alpha1.ProxyHTTP, v1alpha1.ProxyUWSGI}

// any tells whether something is to be changed.
func (c *siteChange) any() bool {
	changed := false
	c.flags.VisitAll(func(f *pflag.Flag) { changed = changed || f.Changed })
	return changed
}

// typed tells whether a person at standard input can be asked: not when that is a file.
func (c *siteChange) typed() bool {
	return !slices.Contains([]string{c.runtimeConfig, c.webserverConfig, c.authorizedKeys, c.envFile}, standardInput)
}

// read makes the change of the options, and reads the files that they name.
func (c *siteChange) read(cmd *cobra.Command) (hosting.SiteChange, error) {
	change := hosting.SiteChange{
		PHP: given(c.flags, "php", c.php), Runtime: given(c.flags, "runtime", c.runtime), Settings: c.settings, Storage: given(c.flags, "storage", c.storage),
		SiteAspects: hosting.SiteAspects{
			Title: given(c.flags, "title", c.title), Aliases: given(c.flags, "alias", c.aliases), Env: c.variables, TimeZone: given(c.flags, "time-zone", c.timeZone),
			CPU: given(c.flags, "cpu", c.cpu), Memory: given(c.flags, "memory", c.memory), DocumentRoot: given(c.flags, "document-root", c.documentRoot),
			UploadSize: given(c.flags, "upload-size", c.uploadSize), WWWRedirect: given(c.flags, "www-redirect", c.wwwRedirect),
			Command: given(c.flags, "command", c.command), Args: given(c.flags, "args", c.args), Port: given(c.flags, "port", c.port), ProxyMode: given(c.flags, "proxy-mode", c.proxyMode), Image: given(c.flags, "image", c.image), PreferredNodes: given(c.flags, "preferred-node", c.nodes),
			Shell: given(c.flags, "shell", c.shell), Redis: given(c.flags, "redis", c.redis), Cache: given(c.flags, "cache", c.cache),
		},
	}
	if c.port != "" { // a panel takes a number
		if _, err := hosting.ParsePort(c.port); err != nil {
			return change, &hosting.Error{Code: hosting.Invalid, Fields: []hosting.Field{{Name: "port", Message: err.Error() + "."}}}
		}
	}
	if err := c.running(cmd, &change); err != nil {
		return change, err
	}
	return change, c.files(cmd, &change)
}

// running says whether the site is to be stopped or started.
func (c *siteChange) running(cmd *cobra.Command, change *hosting.SiteChange) error {
	stop, start := given(c.flags, "suspend", c.suspend), given(c.flags, "resume", !c.resume)
	if stop != nil && start != nil {
		return &usageError{message: "--suspend and --resume are opposites; give one of them", command: cmd.CommandPath()}
	}
	if change.Suspended = stop; start != nil {
		change.Suspended = start
	}
	return nil
}

func (c *siteChange) files(cmd *cobra.Command, change *hosting.SiteChange) error {
	taken := false
	for _, f := range []struct {
		flag, name string
		take       func(text string) error
	}{
		{"runtime-config", c.runtimeConfig, func(text string) error { change.RuntimeConfig = &text; return nil }},
		{"webserver-config", c.webserverConfig, func(text string) error { change.WebserverConfig = &text; return nil }},
		{"authorized-keys", c.authorizedKeys, func(text string) (err error) { change.AuthorizedKeys, err = publicKeys(text); return err }},
		{"env-file", c.envFile, func(text string) (err error) { change.Env, err = withVariables(c.variables, text); return err }},
	} {
		if !c.flags.Changed(f.flag) {
			continue
		}
		if f.name == standardInput && taken {
			return &usageError{message: "standard input can be one file only; give the other one a name", command: cmd.CommandPath()}
		}
		taken = taken || f.name == standardInput
		text, err := c.env.text(f.name)
		if err == nil {
			err = f.take(text)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// publicKeys are the lines of a file such as authorized_keys. Whoever names the private
// key beside it is told so before it goes anywhere.
func publicKeys(text string) (*[]string, error) {
	if strings.Contains(text, "PRIVATE KEY-----") {
		return nil, &hosting.Error{Code: hosting.Invalid, Message: "The file has a private key, which is nobody's but yours; nothing was sent.", Mend: "Give the public one beside it, whose name ends with .pub."}
	}
	keys := []string{}
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			keys = append(keys, line)
		}
	}
	return &keys, nil
}

// envFileUsage says where values belong that nobody else on this computer may see: what
// stands on a command line, every other program can read.
const envFileUsage = "`file` with variables, one NAME=VALUE a line, for values that are secret; - reads standard input, # begins a comment"

// variables are those of --env and of the file of --env-file, if there is one.
func (e *Env) variables(given []string, file string) ([]string, error) {
	if file == "" {
		return given, nil
	}
	text, err := e.text(file)
	if err != nil {
		return nil, err
	}
	return withVariables(given, text)
}

// withVariables adds a file's variables to those of --env, which win.
func withVariables(given []string, text string) ([]string, error) {
	lines, err := hosting.ReadVariables(text)
	if err != nil {
		return nil, &hosting.Error{Code: hosting.Invalid, Fields: []hosting.Field{{Name: "env-file", Message: "In the file of variables, " + err.Error() + "."}}}
	}
	named := map[string]bool{}
	for _, line := range given {
		v, _ := hosting.ParseVariable(line)
		named[v.Name] = true
	}
	all := slices.Clone(given)
	for _, line := range lines {
		if v, _ := hosting.ParseVariable(line); !named[v.Name] {
			all = append(all, line)
		}
	}
	return all, nil
}

// text reads a file that goes into an object, or standard input.
func (e *Env) text(name string) (string, error) {
	bad := func(format string, args ...any) (string, error) {
		return "", &hosting.Error{Code: hosting.Invalid, Message: fmt.Sprintf(format, args...)}
	}
	in := e.In
	if name != standardInput {
		file, err := os.Open(name)
		if err != nil {
			return bad("The file can't be read: %s.", err)
		}
		defer file.Close() // it was only read
		in = file
	}
	data, err := io.ReadAll(io.LimitReader(in, longestFile+1))
	switch {
	case err != nil:
		return bad("The file can't be read: %s.", err)
	case len(data) > longestFile:
		return bad("The file %s is larger than %d MiB, which no Domain can be.", name, longestFile>>20)
	case !utf8.Valid(data):
		return bad("The file %s is no text in UTF-8.", name)
	}
	return string(data), nil
}
