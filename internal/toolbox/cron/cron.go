// Package cron asks a WordPress beside it, once a minute, to do its due work.
// It must never run the work itself: it only requests wp-cron.php.
package cron

import (
	"context"
	"fmt"
	"hash/fnv"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"time"
)

const (
	// firstDelay lets nginx and PHP start; failing once would only be noise.
	firstDelay = 5 * time.Second
	// interval is WordPress's finest grain: schedules are in minutes.
	interval = time.Minute
	// spread is over how long the first runs of sites that start at once are
	// spread, each by its name; they then stay apart.
	spread = 10 * time.Second
	// runTime bounds one run: PHP and nginx end long work of their own before.
	runTime = 10 * time.Minute
	// maxAnswer is what is read of an answer, so that the connection can be used again.
	maxAnswer = 64 << 10
)

// Scheduler starts one site's due work. Its fields are set once.
type Scheduler struct {
	// Site is the site's public address: its host becomes the Host header.
	Site *url.URL
	// Address is where the site's web server listens.
	Address string
	Log     *slog.Logger

	// FirstDelay and Interval are for tests; zero means the usual.
	FirstDelay, Interval time.Duration

	failing bool
}

// ParseSite reads a site's public address.
func ParseSite(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("read the site's address: %w", err)
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil {
		return nil, fmt.Errorf("read the site's address: %q is not like https://example.com", address)
	}
	return u, nil
}

// Run works until ctx ends. Runs never overlap: the next minute counts from the
// end of a run that took longer.
func (s *Scheduler) Run(ctx context.Context) {
	if s.Interval == 0 {
		s.FirstDelay, s.Interval = firstDelay+share(s.Site.Host, spread), interval
	}
	client := &http.Client{
		Timeout: runTime,
		// A redirect would lead to the public address, which is not ours to ask.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext:         (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
			MaxIdleConns:        1,
			IdleConnTimeout:     10 * time.Second,
			DisableCompression:  true,
			DisableKeepAlives:   true, // one request a minute: an open connection only costs
			TLSHandshakeTimeout: 5 * time.Second,
		},
	}
	next := time.NewTimer(s.FirstDelay)
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-next.C:
		}
		start := time.Now()
		s.report(ctx, s.once(ctx, client))
		next.Reset(max(s.Interval-time.Since(start), s.Interval/60))
	}
}

// share picks a part of a time by a name: evenly, and the same each time.
func share(name string, of time.Duration) time.Duration {
	h := fnv.New32a()
	_, _ = h.Write([]byte(name))
	return of * time.Duration(h.Sum32()%1000) / 1000
}

// once requests wp-cron.php as WordPress does itself, but from outside its page
// views. The parameter without a value makes WordPress take the lock by itself.
func (s *Scheduler) once(ctx context.Context, client *http.Client) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.Address+"/wp-cron.php?doing_wp_cron", nil)
	if err != nil {
		return err
	}
	request.Host = s.Site.Host
	request.Header.Set("X-Forwarded-Proto", s.Site.Scheme)
	request.Header.Set("User-Agent", "Kubepanel scheduler")
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	_, _ = io.CopyN(io.Discard, response.Body, maxAnswer)
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("wp-cron.php answers %s", response.Status)
	}
	return nil
}

// report logs when things change, not every minute.
func (s *Scheduler) report(ctx context.Context, err error) {
	switch {
	case ctx.Err() != nil:
	case err != nil && !s.failing:
		s.Log.Warn("WordPress's scheduled work does not run; trying each minute", "cause", err.Error())
		s.failing = true
	case err == nil && s.failing:
		s.Log.Info("WordPress's scheduled work runs again")
		s.failing = false
	}
}
