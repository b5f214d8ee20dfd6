package domain

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
	"unicode"

	"kubepanel.io/kubepanel/internal/desired"
)

const (
	// askTimeout is generous within one cluster for a few bytes out of a file.
	askTimeout = 2 * time.Second
	// maxOutcome bounds what a pod may answer; a keeper's own is below 1 KiB.
	maxOutcome = 4096
)

// errOutcome says that a pod's answer is not what a keeper writes.
var errOutcome = errors.New("not a keeper's answer")

// Pods asks sites' pods what became of their configuration. What they answer was
// written where the site's own programs may write too: it is believed about that
// site alone.
type Pods struct {
	client *http.Client

	mu sync.Mutex
	// waits has since when a site's configuration is waited for, by its name.
	waits map[string]wait
}

type wait struct {
	revision string
	since    time.Time
}

// waited tells for how long a site's configuration has been waited for. Another
// revision is another wait.
func (p *Pods) waited(site, revision string) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	w, ok := p.waits[site]
	if !ok || w.revision != revision {
		w = wait{revision: revision, since: time.Now()}
		p.waits[site] = w
	}
	return time.Since(w.since)
}

// settled ends a wait.
func (p *Pods) settled(site string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.waits, site)
}

// NewPods makes one for all sites. It keeps no connection open, since each pod is
// asked a few times and then not for months.
func NewPods() *Pods {
	return &Pods{waits: map[string]wait{}, client: &http.Client{
		Timeout:       askTimeout,
		Transport:     &http.Transport{DisableKeepAlives: true, MaxResponseHeaderBytes: maxOutcome},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// outcome is what a keeper says about the configuration it looked at last.
type outcome struct {
	revision, message string
	accepted          bool
}

func (p *Pods) ask(ctx context.Context, url string) (outcome, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return outcome{}, err
	}
	response, err := p.client.Do(request)
	if err != nil {
		return outcome{}, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return outcome{}, fmt.Errorf("%w: %s", errOutcome, response.Status)
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, maxOutcome))
	if err != nil {
		return outcome{}, err
	}
	return parseOutcome(text)
}

// parseOutcome reads a keeper's status file: a line with the revision, one with
// the verdict, and after them a message.
func parseOutcome(text []byte) (outcome, error) {
	lines := bytes.SplitN(text, []byte("\n"), 3)
	if len(lines) != 3 {
		return outcome{}, errOutcome
	}
	o := outcome{revision: string(lines[0]), message: printable(string(lines[2]))}
	switch string(lines[1]) {
	case "accepted":
		o.accepted = true
	case "refused":
	default:
		return outcome{}, errOutcome
	}
	return o, nil
}

// printable leaves nothing in a text that a terminal would obey.
func printable(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsGraphic(r) {
			return r
		}
		return ' '
	}, strings.ToValidUTF8(text, "?"))
	return strings.TrimSpace(text)
}

// asked is what came of asking for every outcome of a site.
type asked struct {
	// behind: a pod has not looked at the newest configuration yet.
	behind bool
	// silent is the last error of asking.
	silent error
	// refusals are sentences for people.
	refusals []string
}

func (p *Pods) outcomes(ctx context.Context, podIP string, wanted []desired.Outcome) asked {
	var a asked
	for _, w := range wanted {
		if w.Path == "" {
			continue
		}
		o, err := p.ask(ctx, desired.OutcomeURL(podIP, w))
		switch {
		case err != nil:
			a.silent = err
		case o.revision != w.Revision:
			a.behind = true
		case !o.accepted:
			a.refusals = append(a.refusals, refusal(w, o.message))
		}
	}
	return a
}

func refusal(w desired.Outcome, message string) string {
	if w.Field == "" {
		return fmt.Sprintf("%s refuses its configuration: %s", w.Program, sentence(message))
	}
	return fmt.Sprintf("%s refuses its configuration with %s: %s", w.Program, w.Field, sentence(message))
}
