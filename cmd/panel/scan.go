package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/api/resource"

	"kubepanel.io/kubepanel/internal/authority"
	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/scan"
)

// What is done with harmful files that are found in a site.
const (
	actionQuarantine = "quarantine"
	actionReport     = "report"
)

// scanOptions say who looks at uploads and at the files of sites.
type scanOptions struct {
	address, certificates, action, largest string
	lenient                                bool
	every                                  time.Duration
}

func (o *scanOptions) addFlags(flags *pflag.FlagSet) {
	flags.StringVar(&o.address, "scanner", "", "`address` of a clamd that looks at uploads and at the files of sites: tls://HOST:PORT, tcp://HOST:PORT (in clear) or unix:///PATH; empty: nobody does")
	flags.StringVar(&o.certificates, "scanner-certificates", "", "`folder` with ca.crt, the authority of a clamd at tls://, and with tls.crt and tls.key where it asks who the panel is; they may change at any time; empty: authorities of the system, and nobody asks")
	flags.BoolVar(&o.lenient, "scanner-lenient", false, "take uploads that the scanner can't look at, since it is away or they are too large for it")
	flags.DurationVar(&o.every, "scanner-every", time.Hour, "`time` after which the scanner looks again at what changed in a site; 0: never")
	flags.StringVar(&o.action, "scanner-action", actionQuarantine, "what becomes of a harmful `file` in a site: quarantine, or report, which leaves it there")
	flags.StringVar(&o.largest, "scanner-largest", "256Mi", "`size` of the largest file of a site that is looked at")
}

// open returns how uploads are looked at; nil: not at all.
func (o *scanOptions) open(log *slog.Logger) (*hosting.Scanning, error) {
	if o.address == "" {
		return nil, nil
	}
	by, err := scan.Open(o.address)
	if err != nil {
		return nil, err
	}
	if o.action != actionQuarantine && o.action != actionReport {
		return nil, fmt.Errorf("--scanner-action is %q, and neither quarantine nor report", o.action)
	}
	largest, err := resource.ParseQuantity(o.largest)
	if err != nil {
		return nil, fmt.Errorf("read --scanner-largest: %w", err)
	}
	if strings.HasPrefix(o.address, "tls://") {
		by.Largest = largest.Value()
		if o.certificates != "" {
			own := &certificate{authority.Files{Folder: o.certificates, Lacking: true, Log: log, Now: time.Now}}
			by.Secure = own.client
		}
	} else if o.certificates != "" {
		return nil, errors.New("--scanner-certificates is for a scanner at tls://")
	}
	return &hosting.Scanning{Scanner: by, Lenient: o.lenient, Every: o.every, Report: o.action == actionReport, Largest: largest.Value()}, nil
}

const (
	// sweepIdle is how long a panel waits when no site is to be looked through, and
	// sweepAway when it could not be done.
	sweepIdle = 10 * time.Second
	sweepAway = time.Minute
	// sweepers is how many sites one panel looks through at once: as many as all may.
	sweepers = 2
)

// lookThrough has the files of sites looked through until ctx ends.
func (p *panel) lookThrough(ctx context.Context) error {
	if p.rules.Scanning == nil || p.rules.Scanning.Every <= 0 {
		return nil
	}
	select {
	case <-p.mirror.Synced():
	case <-ctx.Done():
		return nil
	}
	p.WatchSweeps()
	var all errgroup.Group
	for range sweepers {
		all.Go(func() error {
			for ctx.Err() == nil {
				p.sweep(ctx)
			}
			return nil
		})
	}
	return all.Wait()
}

// sweep looks through one site, or waits for one.
func (p *panel) sweep(ctx context.Context) {
	began := time.Now()
	swept, err := p.rules.Sweep(ctx)
	if swept != nil {
		p.Swept(swept.Looked, swept.Found, swept.Skipped, time.Since(began))
	}
	wait := time.Duration(0)
	switch {
	case ctx.Err() != nil:
		return
	case err != nil:
		p.log.Warn("look through the files of sites", "err", err)
		if swept == nil { // no site's fault
			wait = sweepAway
		}
	case swept == nil:
		wait = sweepIdle
	}
	if behind, err := p.rules.SweepsBehind(ctx); err == nil {
		p.SweepsBehind(behind)
	}
	select {
	case <-ctx.Done():
	case <-time.After(wait):
	}
}
