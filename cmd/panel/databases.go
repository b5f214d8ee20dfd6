package main

import (
	"context"
	"fmt"
	"net/url"

	"github.com/spf13/pflag"

	"kubepanel.io/kubepanel/internal/panel/visit"
	"kubepanel.io/kubepanel/internal/store"
)

// databaseOptions say where phpMyAdmin is.
type databaseOptions struct{ url, upstream string }

func (o *databaseOptions) addFlags(flags *pflag.FlagSet) {
	flags.StringVar(&o.url, "database-url", "", "phpMyAdmin's `address`, as browsers show it; a name of its own, which leads here too; empty: there is none")
	flags.StringVar(&o.upstream, "phpmyadmin", "", "`address` at which phpMyAdmin answers the panel")
}

// open prepares the way to phpMyAdmin; nil when there is none.
func (o *databaseOptions) open(p *panel, db *store.DB, own *url.URL) (*visit.Door, error) {
	if o.url == "" {
		return nil, nil
	}
	address, err := url.Parse(o.url)
	if err != nil {
		return nil, fmt.Errorf("read --database-url: %w", err)
	}
	upstream, err := url.Parse(o.upstream)
	if err != nil || upstream.Host == "" {
		return nil, fmt.Errorf("--phpmyadmin %q is no address; write it like https://phpmyadmin.kubepanel-system.svc", o.upstream)
	}
	transport, err := p.certificate.transport()
	if err != nil && upstream.Scheme == "https" {
		return nil, fmt.Errorf("--phpmyadmin %q is spoken to by TLS: %w", o.upstream, err)
	}
	p.rules.Reserved = append(p.rules.Reserved, address.Hostname())
	return visit.New(visit.Options{
		Rules: p.rules, Sessions: p.doors.ActorOfSession, Seal: db.Seal, Unseal: db.Open,
		Panel: own, URL: address, Upstream: upstream, Transport: transport, Log: p.log,
	})
}

// endVisits ends visits to databases whose session or right is gone.
func (p *panel) endVisits(ctx context.Context) {
	if p.databases == nil {
		return
	}
	if err := p.databases.Sweep(ctx); err != nil && ctx.Err() == nil {
		p.log.Warn("end visits to databases that are over", "err", err)
	}
}
