package web

import (
	"fmt"
	"strconv"
	"strings"
)

// nicknames are schedules that have a name, as five fields.
var nicknames = map[string]string{
	"@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0", "@monthly": "0 0 1 * *",
}

// reading says a schedule in words where it is of a usual kind; what it means besides
// is seen from the next runs.
func (f *frame) reading(schedule string) string {
	fields := strings.Fields(schedule)
	if five, ok := nicknames[schedule]; ok {
		fields = strings.Fields(five)
	}
	words := ""
	switch {
	case len(fields) != 5:
	case fields[1] == "*":
		words = f.withinHours(fields)
	default:
		words = f.atClock(fields)
	}
	if words == "" {
		return schedule
	}
	return words
}

// withinHours reads a schedule that runs in every hour.
func (f *frame) withinHours(fields []string) string {
	if strings.Join(fields[2:], " ") != "* * *" {
		return ""
	}
	if fields[0] == "*" {
		return f.T("Every minute")
	}
	if every, ok := strings.CutPrefix(fields[0], "*/"); ok {
		return f.T("Every %s minutes", every)
	}
	if minute, err := strconv.Atoi(fields[0]); err == nil {
		return f.T("Every hour at minute %d", minute)
	}
	return ""
}

// atClock reads a schedule that runs at one time of some days.
func (f *frame) atClock(fields []string) string {
	minute, err := strconv.Atoi(fields[0])
	hour, other := strconv.Atoi(fields[1])
	if err != nil || other != nil || fields[3] != "*" {
		return ""
	}
	clock := fmt.Sprintf("%02d:%02d", hour, minute)
	if day, err := strconv.Atoi(fields[2]); err == nil && fields[4] == "*" {
		return f.T("On day %d of each month at %s", day, clock)
	}
	if fields[2] != "*" {
		return ""
	}
	switch fields[4] {
	case "*":
		return f.T("Every day at %s", clock)
	case "1-5":
		return f.T("On working days, Monday to Friday, at %s", clock)
	}
	days := []string{f.T("Sunday"), f.T("Monday"), f.T("Tuesday"), f.T("Wednesday"), f.T("Thursday"), f.T("Friday"), f.T("Saturday"), f.T("Sunday")}
	if n, err := strconv.Atoi(fields[4]); err == nil && n >= 0 && n < len(days) {
		return f.T("Every week on %s at %s", days[n], clock)
	}
	return ""
}
