package hosting

import (
	"net/netip"
	"strings"
)

// LogLevel is how grave a line of a log is.
type LogLevel string

// Levels; a line that does not tell has none.
const (
	LevelNone  LogLevel = ""
	LevelDebug LogLevel = "debug"
	LevelInfo  LogLevel = "info"
	LevelWarn  LogLevel = "warning"
	LevelError LogLevel = "error"
)

// isAccess tells whether a line of nginx is of the form that sites' access logs have
// (desired's log_format site, which begins as the common log format does): an address,
// a hyphen, a user and a time in brackets. No visitor can write a line of another
// form: nginx begins each with the address, and escapes what a visitor sends.
func isAccess(text string) bool {
	address, rest, ok := strings.Cut(text, " - ")
	if !ok {
		return false
	}
	if _, err := netip.ParseAddr(address); err != nil && address != "unix:" {
		return false
	}
	_, at, ok := strings.Cut(rest, " [")
	return ok && strings.Contains(at, `] "`)
}

// levelOf reads how grave a line is: a request by its answer, all else by the first
// word near its beginning that names a level, as nginx ("[error]"), PHP ("PHP
// Warning:"), PHP-FPM ("NOTICE:"), Python ("[INFO]", "ERROR:root") and programs that
// write JSON ("level":"warn") do.
func levelOf(source LogSource, text string) LogLevel {
	if source == LogAccess {
		return answered(text)
	}
	const near = 160 // octets: time, process and name of a logger stand before it
	for word := range strings.FieldsFuncSeq(text[:min(len(text), near)], func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}) {
		switch strings.ToLower(word) {
		case "emerg", "emergency", "alert", "crit", "critical", "fatal", "panic", "error", "err", "traceback", "exception":
			return LevelError
		case "warn", "warning", "deprecated":
			return LevelWarn
		case "notice", "info":
			return LevelInfo
		case "debug", "trace":
			return LevelDebug
		}
	}
	return LevelNone
}

// answered reads the status of a request: the word behind the request, which stands
// in quotes with its own escaped.
func answered(text string) LogLevel {
	_, rest, ok := strings.Cut(text, `] "`)
	if !ok {
		return LevelNone
	}
	_, status, ok := strings.Cut(rest, `" `)
	switch {
	case !ok || status == "":
		return LevelNone
	case status[0] == '5':
		return LevelError
	case status[0] == '4':
		return LevelWarn
	}
	return LevelInfo
}
