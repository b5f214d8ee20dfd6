package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"kubepanel.io/kubepanel/internal/orders"
	"kubepanel.io/kubepanel/internal/toolbox/cron"
	"kubepanel.io/kubepanel/internal/toolbox/files"
	"kubepanel.io/kubepanel/internal/toolbox/sftpd"
)

// serveOptions are the flags of `toolbox serve`.
type serveOptions struct {
	listen, root, credentials       string
	wordpressCron, wordpressAddress string
	shell                           bool
	trashDays                       int
}

func (o *serveOptions) parse(args []string, stderr io.Writer) error {
	f := flag.NewFlagSet("toolbox serve", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&o.listen, "listen", ":2222", "address to serve SFTP at; empty: none")
	f.StringVar(&o.root, "root", "/var/www", "folder that clients see as /")
	f.StringVar(&o.credentials, "credentials", "/etc/kubepanel/sftp",
		"folder with username, passwordHash, hostKey, publicKey, authorizedKeys and documentRoot; read anew for each connection")
	f.IntVar(&o.trashDays, "trash-days", 30, "after how many days what the panel put into the trash is removed for good; 0: never")
	f.BoolVar(&o.shell, "shell", false, "give a shell, too, and make a repository that deploys what is pushed to it")
	f.StringVar(&o.wordpressCron, "wordpress-cron", "", "public address (https://example.com) of a WordPress whose scheduled work to start")
	f.StringVar(&o.wordpressAddress, "wordpress-address", "127.0.0.1:8080", "where that WordPress is asked")
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() > 0 {
		return fmt.Errorf("unknown argument %q", f.Arg(0))
	}
	return nil
}

func serve(ctx context.Context, args []string, stderr io.Writer, log *slog.Logger) int {
	var o serveOptions
	if err := o.parse(args, stderr); err != nil {
		return usageError(err, stderr)
	}
	if err := o.run(ctx, log); err != nil {
		log.Error("serve: " + err.Error())
		return exitFailed
	}
	return 0
}

// usageError prints what is wrong; flag has done so itself for what it found.
func usageError(err error, stderr io.Writer) int {
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	_, _ = fmt.Fprintln(stderr, err)
	return exitUsage
}

// run serves until ctx ends or something essential fails.
func (o *serveOptions) run(ctx context.Context, log *slog.Logger) error {
	site, err := o.site()
	if err != nil {
		return err
	}
	root, err := os.OpenRoot(o.root)
	if err != nil {
		return fmt.Errorf("open the root: %w", err)
	}
	f := &folders{root: root, path: o.root, credentials: o.credentials, repository: o.shell, log: log}
	f.prepare(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if site != nil {
		scheduler := &cron.Scheduler{Site: site, Address: o.wordpressAddress, Log: log}
		wg.Go(func() { scheduler.Run(ctx) })
	}
	sweeper := &files.Sweeper{Root: root, After: o.trashFor(), Log: log}
	wg.Go(func() { sweeper.Run(ctx) })
	if o.listen == "" {
		log.Info("SFTP is off")
		<-ctx.Done()
		return nil
	}
	return o.sftp(ctx, f, log)
}

func (o *serveOptions) trashFor() time.Duration { return time.Duration(o.trashDays) * 24 * time.Hour }

func (o *serveOptions) sftp(ctx context.Context, f *folders, log *slog.Logger) error {
	// Asked once before anybody comes, so that a bad Secret shows at the start.
	if _, err := sftpd.ReadAccount(o.credentials); err != nil {
		return err
	}
	key, err := sftpd.ReadHostKey(o.credentials)
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", o.listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	log.Info("serving SFTP", "address", listener.Addr().String(), "root", o.root)
	account := func() (*sftpd.Account, error) { return sftpd.ReadAccount(o.credentials) }
	keeper := &files.Keeper{Root: f.root, TrashFor: o.trashFor()}
	server := &sftpd.Server{Root: f.root, Account: account, SignedIn: func() { f.prepare(ctx) }, HostKey: key, Log: log,
		Subsystems: map[string]func(ssh.Channel){orders.Subsystem: keeper.Serve}}
	if o.shell {
		server.Programs = programs(o.root)
	}
	return server.Serve(ctx, listener)
}

// site is nil when no scheduled work is to be started.
func (o *serveOptions) site() (*url.URL, error) {
	if o.wordpressCron == "" {
		return nil, nil //nolint:nilnil // nothing asked for, nothing wrong
	}
	return cron.ParseSite(o.wordpressCron)
}
