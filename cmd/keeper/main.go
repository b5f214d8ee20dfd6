// Command keeper is process 1 of a site's nginx and PHP-FPM containers. Its verbs
// turn flags into configuration and run the keeper; no rule lives here.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"

	"kubepanel.io/kubepanel/internal/keeper"
)

// Exit codes of the keeper itself; otherwise it ends with the program's.
const (
	exitFailed = 1
	exitUsage  = 2
)

const usage = `keeper runs a program and has it take over changed configuration, after a test.

  keeper nginx      run nginx
  keeper php-fpm    run PHP-FPM

keeper VERB --help lists a verb's flags.
`

func main() {
	// It sleeps nearly always and runs in every container: memory counts, speed does not.
	runtime.GOMAXPROCS(1)
	debug.SetGCPercent(20)
	os.Exit(run(os.Args[1:], os.Stderr))
}

func run(args []string, stderr io.Writer) int {
	if len(args) == 0 || args[0] != "nginx" && args[0] != "php-fpm" {
		_, _ = fmt.Fprint(stderr, usage)
		if len(args) == 1 && args[0] == "--help" {
			return 0
		}
		return exitUsage
	}
	k, err := parse(args[0], args[1:], stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		_, _ = fmt.Fprintln(stderr, err)
		return exitUsage
	}
	code, err := k.Run()
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "keeper:", err)
		return exitFailed
	}
	return code
}

func parse(verb string, args []string, stderr io.Writer) (*keeper.Keeper, error) {
	k := &keeper.Keeper{Stderr: stderr}
	var program, pidFile, socket string
	f := flag.NewFlagSet("keeper "+verb, flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&program, "program", "/usr/sbin/"+verb, "the program to run")
	f.StringVar(&k.Config, "config", "", "mounted folder with the configuration and its revision")
	f.StringVar(&k.State, "state", "/tmp/keeper", "folder for private copies; the one in use is \"current\"")
	f.StringVar(&k.Status, "status", "/tmp/keeper/status", "file that tells what came of the configuration")
	f.StringVar(&pidFile, "pid", "/tmp/"+verb+".pid", "file that the program writes its number to")
	if verb == "php-fpm" {
		f.StringVar(&socket, "socket", "", "socket to serve on; the pool's \"listen\" is this with .fpm after it")
	}
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	if f.NArg() > 0 {
		return nil, fmt.Errorf("unknown argument %q", f.Arg(0))
	}
	if !filepath.IsAbs(k.Config) || !filepath.IsAbs(k.State) {
		return nil, errors.New("--config and --state: give absolute paths")
	}
	var err error
	switch verb {
	case "nginx":
		k.Program = keeper.Nginx(program, pidFile, k.State)
	default:
		if k.Program, err = keeper.PHP(program, pidFile, socket); err != nil {
			return nil, fmt.Errorf("--socket: %w", err)
		}
	}
	return k, nil
}
