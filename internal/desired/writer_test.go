package desired

import (
	"errors"
	"strings"
	"testing"

	"kubepanel.io/kubepanel/api/platform"
	"kubepanel.io/kubepanel/api/v1alpha1"
)

// words reads nginx' syntax as its parser does (ngx_conf_read_token): what stands
// between blanks, or between quotes with a backslash before quote and backslash.
func words(line string) (all []string, end byte, ok bool) {
	for i := 0; i < len(line); {
		switch c := line[i]; c {
		case ' ', '\n':
			i++
		case ';', '{', '}':
			return all, c, strings.TrimSpace(line[i+1:]) == ""
		case '"':
			word, next, closed := quoted(line, i+1)
			if !closed {
				return nil, 0, false
			}
			all, i = append(all, word), next
		default:
			start := i
			for i < len(line) && !strings.ContainsRune(" \n;{", rune(line[i])) {
				i++
			}
			all = append(all, line[start:i])
		}
	}
	return all, 0, false
}

func quoted(line string, i int) (word string, next int, closed bool) {
	var b strings.Builder
	for ; i < len(line); i++ {
		switch {
		case line[i] == '\\' && i+1 < len(line) && strings.ContainsRune(`"\`, rune(line[i+1])):
			i++
			b.WriteByte(line[i])
		case line[i] == '"':
			return b.String(), i + 1, true
		default:
			b.WriteByte(line[i])
		}
	}
	return "", 0, false
}

// FuzzNginxValue: a value comes back from nginx' parser as one word and unchanged,
// or it is refused.
func FuzzNginxValue(f *testing.F) {
	for _, v := range []string{"", "plain", `a"b`, `a\`, `\"; evil on;`, "a;b", "a{b", "}", "$uri", "a\nb", "#x", "'", "é", "\\\\"} {
		f.Add(v)
	}
	f.Fuzz(func(t *testing.T, v string) {
		w := &nginxWriter{}
		w.line("name", v)
		if w.err != nil {
			if !errors.Is(w.err, ErrInexpressible) {
				t.Fatal(w.err)
			}
			return
		}
		got, end, ok := words(w.b.String())
		if !ok || end != ';' || len(got) != 2 || got[1] != v {
			t.Errorf("%q is written as %q and read as %q", v, w.b.String(), got)
		}
	})
}

// FuzzIniValue: a value stays on its line and within its quotes, or is refused.
func FuzzIniValue(f *testing.F) {
	for _, v := range []string{"", "256M", `a"b`, "a;b", "${PATH}", "a\nb=c", "[www]", `\`, "é", "on", "a=b"} {
		f.Add(v)
	}
	f.Fuzz(func(t *testing.T, v string) {
		w := &iniWriter{}
		w.set("key", v)
		if w.err != nil {
			return
		}
		line := strings.TrimSuffix(w.b.String(), "\n")
		value, found := strings.CutPrefix(line, "key = ")
		value, wrapped := strings.CutPrefix(value, `"`)
		if wrapped {
			value = strings.TrimSuffix(value, `"`)
		}
		if !found || value != v || strings.ContainsAny(value, "\n\"\\$") || !wrapped && strings.ContainsAny(value, ";=[]{}|&~!()^ ") {
			t.Errorf("%q is written as %q", v, line)
		}
	})
}

// FuzzPHPSettings: whatever a customer writes, the files are written, and no value
// takes another line.
func FuzzPHPSettings(f *testing.F) {
	f.Add("memoryLimit", "256M")
	f.Add("fpmMaxChildren", "5\nuser = root")
	f.Add("unknown", "x")
	f.Fuzz(func(t *testing.T, key, value string) {
		d := &v1alpha1.Domain{}
		d.Spec.Workload = v1alpha1.WorkloadSpec{Type: "php", Settings: map[string]v1alpha1.Setting{key: v1alpha1.Setting(value)}}
		s := Site{Domain: d, Platform: &platform.Settings{}}
		ini, errIni := s.phpIni()
		pool, errPool := s.fpmConfig()
		if errIni != nil || errPool != nil {
			t.Fatalf("%q = %q: %v %v", key, value, errIni, errPool)
		}
		plain := Site{Domain: &v1alpha1.Domain{}, Platform: &platform.Settings{}}
		wantIni, _ := plain.phpIni()
		wantPool, _ := plain.fpmConfig()
		if strings.Count(ini, "\n") != strings.Count(wantIni, "\n") || strings.Count(pool, "\n") != strings.Count(wantPool, "\n") {
			t.Errorf("%q = %q adds a line", key, value)
		}
	})
}

func TestPHPSettings(t *testing.T) {
	tests := map[string]struct {
		settings map[string]v1alpha1.Setting
		fault    string
		children int
	}{
		"none":           {nil, "", 25},
		"known":          {map[string]v1alpha1.Setting{"fpmMaxChildren": "100"}, "", 100},
		"out of range":   {map[string]v1alpha1.Setting{"fpmMaxChildren": "101"}, "fpmMaxChildren", 25},
		"not a number":   {map[string]v1alpha1.Setting{"fpmMaxChildren": "true"}, "fpmMaxChildren", 25},
		"unknown":        {map[string]v1alpha1.Setting{"colour": "red"}, `"colour" is not known`, 25},
		"another's size": {map[string]v1alpha1.Setting{"memoryLimit": "1TB"}, "memoryLimit", 25},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s, faults := readPHPSettings(tt.settings)
			if s.MaxChildren != tt.children {
				t.Errorf("MaxChildren = %d, want %d", s.MaxChildren, tt.children)
			}
			if got := strings.Join(faults, "; "); (tt.fault == "") != (got == "") || !strings.Contains(got, tt.fault) {
				t.Errorf("faults = %q, want %q", got, tt.fault)
			}
		})
	}
}

func TestDocumentRoot(t *testing.T) {
	tests := map[string]string{
		"": "/var/www/html", "public": "/var/www/html/public", "/var/www/app//web/": "/var/www/app/web", "a/b": "/var/www/html/a/b",
		"/etc": "", "/var/wwwx": "", "../..": "", "/var/www/../..": "", "/var/www/./x": "",
	}
	for root, want := range tests {
		d := &v1alpha1.Domain{}
		d.Spec.Webserver.DocumentRoot = root
		got, err := DocumentRoot(d)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("DocumentRoot(%q) = %q, %v, want %q", root, got, err, want)
		}
	}
}

// Every split adds up, and leaves no container more than its limit.
func FuzzSplit(f *testing.F) {
	f.Add(int64(256), int64(25))
	f.Add(int64(1024), int64(1023))
	f.Fuzz(func(t *testing.T, whole, part int64) {
		if whole < 1 || whole > 1<<40 || part < 0 || part > whole {
			return
		}
		helpers := []string{containerNginx, containerSFTP, containerRedis}
		limits, err := split("memory", whole, memoryShares, helpers, leastMemory)
		if err != nil {
			return
		}
		requests := proportional(part, limits)
		sumLimits, sumRequests := int64(0), int64(0)
		for name, limit := range limits {
			if requests[name] > limit || requests[name] < 0 {
				t.Errorf("%s asks for %d of %d", name, requests[name], limit)
			}
			sumLimits, sumRequests = sumLimits+limit, sumRequests+requests[name]
		}
		if sumLimits != whole || sumRequests != part {
			t.Errorf("split(%d, %d) adds up to %d and %d", whole, part, sumLimits, sumRequests)
		}
	})
}
