package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/hosting"
)

// redraw is how often the running seconds on a terminal move on. News come from
// the watch and are drawn at once.
const redraw = 200 * time.Millisecond

// errTimeout is the cause of a context that --timeout ended.
var errTimeout = errors.New("timeout")

// goal is what a person waits for.
type goal struct {
	// reached tells whether it is; d is nil when the site is gone. An error says
	// that it can't be reached any more.
	reached func(d *v1alpha1.Domain) (bool, error)
	// going says what goes on without us, for who stops looking; d is the site as
	// it was seen last.
	going func(d *v1alpha1.Domain) string
	// again is the command to look with again.
	again string
	// fresh says that everything that is to see happens after start.
	fresh bool
	start time.Time
	// timeout counts from start; 0 is none.
	timeout time.Duration
}

// live shows the steps of a site while they happen.
type live struct {
	env   *Env
	to    io.Writer
	goal  goal
	start time.Time
	// drawn is the number of lines on the terminal that are drawn again.
	drawn int
	rows  []row
	last  *v1alpha1.Domain
	seen  bool
	gap   string
}

// row is one step with the time since the start at which it was done.
type row struct {
	hosting.Step
	after time.Duration
	timed bool
	// spans are what the step said while it ran, each with the time it began.
	spans []span
}

type span struct {
	message string
	began   time.Duration
}

// watched is what follow saw.
type watched struct {
	// last is the site as it was seen last, nil when it is gone.
	last *v1alpha1.Domain
	// spent says how long each part of the slowest step took.
	spent [][]string
	// gap is what sets the answer apart from the steps, when some were shown.
	gap string
}

// follow watches d until the goal is reached.
func (e *Env) follow(ctx context.Context, w hosting.DomainWatcher, d *v1alpha1.Domain, g goal) (watched, error) {
	l := &live{env: e, to: e.Out, goal: g, start: g.start, last: d}
	if e.structured() {
		l.to = e.Err
	}
	if g.timeout > 0 {
		var stop context.CancelFunc
		ctx, stop = context.WithDeadlineCause(ctx, g.start.Add(g.timeout), errTimeout)
		defer stop()
	}
	err := l.run(ctx, w, d)
	l.finish()
	if err != nil && ctx.Err() != nil {
		err = l.stopped(context.Cause(ctx))
	}
	return watched{last: l.last, spent: l.spent(), gap: l.gap}, err
}

func (l *live) run(ctx context.Context, w hosting.DomainWatcher, d *v1alpha1.Domain) error {
	watching, stop := context.WithCancel(ctx)
	defer stop()
	news, ended := make(chan *v1alpha1.Domain), make(chan error, 1)
	go func() {
		ended <- w.WatchDomain(watching, d, func(now *v1alpha1.Domain) error {
			select {
			case news <- now:
				return nil
			case <-watching.Done():
				return context.Cause(watching)
			}
		})
	}()
	clock := time.NewTicker(redraw)
	defer clock.Stop()
	for {
		select {
		case now := <-news:
			if done, err := l.see(now); done || err != nil {
				return err
			}
		case <-clock.C:
			l.draw()
		case err := <-ended:
			return err
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// see takes news in, shows them and tells whether the goal is reached.
func (l *live) see(now *v1alpha1.Domain) (bool, error) {
	l.last = now
	done, err := l.goal.reached(now)
	switch {
	case now != nil:
		l.update(hosting.Steps(now))
	case done:
		l.update(allDone(l.rows))
	}
	return done, err
}

func (l *live) update(steps []hosting.Step) {
	elapsed := time.Since(l.start)
	rows := make([]row, 0, len(steps))
	for _, s := range steps {
		r, was := row{Step: s}, l.row(s.Condition)
		if was != nil {
			r.spans = was.spans
		}
		if n := len(r.spans); s.State != hosting.StateDone && s.Message != "" && (n == 0 || r.spans[n-1].message != s.Message) {
			r.spans = append(r.spans, span{s.Message, elapsed})
		}
		switch {
		case s.State != hosting.StateDone:
		case was != nil && was.State == hosting.StateDone:
			r.after, r.timed = was.after, was.timed
		case l.seen || l.goal.fresh:
			r.after, r.timed = elapsed, true
		}
		if !l.env.Terminal && r.isNews(was) {
			l.printNews(r, elapsed)
		}
		rows = append(rows, r)
	}
	l.rows, l.seen = rows, true
	l.draw()
}

// allDone are the steps of a site that is gone, and with it all they waited for.
func allDone(rows []row) []hosting.Step {
	steps := make([]hosting.Step, len(rows))
	for i, r := range rows {
		steps[i] = r.Step
		steps[i].State, steps[i].Message = hosting.StateDone, ""
	}
	return steps
}

// spent splits the whole time by what the step that was done last said: others
// ran beside it, so their times don't add up.
func (l *live) spent() [][]string {
	var slowest *row
	for i := range l.rows {
		if r := &l.rows[i]; r.timed && len(r.spans) > 0 && (slowest == nil || r.after > slowest.after) {
			slowest = r
		}
	}
	if slowest == nil {
		return nil
	}
	var parts [][]string
	add := func(message string, took time.Duration) {
		if took >= 50*time.Millisecond { // less is shown as 0.0 s
			parts = append(parts, []string{fmt.Sprintf("%9s", seconds(took)), clean(message)})
		}
	}
	add("The site is taken up.", slowest.spans[0].began)
	for i, s := range slowest.spans {
		end := slowest.after
		if i+1 < len(slowest.spans) {
			end = slowest.spans[i+1].began
		}
		add(s.message, end-s.began)
	}
	return parts
}

func (l *live) row(condition string) *row {
	for i := range l.rows {
		if l.rows[i].Condition == condition {
			return &l.rows[i]
		}
	}
	return nil
}

// isNews tells whether a line about the step says something new.
func (r row) isNews(was *row) bool {
	switch r.State {
	case hosting.StateWaiting:
		return false // it is news when it starts
	case hosting.StateDone:
		return r.timed && (was == nil || was.State != r.State)
	}
	return was == nil || was.State != r.State || was.Message != r.Message
}

// printNews writes a line that stays, for logs.
func (l *live) printNews(r row, elapsed time.Duration) {
	text := r.Title
	if r.State != hosting.StateDone && r.Message != "" {
		text += ": " + clean(r.Message)
	}
	l.write(fmt.Sprintf("%8s  %s %s\n", seconds(elapsed), mark(r.State), text))
}

// draw writes all steps over the ones that are there.
func (l *live) draw() {
	if !l.env.Terminal || len(l.rows) == 0 {
		return
	}
	var b strings.Builder
	if l.drawn > 0 {
		fmt.Fprintf(&b, "\x1b[%dA", l.drawn) // up to the first line
	}
	for _, r := range l.rows {
		// \x1b[K removes what is left of a longer line.
		fmt.Fprintf(&b, "%s\x1b[K\n", clip(r.text(time.Since(l.start)), l.env.width()-1))
	}
	b.WriteString("\x1b[J")
	l.drawn = len(l.rows)
	l.write(b.String())
}

func (l *live) finish() { l.draw() }

// write ignores a closed output: the site matters more than its picture, and the
// command's own answer will meet the same fault.
func (l *live) write(text string) {
	l.gap = "\n"
	io.WriteString(l.to, text) //nolint:errcheck // see above
}

func (r row) text(elapsed time.Duration) string {
	when, message := "", clean(r.Message)
	switch {
	case r.timed:
		when = seconds(r.after)
	case r.State == hosting.StateRunning:
		when = seconds(elapsed)
	}
	if r.State == hosting.StateDone {
		message = ""
	}
	return strings.TrimRight(fmt.Sprintf("%s %-16s %9s  %s", mark(r.State), r.Title, when, message), " ")
}

func mark(s hosting.State) string {
	switch s {
	case hosting.StateDone:
		return "✓"
	case hosting.StateStalled:
		return "✗"
	case hosting.StateRunning:
		return "…"
	}
	return "·"
}

// stopped says that we stopped looking, not that anything stopped.
func (l *live) stopped(cause error) error {
	took := seconds(time.Since(l.start))
	if errors.Is(cause, errTimeout) {
		e := &hosting.Error{Code: hosting.Timeout, Message: fmt.Sprintf("Not done after %s.", took),
			Mend: fmt.Sprintf("%s; look again with: %s", l.goal.going(l.last), l.goal.again)}
		if l.last != nil && !hosting.Live(l.last) {
			e.Message = fmt.Sprintf("Not done after %s: %s", took, hosting.Unfinished(l.last))
		}
		return e
	}
	return &hosting.Error{Code: hosting.Interrupted, Message: fmt.Sprintf("Stopped looking after %s. %s.", took, l.goal.going(l.last)),
		Mend: "Look again with: " + l.goal.again, Err: cause}
}
