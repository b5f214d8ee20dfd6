package keeper

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Program is what the keeper knows of the program it runs.
type Program struct {
	// Custom is the file of the customer's own lines, beside those of the platform.
	Custom string
	// PIDFile is where the program writes its number once it is ready. One that is
	// replaced by a new one beside it has one for each configuration (pidFile).
	PIDFile string
	// test and start return the command that checks, or runs with, the
	// configuration in a folder.
	test, start func(dir string) command
	// complaint finds in the output of a test that passed what is wrong all the same.
	complaint func(output string) string
	// socket is handed to each start of a program that is replaced by a new one
	// beside it. Without it the program takes a new configuration over by itself, on
	// SIGHUP.
	socket *os.File
}

// pidFile is where the program writes its number when it runs with the
// configuration in a folder. Two that run beside each other must not share one:
// the former removes it when it ends, also the new one's.
func (p Program) pidFile(dir string) string {
	if p.socket == nil {
		return p.PIDFile
	}
	return p.PIDFile + "." + filepath.Base(dir)
}

// adapt writes the program's own pidFile into a copy of its configuration: of two
// values FPM takes the later, and it has no option that the file doesn't overrule.
func (p Program) adapt(dir string) error {
	if p.socket == nil {
		return nil
	}
	f, err := os.OpenFile(filepath.Join(dir, poolFile), os.O_APPEND|os.O_WRONLY, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil // the test says so in FPM's words
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f, "\n[global]\npid = %s\n", p.pidFile(dir))
	return errors.Join(err, f.Close())
}

// poolFile is FPM's configuration, beside php.ini files.
const poolFile = "www.conf"

// command is a program with its arguments, and what its environment has besides.
type command struct {
	path string
	args []string
	env  []string
}

// Nginx is the web server. Its configuration is nginx.conf, which includes the
// customer's custom.conf.
func Nginx(path, pidFile, state string) Program {
	return Program{
		Custom: "custom.conf", PIDFile: pidFile,
		test: func(dir string) command {
			return command{path: path, args: []string{"-e", "stderr", "-q", "-t", "-c", filepath.Join(dir, "nginx.conf")}}
		},
		// nginx reads this very path again when it is told to reload.
		start: func(string) command {
			return command{path: path, args: []string{"-e", "stderr", "-c", filepath.Join(state, current, "nginx.conf"), "-g", "daemon off;"}}
		},
		complaint: func(string) string { return "" },
	}
}

// PHP is PHP-FPM. Its configuration is www.conf and php.ini files, of which
// zzz-custom.ini is the customer's.
//
// FPM's own reload (SIGUSR2) ends it when the new configuration is bad, and
// serves nobody until the slowest request is through. So a new FPM starts beside
// the old one on the same listening socket, which the keeper holds; then the old
// one is told to finish what it has. No connection is refused at any moment.
func PHP(path, pidFile, socket string) (Program, error) {
	file, err := listen(socket)
	if err != nil {
		return Program{}, err
	}
	conf := func(dir string) command {
		return command{path: path, args: []string{"-F", "-O", "-y", filepath.Join(dir, poolFile)}, env: []string{
			// A leading colon keeps the image's own folder and adds ours after it.
			"PHP_INI_SCAN_DIR=:" + dir,
			// How FPM hands sockets to its successor: the pool's "listen" and the number
			// of the file. FPM removes that name when it ends, so it is never the real one.
			"FPM_SOCKETS=" + socket + handed + "=3",
		}}
	}
	return Program{
		Custom: "zzz-custom.ini", PIDFile: pidFile, start: conf, complaint: phpComplaint, socket: file,
		test: func(dir string) command {
			c := conf(dir)
			c.args = append(c.args, "-t")
			return c
		},
	}, nil
}

// handed is what the pool's "listen" has after the real socket's path.
const handed = ".fpm"

// backlog is how many visitors may wait while no process of PHP is free.
const backlog = 511

// listen makes the socket; one that an earlier container left is replaced. It
// blocks, as FPM's own does: its processes wait in accept(2).
func listen(path string) (*os.File, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("make %s: %w", path, err)
	}
	f := os.NewFile(uintptr(fd), path)
	err = errors.Join(syscall.Bind(fd, &syscall.SockaddrUnix{Name: path}), syscall.Listen(fd, backlog), os.Chmod(path, 0o660))
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("listen at %s: %w", path, err)
	}
	return f, nil
}

// phpComplaint finds what PHP itself says about its php.ini files: FPM's test
// passes over a file that it could read only half of.
func phpComplaint(output string) string {
	var found []string
	for line := range strings.Lines(output) {
		for _, sign := range []string{"PHP:  syntax error", "PHP Warning:  ", "PHP Fatal error:  "} {
			if _, rest, ok := strings.Cut(line, sign); ok {
				found = append(found, strings.TrimSpace(strings.TrimPrefix(sign, "PHP:  ")+rest))
			}
		}
	}
	return strings.Join(found, " ")
}
