// Command toolbox runs in a site's pod: it serves SFTP, starts WordPress's
// scheduled work and puts WordPress's files in place. Its verbs turn flags into
// configuration and run one package; no rule lives here.
package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"
)

// Exit codes.
const (
	exitFailed = 1
	exitUsage  = 2
)

// memoryLimit makes the collector return memory rather than grow: the program
// runs once per site. Transfers still get what they need.
const memoryLimit = 24 << 20

// processors is one, since that is more than a site's toolbox may use (500m). A
// packet passes through six goroutines: without a second processor none of
// these steps wakes a thread, which halves what a transfer costs.
const processors = 1

const usage = `toolbox runs beside a site.

  toolbox serve             serve SFTP, and start WordPress's scheduled work
  toolbox wordpress files   put WordPress into a document root

toolbox VERB --help lists a verb's flags.
`

func main() {
	debug.SetMemoryLimit(memoryLimit)
	runtime.GOMAXPROCS(processors)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	code := run(ctx, os.Args[1:], os.Stderr)
	stop()
	os.Exit(code)
}

// run finds the verb.
func run(ctx context.Context, args []string, stderr io.Writer) int {
	log := slog.New(slog.NewTextHandler(stderr, nil))
	switch {
	case len(args) >= 1 && args[0] == "serve":
		return serve(ctx, args[1:], stderr, log)
	case len(args) >= 2 && args[0] == "wordpress" && args[1] == "files":
		return wordpressFiles(args[2:], stderr, log)
	case len(args) == 1 && (args[0] == "--help" || args[0] == "-h" || args[0] == "help"):
		_, _ = fmt.Fprint(stderr, usage)
		return 0
	default:
		_, _ = fmt.Fprint(stderr, usage)
		return exitUsage
	}
}
