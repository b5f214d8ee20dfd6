package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"runtime/debug"
	"time"
	_ "time/tzdata" // sites' times are shown in their zones, and the image has no time zone database

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
	ctrlmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/kube"
	"kubepanel.io/kubepanel/internal/panel/auth"
	"kubepanel.io/kubepanel/internal/panel/metrics"
	"kubepanel.io/kubepanel/internal/panel/openid"
	"kubepanel.io/kubepanel/internal/panel/rest"
	"kubepanel.io/kubepanel/internal/panel/syslog"
	"kubepanel.io/kubepanel/internal/panel/visit"
	"kubepanel.io/kubepanel/internal/panel/web"
	"kubepanel.io/kubepanel/internal/panel/webhook"
	"kubepanel.io/kubepanel/internal/startup"
	"kubepanel.io/kubepanel/internal/store"
	"kubepanel.io/kubepanel/internal/vitals"
)

// Limits of a connection. Nothing here takes long: what does is in the cluster, and
// pages look at it.
const (
	headerTimeout = 10 * time.Second
	readTimeout   = 30 * time.Second
	writeTimeout  = 60 * time.Second
	idleTimeout   = 2 * time.Minute
	maxHeader     = 32 << 10
	drain         = 20 * time.Second

	// settleEvery is how often what a crash left, and what left the cluster, is put in
	// order in the database; sweepEvery how often what expired is removed.
	settleEvery = 15 * time.Second
	sweepEvery  = 10 * time.Minute
	// measureEvery is how often it is looked what sites use; metrics-server itself looks
	// four times a minute.
	measureEvery = time.Minute
	// sendEvery is how often it is looked whether somebody is to be told something. Any
	// number of panels may look: what is to be sent is given to one.
	sendEvery = 2 * time.Second
)

type serveOptions struct {
	startup.Options

	listen, url, brand string
	health, metrics    string
	inner              innerOptions
	doors              doorOptions
	way                wayOptions
	scan               scanOptions
	logs               logOptions
	databases          databaseOptions
	proxies            []string
	patience           time.Duration
	webhookRanges      []string
}

func newServe(db *database) *cobra.Command {
	var o serveOptions
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve the pages",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			registry := prometheus.NewRegistry()
			counts := metrics.New(registry)
			opened, err := db.open(cmd.Context(), counts.Statement)
			if err != nil {
				return err
			}
			defer opened.Close()
			for name, pool := range opened.Pools() {
				registry.MustRegister(collectors.NewDBStatsCollector(pool, name))
			}
			return o.run(cmd.Context(), opened, &watched{counts, registry})
		},
	}
	flags := cmd.Flags()
	o.AddFlags(flags)
	o.way.AddFlags(flags)
	o.scan.addFlags(flags)
	o.logs.addFlags(flags)
	flags.StringVar(&o.listen, "listen", ":8080", "`address` for HTTP, behind the edge")
	flags.StringVar(&o.health, "health-listen", vitals.HealthAddress, "`address` for /healthz and /readyz")
	flags.StringVar(&o.metrics, "metrics-listen", vitals.MetricsAddress, "`address` for /metrics, by TLS, where there is a certificate")
	flags.StringVar(&o.url, "url", "https://panel.localhost", "the panel's `address`, as browsers show it")
	flags.DurationVar(&o.patience, "fresh-within", 2*time.Second, "`time` that an answer waits for what another panel has just changed")
	flags.StringVar(&o.brand, "brand", "Kubepanel", "`name` that the panel goes by")
	o.inner.addFlags(flags)
	o.doors.addFlags(flags)
	flags.StringSliceVar(&o.webhookRanges, "webhook-range", nil, "`range` that webhooks may lead to although it is not public (may be repeated)")
	o.databases.addFlags(flags)
	flags.StringSliceVar(&o.proxies, "proxy", nil, "`range` of proxies before the panel, whose X-Forwarded-For is believed (may be repeated)")
	return cmd
}

// watched is what a panel tells of itself.
type watched struct {
	*metrics.Metrics

	registry *prometheus.Registry
}

// panel is all parts of a running one.
type panel struct {
	*watched

	rules  *hosting.Provider
	doors  *auth.Auth
	mirror *kube.Mirror
	// certificate is what the edge knows it by; nil without HTTPS.
	certificate *certificate
	// databases leads to phpMyAdmin; nil where there is none.
	databases *visit.Door
	pages     http.Handler
	hooks     *webhook.Sender
	people    *openid.Provider
	// trail sends the audit trail to a log server; nil where there is none.
	trail *syslog.Sender
	log   *slog.Logger
}

// growth is by how many percent the heap may grow between two collections, unless GOGC
// says it: of a panel that is asked as quickly as it can answer, Go's 100 is 14 MB more,
// and 9 % more answers (docs/performance.md).
const growth = 70

func (o serveOptions) run(ctx context.Context, db *store.DB, w *watched) error {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(growth)
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop() // what runs already ends when the rest can't begin
	p, err := o.watch(w)
	if err != nil {
		return err
	}
	all, ctx := errgroup.WithContext(ctx)
	// The cluster's sites take longest to come, so they are asked for before all else.
	all.Go(func() error { p.mirror.Run(ctx); return nil })
	if err := o.wire(p, db); err != nil {
		return err
	}
	all.Go(func() error { return o.vitals(p).Serve(ctx) })
	all.Go(func() error { return p.tidy(ctx) })
	all.Go(func() error { p.doors.Deliver(ctx); return nil })
	// Each by itself: an address that takes its time delays no other kind of news.
	all.Go(func() error { return p.send(ctx, "send webhooks", p.hooks.Turn) })
	if p.trail != nil {
		all.Go(func() error { return p.send(ctx, "send the trail to the log server", p.trail.Turn) })
	}
	all.Go(func() error { return p.lookThrough(ctx) })
	all.Go(func() error { return p.send(ctx, "tell applications of sessions that ended", p.people.TellLogouts) })
	all.Go(func() error { p.endFileRuns(ctx); return nil })
	all.Go(func() error { return o.answer(ctx, p) })
	return all.Wait()
}

// endFileRuns ends, when ctx does, the long changes of files that this panel carries out.
// Requests that wait for one are answered by that, so it begins with their time and not
// after it.
func (p *panel) endFileRuns(ctx context.Context) {
	<-ctx.Done()
	within, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
	defer cancel()
	if err := p.rules.FileRuns.End(within); err != nil {
		p.log.Warn("note how changes of files ended", "err", err)
	}
}

// answer serves the pages as soon as the cluster's sites are known.
func (o serveOptions) answer(ctx context.Context, p *panel) error {
	select {
	case <-p.mirror.Synced():
	case <-ctx.Done():
		return nil
	}
	p.log.Info("serving the panel", "address", o.listen, "url", o.url)
	all, ctx := errgroup.WithContext(ctx)
	all.Go(func() error { return serve(ctx, o.listen, p.pages, nil) })
	if p.certificate != nil {
		all.Go(func() error { return serve(ctx, o.inner.listen, p.pages, p.certificate.server()) })
	}
	return all.Wait()
}

// watch prepares the mirror of the cluster.
func (o serveOptions) watch(w *watched) (*panel, error) {
	settings, level, err := o.Begin()
	if err != nil {
		return nil, err
	}
	config, err := startup.ClientConfig(o.Kubeconfig, "kubepanel-panel")
	if err != nil {
		return nil, err
	}
	cluster, err := kube.NewStore(config, settings.Namespace)
	if err != nil {
		return nil, err
	}
	log := slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
	return &panel{watched: w, mirror: kube.NewMirror(cluster, settings), certificate: o.inner.open(log), log: log}, nil
}

// wire puts the other parts around the mirror.
func (o serveOptions) wire(p *panel, db *store.DB) error {
	settings := p.mirror.Platform
	address, err := url.Parse(o.url)
	if err != nil {
		return fmt.Errorf("read --url: %w", err)
	}
	proxies, err := parsePrefixes("--proxy", o.proxies)
	if err != nil {
		return err
	}
	scanning, err := o.scan.open(p.log)
	if err != nil {
		return err
	}
	noted := hosting.Noted(p.mirror, db, time.Now, func(err error) { p.log.Warn("note a site's version for other panels", "err", err) })
	p.rules = &hosting.Provider{
		Panel:     &hosting.Panel{Domains: p.mirror, Writer: noted, Platform: p.mirror, Planner: p.mirror, Logs: p.mirror, Cron: p.mirror, Meter: p.mirror, Accesses: p.mirror},
		FileRuns:  &hosting.FileRuns{},
		FileFault: func(site string, err error) { p.log.Error("change files", "site", site, "err", err) },
		Store:     db, Now: time.Now, Follow: p.mirror, Patience: o.patience, Nodes: p.mirror, Door: o.way.open(settings),
		Reserved: []string{address.Hostname()}, Scanning: scanning, LogServer: o.logs.server, Mails: o.doors.mail != "",
	}
	if p.doors, err = o.doors.open(auth.Options{Provider: p.rules, URL: address, Proxies: proxies, Count: p.SignIn, Watch: p.refused}, o.brand, p.log); err != nil {
		return err
	}
	if p.hooks, err = o.sender(p, settings.ClusterCIDRs); err != nil {
		return err
	}
	if p.trail, err = o.logs.open(p, address.Hostname()); err != nil {
		return err
	}
	if p.databases, err = o.databases.open(p, db, address); err != nil {
		return err
	}
	p.people = openid.New(openid.Options{Rules: p.rules, Doors: p.doors, Log: p.log,
		Outside: webhook.Client(p.hooks.Allow, p.hooks.Deny, nil), Inside: webhook.Client(append(webhook.Private(), p.hooks.Allow...), nil, nil)})
	pages, err := web.New(web.Options{
		Rules: p.rules, Doors: p.doors, Wrap: p.doors.Wrap, Who: auth.ActorOf,
		Brand: o.brand, Log: p.log, Now: time.Now, Databases: p.databases, OpenID: p.people,
	})
	if err != nil {
		return err
	}
	programs, err := rest.New(rest.Options{Rules: p.rules, Doors: p.doors, Databases: p.databases, Log: p.log, Now: time.Now})
	if err != nil {
		return err
	}
	p.pages = p.Wrap(p.databases.Before(p.people.Before(faces(pages.Handler(), programs.Handler()))))
	return nil
}

// sender sends webhooks anywhere but into the cluster and to what is not public.
func (o serveOptions) sender(p *panel, cluster []string) (*webhook.Sender, error) {
	deny, err := parsePrefixes("clusterCIDRs", cluster)
	if err != nil {
		return nil, err
	}
	allow, err := parsePrefixes("--webhook-range", o.webhookRanges)
	if err != nil {
		return nil, err
	}
	return webhook.New(webhook.Options{Rules: p.rules, Allow: allow, Deny: deny, Log: p.log}), nil
}

// faces serves people and programs at one address.
func faces(people, programs http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle(rest.Prefix+"/", programs)
	mux.Handle("/", people)
	return mux
}

func parsePrefixes(of string, texts []string) ([]netip.Prefix, error) {
	prefixes := make([]netip.Prefix, 0, len(texts))
	for _, text := range texts {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", of, err)
		}
		prefixes = append(prefixes, p)
	}
	return prefixes, nil
}

// refused tells the log server what somebody was refused.
func (p *panel) refused(r auth.Refusal) {
	if p.trail != nil {
		p.trail.Refused(syslog.Refusal{At: time.Now(), Actor: r.Actor, Code: r.Code, Doing: r.Doing})
	}
}

// errNoSites is what readiness says before sites are known.
var errNoSites = errors.New("the cluster's sites are not known yet")

// ready tells whether the program knows all sites and has its certificate.
func (p *panel) ready(ctx context.Context) error {
	select {
	case <-p.mirror.Synced():
	default:
		return errNoSites
	}
	// Without it a new edge would find nobody; the panel before this one still serves.
	if p.certificate != nil {
		_, _, err := p.certificate.Show(ctx)
		return err
	}
	return nil
}

// vitals are whether it is ready and what it counts: its own, and the libraries' about Go,
// the process and the API server.
func (o serveOptions) vitals(p *panel) *vitals.Vitals {
	v := &vitals.Vitals{Health: o.health, Metrics: o.metrics, Ready: p.ready, Counts: prometheus.Gatherers{p.registry, ctrlmetrics.Registry}}
	if p.certificate != nil {
		v.Identity = p.certificate
	}
	return v
}

// send sends what is due again and again until ctx ends. What does not succeed is told and
// tried at a later turn.
func (p *panel) send(ctx context.Context, doing string, due func(context.Context) error) error {
	turn := time.NewTicker(sendEvery)
	defer turn.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-turn.C:
			if err := due(ctx); err != nil && ctx.Err() == nil {
				p.log.Warn(doing, "err", err)
			}
		}
	}
}

// tidy puts the database in order again and again. What does not succeed is told and
// tried at the next turn.
func (p *panel) tidy(ctx context.Context) error {
	select {
	case <-p.mirror.Synced():
	case <-ctx.Done():
		return nil
	}
	settle, sweep, measure := time.NewTicker(settleEvery), time.NewTicker(sweepEvery), time.NewTicker(measureEvery)
	replica := rand.Text()
	defer measure.Stop()
	defer settle.Stop()
	defer sweep.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-settle.C:
			if err := p.rules.Settle(ctx); err == nil {
				p.Settled(time.Now())
			} else if ctx.Err() == nil {
				p.log.Warn("settle what database and cluster say", "err", err)
			}
			p.endVisits(ctx)
		case <-measure.C:
			if err := p.rules.Measure(ctx, replica); err != nil && ctx.Err() == nil {
				p.log.Warn("measure what sites use", "err", err)
			}
		case <-sweep.C:
			if err := p.doors.Sweep(ctx); err != nil && ctx.Err() == nil {
				p.log.Warn("remove what expired", "err", err)
			}
		}
	}
}
