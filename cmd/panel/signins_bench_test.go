package main

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

// crowd is how many people sign in at the same moment, again and again: fewer in all
// than one address may try within the time that a limit counts.
const (
	crowd = 20
	again = 2
)

// BenchmarkSignIns has many people sign in at once, at a panel with 1,000 sites, and
// prints the most memory that it ever had: each password's hash takes 19 MiB for a
// moment. Nobody's account exists, which costs the same as a wrong password.
func BenchmarkSignIns(b *testing.B) {
	for b.Loop() {
		t := newTown(b)
		t.grow(1000)
		o := t.open()
		o.signIn()
		before := o.peak()
		began := time.Now()
		for round := range again {
			var all errgroup.Group
			for i := range crowd {
				all.Go(func() error { return o.knock(fmt.Sprintf("stranger-%d-%d@shop.example", round, i)) })
			}
			must(b, all.Wait())
		}
		took := time.Since(began)
		b.ReportMetric(before/1e6, "MB-before")
		b.ReportMetric(o.peak()/1e6, "MB-peak")
		b.ReportMetric(crowd*again/took.Seconds(), "sign-ins/s")
		o.close()
	}
}

// knock tries a password for an address that nobody has.
func (o *office) knock(email string) error {
	form := url.Values{"email": {email}, "password": {"correct horse battery staple"}}
	request, err := http.NewRequestWithContext(o.Context(), http.MethodPost, "http://"+o.at+"/sign-in", strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := (&http.Transport{}).RoundTrip(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close() // only its status matters
	if answer.StatusCode != http.StatusUnprocessableEntity && answer.StatusCode != http.StatusUnauthorized && answer.StatusCode != http.StatusForbidden {
		return fmt.Errorf("signing in as nobody = %d", answer.StatusCode)
	}
	return nil
}
