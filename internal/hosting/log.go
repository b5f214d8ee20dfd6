package hosting

import (
	"context"
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"time"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// LogSource is one of the voices of a site's pod.
type LogSource string

// Sources. nginx writes both of its logs into one stream; a line's form tells them
// apart.
const (
	LogApp    LogSource = "app"
	LogAccess LogSource = "access"
	LogError  LogSource = "error"
)

// LogSources are those that a site has, the most telling first.
func LogSources(d *v1alpha1.Domain) []LogSource {
	if d.Spec.Workload.Type == "static" {
		return []LogSource{LogAccess, LogError}
	}
	return []LogSource{LogApp, LogAccess, LogError}
}

// container is the one that a source's lines come from.
func (s LogSource) container() string {
	if s == LogApp {
		return "app"
	}
	return "nginx"
}

// has tells whether a line of the container is the source's. What is not in the
// form of the access log is nginx' error log, or its keeper's.
func (s LogSource) has(text string) bool {
	return s == LogApp || isAccess(text) == (s == LogAccess)
}

// LogQuery says which lines of a site's log are wanted.
type LogQuery struct {
	Source LogSource
	// Previous asks for the program that ran in the pod before its last restart.
	Previous bool
	// From and To bound the time; zero times do not.
	From, To time.Time
	// Search is a part of the line whatever its case, or with Pattern a regular
	// expression of RE2's.
	Search  string
	Pattern bool
	// Lines is how many are wanted, the newest; 0 for 300, at most 1,000.
	Lines int
}

// LogLine is one line.
type LogLine struct {
	At    time.Time
	Text  string
	Level LogLevel
}

// Log is what was found.
type Log struct {
	// Lines are in the order in which they were written.
	Lines []LogLine
	// Earlier says that there are more before them.
	Earlier bool
}

// LogPlace says what of a pod's log is to be read.
type LogPlace struct {
	Namespace, Container string
	// Pod is the newest of the site when left out; Labels find it.
	Pod      string
	Labels   map[string]string
	Previous bool
	// Since leaves out what is older, whole seconds of it; zero for all that is kept.
	Since  time.Time
	Follow bool
}

// LogReader reads what the programs of a pod said.
type LogReader interface {
	// ReadLog gives each line to see, the oldest first, until the log, or when it is
	// followed the program, ends, or see returns an error, which it then returns. It
	// returns Conflict when there is no such log, with a reason for people.
	ReadLog(ctx context.Context, at LogPlace, see func(at time.Time, text string) error) error
}

// Bounds of a search, so that nobody's pattern keeps the panel busy: a log is at most
// some megabytes long, since kubelet rotates it.
const (
	defaultLines  = 300
	maxLines      = 1000
	maxSearch     = 200              // characters
	maxProgram    = 1000             // instructions of a compiled pattern
	maxLogReading = 10 * time.Second // for one page
)

// filter decides which lines are wanted.
type filter struct {
	LogQuery

	pattern *regexp.Regexp
}

func (q LogQuery) filter(d *v1alpha1.Domain) (*filter, error) {
	var f faults
	if !slices.Contains(LogSources(d), q.Source) {
		f.add("source", fmt.Sprintf("the site has no log %q", q.Source))
	}
	f.span(q.From, q.To)
	pattern, err := compile(q.Search, q.Pattern)
	f.check("q", err)
	return &filter{q, pattern}, f.err()
}

// compile makes a pattern of what somebody looks for; nil for nothing.
func compile(search string, isPattern bool) (*regexp.Regexp, error) {
	switch {
	case search == "":
		return nil, nil //nolint:nilnil // nothing is looked for
	case len(search) > maxSearch:
		return nil, fmt.Errorf("that is longer than %d characters; look for less", maxSearch)
	case !isPattern:
		return regexp.MustCompile("(?i)" + regexp.QuoteMeta(strings.ToValidUTF8(search, ""))), nil
	}
	tree, err := syntax.Parse(search, syntax.Perl)
	if err != nil {
		return nil, fmt.Errorf("%q is not a regular expression (%w); leave the choice off to look for the text as it is", search, err)
	}
	program, err := syntax.Compile(tree.Simplify())
	if err != nil || len(program.Inst) > maxProgram {
		return nil, fmt.Errorf("%q repeats too much; ask for fewer repetitions", search)
	}
	return regexp.Compile(search)
}

func (f *filter) wants(at time.Time, text string) bool {
	return f.Source.has(text) && (f.From.IsZero() || !at.Before(f.From)) && (f.To.IsZero() || !at.After(f.To)) &&
		(f.pattern == nil || f.pattern.MatchString(text))
}

func (f *filter) place(d *v1alpha1.Domain) LogPlace {
	return LogPlace{Namespace: d.Status.Namespace, Container: f.Source.container(), Previous: f.Previous, Since: f.From,
		Labels: map[string]string{v1alpha1.LabelComponent: v1alpha1.ComponentSite}}
}
