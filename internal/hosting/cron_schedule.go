package hosting

import (
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// Schedule is a read one.
type Schedule struct{ spec *cron.SpecSchedule }

// ParseSchedule reads a schedule as Kubernetes does, with the same library. Seconds,
// intervals and time zones within it are not among what it takes.
func ParseSchedule(text string) (Schedule, error) {
	refused := fmt.Errorf("%q is no schedule; give minute, hour, day of the month, month and day of the week, such as 30 4 * * * for half past four every night", text)
	if text == "" || strings.HasPrefix(text, "@every") || strings.Contains(text, "=") || len(text) > 100 {
		return Schedule{}, refused
	}
	read, err := cron.ParseStandard(text)
	if err != nil {
		return Schedule{}, refused
	}
	spec, ok := read.(*cron.SpecSchedule)
	if !ok {
		return Schedule{}, refused
	}
	return Schedule{spec}, nil
}

// Next returns when it comes next after a time, in that time's zone; the zero time
// when it never does, such as on 30 February.
func (s Schedule) Next(after time.Time) time.Time {
	own := *s.spec
	own.Location = after.Location()
	return own.Next(after)
}

// nextRuns is how many future runs are told.
const nextRuns = 3

func (s Schedule) upcoming(at time.Time) []time.Time {
	var all []time.Time
	for range nextRuns {
		if at = s.Next(at); at.IsZero() {
			return all
		}
		all = append(all, at)
	}
	return all
}
