package hosting

import (
	"strings"
	"testing"
)

// Lines as the programs of a site write them.
const (
	accessLine  = `192.0.2.7 - - [2026-03-01T12:00:00+00:00] "GET /shop?q=error HTTP/1.1" 200 512 "-" "curl/8" "shop.example" 0.004 0.003`
	brokenLine  = `2001:db8::7 - jo [2026-03-01T12:00:00+00:00] "POST /x HTTP/2.0" 502 0 "-" "Mozilla/5.0 \x22" "shop.example" 0.1 -`
	missingLine = `192.0.2.7 - - [2026-03-01T12:00:00+00:00] "GET /wp-login.php HTTP/1.1" 404 0 "-" "-" "shop.example" 0.000 -`
	errorLine   = `2026/03/01 12:00:00 [error] 7#7: *1 open() "/var/www/html/x" failed (2: No such file), client: 192.0.2.7, request: "GET / HTTP/1.1"`
)

func TestLinesOfNginxAreToldApart(t *testing.T) {
	tests := map[string]bool{
		accessLine: true, brokenLine: true, missingLine: true, errorLine: false,
		"keeper: nginx takes the configuration over":                             false,
		`unix: - - [2026-03-01T12:00:00+00:00] "GET / HTTP/1.0" 200 1 "-" "-"`:   true,
		`2026/03/01 12:00:00 [warn] 7#7: 192.0.2.7 - - [x] "GET / HTTP/1.1" 200`: false,
		"":    false,
		" - ": false,
	}
	for line, want := range tests {
		if got := isAccess(line); got != want {
			t.Errorf("isAccess(%q) = %t, want %t", line, got, want)
		}
		for _, source := range []LogSource{LogAccess, LogError} {
			if got := source.has(line); got != (want == (source == LogAccess)) {
				t.Errorf("%s has %q = %t", source, line, got)
			}
		}
	}
}

func TestLevelOfALine(t *testing.T) {
	tests := []struct {
		source LogSource
		text   string
		want   LogLevel
	}{
		{LogAccess, accessLine, LevelInfo},
		{LogAccess, brokenLine, LevelError},
		{LogAccess, missingLine, LevelWarn},
		{LogError, errorLine, LevelError},
		{LogError, "2026/03/01 12:00:00 [warn] 7#7: a client request body is buffered", LevelWarn},
		{LogApp, "PHP Fatal error:  Uncaught TypeError in /var/www/html/index.php", LevelError},
		{LogApp, "PHP Warning:  Undefined variable $error in /var/www/html/index.php", LevelWarn},
		{LogApp, "[01-Mar-2026 12:00:00] NOTICE: fpm is running, pid 7", LevelInfo},
		{LogApp, "[2026-03-01 12:00:00 +0000] [7] [INFO] Booting worker with pid: 9", LevelInfo},
		{LogApp, `{"time":"2026-03-01T12:00:00Z","level":"WARN","msg":"no error here"}`, LevelWarn},
		{LogApp, "Traceback (most recent call last):", LevelError},
		{LogApp, "terror is no level, and " + strings.Repeat("far behind ", 20) + "error is not either", LevelNone},
		{LogApp, "hello", LevelNone},
	}
	for _, tt := range tests {
		if got := levelOf(tt.source, tt.text); got != tt.want {
			t.Errorf("levelOf(%s, %q) = %q, want %q", tt.source, tt.text, got, tt.want)
		}
	}
}

func TestWhatIsLookedForIsBounded(t *testing.T) {
	tests := map[string]struct {
		search  string
		pattern bool
		fault   string
	}{
		"a text":             {"a.b(", false, ""},
		"a pattern":          {`4\d\d`, true, ""},
		"no pattern":         {"a(", true, "not a regular expression"},
		"much repetition":    {"(a{30}){30}b{900}", true, "repeats too much"},
		"more than Go takes": {"a{5000}", true, "not a regular expression"},
		"long":               {strings.Repeat("a", 201), false, "longer than 200"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := compile(tt.search, tt.pattern)
			if tt.fault == "" && err != nil || tt.fault != "" && (err == nil || !strings.Contains(err.Error(), tt.fault)) {
				t.Errorf("compile(%q, %t) = %v, want it to say %q", tt.search, tt.pattern, err, tt.fault)
			}
		})
	}
	literal, err := compile("A.b", false)
	if err != nil || !literal.MatchString("xa.Bx") || literal.MatchString("aXb") {
		t.Errorf("the text A.b is not looked for as it is, whatever its case: %v", err)
	}
}

func TestRingKeepsTheNewest(t *testing.T) {
	r := &ring{size: 3}
	for _, text := range []string{"a", "b", "c", "d", "e"} {
		r.add(LogLine{Text: text})
	}
	var got strings.Builder
	for _, l := range r.lines() {
		got.WriteString(l.Text)
	}
	if got.String() != "cde" || !r.lost {
		t.Errorf("a ring of three keeps %q of abcde, and has lost some: %t; want cde and true", got.String(), r.lost)
	}
}

// Whatever stands in a log has at most one source in nginx, and every pattern that is
// taken can be used.
func FuzzLog(f *testing.F) {
	for _, seed := range []string{accessLine, brokenLine, missingLine, errorLine, "(a|b)+", "[", "\xff"} {
		f.Add(seed, "a")
	}
	f.Fuzz(func(t *testing.T, line, search string) {
		if LogAccess.has(line) == LogError.has(line) {
			t.Errorf("%q belongs to both logs, or to none", line)
		}
		for _, source := range []LogSource{LogApp, LogAccess, LogError} {
			levelOf(source, line)
		}
		for _, pattern := range []bool{true, false} {
			if p, err := compile(search, pattern); err == nil && p != nil {
				p.MatchString(line)
			}
		}
	})
}
