package web_test

import (
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"kubepanel.io/kubepanel/internal/panel/web"
)

// odd are values that break programs which trust what they get.
var odd = []string{"", " ", "a", "-1", "0", "1", "999999999999999999999", "1e308", "true", "null", "\x00", "a\x00b", "\u202e", "../../etc/passwd", "%00", "%", "'; DROP TABLE users; --",
	"<script>alert(1)</script>", strings.Repeat("x", 5000), strings.Repeat("ü", 3000), "ü.example", "xn--a", "xn--", "*", ".", "..", "a.example", "\xff", "\xc3\x28", "\xed\xa0\x80",
	"{{7*7}}", "2026-01-01", "0000-00-00T00:00", "5Gi", "-5Gi", "1E99Gi", "php:8.4", "KEY=VALUE", "=", "https://[::1", "//evil.example", `/\evil`, "\r\nSet-Cookie: a=b", "\t", "\u2028",
	"a@b", "@", "#000000", "#gggggg", "application/json", "🙂", "[]", "{}", "\\", "/", "//", "(", "[a-"}

// known are values that get further than odd ones do.
var known = []string{"shop.example", "new.example", "boss@provider.example", "customer", "site.view", "5Gi", "500m", "wordpress", "static", "php", "sftp", "database", "@daily", "30 4 * * *", "on",
	"settings", "domains", "access", "file", "folder", "trash", "move", "copy", "pack", "rename", "mode", "unpack", "restore", "empty", "look", "delete", "mail", "preview", "/html", "/html/index.php",
	"index.php", "all", "chosen", "7", "https://a.example", "en", "dark", "access", "cron", "2026-03-01T20:59"}

// named finds what handlers ask a request for, so that no field has to be listed here.
var named = regexp.MustCompile(`(?:name|id)="([a-z][a-z.-]*)"`)

// fuzzer makes requests out of the routes.
type fuzzer struct {
	*rand.Rand

	town   *town
	fields []string
}

func (f *fuzzer) one(of []string) string { return of[f.IntN(len(of))] }

func (f *fuzzer) value() string {
	switch f.IntN(6) {
	case 0, 1:
		return f.one(known)
	case 2:
		return f.one([]string{string(f.town.jo.ID), string(f.town.small), string(f.town.company), string(f.town.app), string(f.town.people[helper].ID), f.town.token})
	}
	return f.one(odd)
}

// pairs spoils a form that an action takes, and adds to it.
func (f *fuzzer) pairs(form url.Values) url.Values {
	spoiled := url.Values{}
	for name, values := range form {
		if f.IntN(8) > 0 {
			spoiled[name] = values
		}
		if f.IntN(3) == 0 {
			spoiled[name] = []string{f.value()}
		}
	}
	for range f.IntN(5) {
		name := f.one(f.fields)
		if f.IntN(10) == 0 {
			name = f.one(odd)
		}
		for range 1 + f.IntN(2)*f.IntN(3) {
			spoiled.Add(name, f.value())
		}
	}
	return spoiled
}

var part = regexp.MustCompile(`\{[^}]*\}`)

// request is one for a route, by whoever sits there.
func (f *fuzzer) request(seat int, method, pattern string) *http.Request {
	path, query := f.town.path(pattern), ""
	if path, query, _ = strings.Cut(path, "?"); f.IntN(4) == 0 {
		path = strings.ReplaceAll(pattern, "{$}", "")
		for _, one := range part.FindAllString(path, -1) {
			path = strings.Replace(path, one, url.PathEscape(f.value()), 1)
		}
	}
	asked, err := url.ParseQuery(query)
	f.town.must(err)
	if f.IntN(2) == 0 || method == http.MethodGet {
		asked = f.pairs(asked)
	}
	query = asked.Encode()
	if f.IntN(20) == 0 {
		query += "&%zz;=\xff"
	}
	body, kind := "", "application/x-www-form-urlencoded"
	if method != http.MethodGet && method != http.MethodHead {
		body = f.pairs(f.town.form(seat, pattern)).Encode()
		switch f.IntN(16) {
		case 0:
			body = f.one(odd) + "&" + body + "&%zz"
		case 1:
			kind = f.one([]string{"multipart/form-data; boundary=x", "multipart/form-data", "application/json", "text/plain", "", "a/b; c", "multipart/form-data; boundary=" + strings.Repeat("x", 80)})
		case 2:
			kind, body = "multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\""+url.PathEscape(f.one(f.fields))+"\"; filename=\"a\"\r\n\r\n"+f.value()+"\r\n--x"+f.one([]string{"--\r\n", "", "\r\n"})
		case 3:
			kind, body = "application/json", f.one([]string{"{", "null", "[]", `{"id":"a","response":{}}`, `{"id":"\u0000","rawId":"_w","type":"public-key","response":{"clientDataJSON":"e30","attestationObject":"oA"}}`})
		}
	}
	r, err := http.NewRequestWithContext(f.town.t.Context(), method, panelURL+path, strings.NewReader(body))
	f.town.must(err)
	r.URL.RawQuery = query
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	if f.IntN(4) == 0 {
		r.Header.Set("HX-Request", "true")
	}
	for _, header := range []string{"Upload-Offset", "Accept-Language", "Last-Event-ID", "Origin", "Cookie", "Range", "If-None-Match"} {
		if v := f.value(); f.IntN(8) == 0 && !strings.ContainsAny(v, "\x00\r\n\x7f") && (header != "Origin" || pattern == "/sites/{site}/terminal/socket") {
			r.Header.Add(header, v)
		}
	}
	return r
}

// slow is much longer than an answer may take.
const slow = 10 * time.Second

// ask sends a request as it is.
func (b *browser) ask(r *http.Request) (answer, error) {
	ctx, stop := context.WithTimeout(r.Context(), slow)
	defer stop()
	got, err := b.client.Do(r.WithContext(ctx))
	if err != nil {
		return answer{}, err
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	return answer{got.StatusCode, got.Header, string(text)}, err
}

// trace is what a program that fell writes.
var trace = regexp.MustCompile(`goroutine \d+|runtime error|panic:|\.go:\d+`)

// attack asks every route something, as somebody of the town.
func (w *town) attack(seed uint64) {
	w.t.Helper()
	f := &fuzzer{Rand: rand.New(rand.NewPCG(seed, 0)), town: w, fields: w.fields()}
	routes := web.Actions()
	for _, page := range slices.Concat(web.Pages(), web.Open()) {
		routes = append(routes, "GET "+page)
	}
	slices.Sort(routes)
	f.Shuffle(len(routes), func(i, j int) { routes[i], routes[j] = routes[j], routes[i] })
	for _, route := range routes {
		method, pattern, _ := strings.Cut(route, " ")
		seat := f.IntN(seats)
		if f.IntN(3) == 0 {
			seat = administrator
		}
		r := f.request(seat, method, pattern)
		w.log.Reset()
		got, err := w.browser(seat).ask(r)
		switch {
		case err != nil: // it fell, or took too long
			w.t.Errorf("seed %d: %s by seat %d, %q: %v", seed, route, seat, r.URL, err)
		case got.code >= http.StatusInternalServerError && got.code != http.StatusServiceUnavailable:
			w.t.Errorf("seed %d: %s by seat %d, %q = %d\n%.1500s", seed, route, seat, r.URL, got.code, w.log)
		case trace.MatchString(got.body) || trace.MatchString(w.log.String()):
			w.t.Errorf("seed %d: %s by seat %d, %q tells of its insides: %.1500s\n%.1500s", seed, route, seat, r.URL, got.body, w.log)
		}
	}
}

// fields are the names of all fields that the pages show to the administrator and Jo.
func (w *town) fields() []string {
	w.t.Helper()
	found := map[string]bool{"next": true, "do": true, "plan": true, "setting": true, "after": true, "before": true, "q": true, "moving": true, "columns": true, "rows": true, "code": true, "state": true,
		"client_id": true, "redirect_uri": true, "response_type": true, "scope": true, "id_token_hint": true, "size": true, "modified": true, "replace": true, "path": true, "sum": true, "theirs": true, "ends": true}
	for _, seat := range []int{administrator, customer, anonymous} {
		b := w.browser(seat)
		for _, page := range slices.Concat(web.Pages(), web.Open()) {
			for _, m := range named.FindAllStringSubmatch(b.get(w.path(page)).body, -1) {
				found[m[1]] = true
			}
		}
	}
	return sorted(found)
}

func sorted(set map[string]bool) []string {
	all := make([]string, 0, len(set))
	for name := range set {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

// No request makes a page fail, whoever asks.
func TestNoRequestBreaksThePages(t *testing.T) {
	for seed := range uint64(8) {
		w := newTown(t, seed < 2)
		w.attack(seed)
	}
}

func FuzzPages(f *testing.F) {
	f.Add(uint64(1))
	f.Fuzz(func(t *testing.T, seed uint64) { newTown(t, seed%8 == 0).attack(seed) })
}
