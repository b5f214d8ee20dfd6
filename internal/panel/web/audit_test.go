package web_test

import (
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
)

// Who runs the platform sees how far the trail came to the log server; nobody else does.
func TestHowFarTheTrailCame(t *testing.T) {
	const server, word = "logs.example:6514", "log server"
	h := newHouse(t)
	if page := h.get("/audit"); strings.Contains(page.body, word) {
		t.Error("the page tells of a log server where there is none")
	}
	h.rules.LogServer = server
	h.get("/audit").want(t, http.StatusOK, "Entries that the log server logs.example:6514 does not have: 2. The first was made just now.")
	if page := h.get("/"); strings.Contains(page.body, word) {
		t.Error("the overview tells of a log server that is not late")
	}
	put := func(s hosting.Sending) {
		t.Helper()
		s.Server = server
		h.must(h.rules.Store.Write(t.Context(), func(tx hosting.Tx) error { return tx.PutSending(t.Context(), &s) }))
	}
	put(hosting.Sending{Tries: 3, Fault: hosting.FaultCertificate})
	for _, path := range []string{"/audit", "/"} {
		h.get(path).want(t, http.StatusOK, `class="note warn"`, "does not have: 2.", "The log server has no certificate that is valid for its name. Give it one")
	}
	put(hosting.Sending{Seq: 2, ConfirmedAt: clock.Add(-time.Hour)})
	h.get("/audit").want(t, http.StatusOK, "The log server logs.example:6514 has all of it.")
	put(hosting.Sending{Tries: 3, Fault: hosting.FaultCertificate})
	h.as = h.jo
	for _, path := range []string{"/audit", "/"} {
		if page := h.get(path); page.code != http.StatusOK || strings.Contains(page.body, word) {
			t.Errorf("%s = %d and tells a customer of the log server", path, page.code)
		}
	}
}

// lived fills the trail: a package that changed, an account with a hostile name, sign-ins.
func lived(h *house) {
	h.t.Helper()
	_, err := h.rules.ChangePackage(h.t.Context(), h.boss, h.pack, hosting.NewPackage{Name: "Small", Quota: hosting.Quota{hosting.Sites: 5, hosting.Storage: 20}}, false)
	h.must(err)
	_, err = h.rules.CreateUser(h.t.Context(), h.boss, hosting.NewUser{Email: "eve@shop.example", Name: "<img src=x>", Role: hosting.Customer, Package: h.pack})
	h.must(err)
	h.site("shop.example", nil)
}

func TestTheTrailIsNarrowed(t *testing.T) {
	h := newHouse(t)
	lived(h)
	rows := func(query string) int { return strings.Count(h.get("/audit?"+query).body, `<details class="entry">`) }
	for query, want := range map[string]int{
		"": 5, "did=package.change": 1, "did=+package.change+": 1, "q=jo@shop.example": 1, "who=" + url.QueryEscape(h.jo.Email): 1, "who=" + string(h.jo.ID): 1, "who=JO@shop.example": 1,
		"who=boss@provider.example&did=user.create": 2, "who=boss@provider.example&did=site.create": 0, "who=nobody@shop.example": 0, "who=eve@shop.example": 0,
	} {
		if got := rows(query); got != want {
			t.Errorf("/audit?%s shows %d entries, want %d", query, got, want)
		}
	}
	h.get("/audit?who="+string(h.jo.ID)+"&did=site.create").want(t, http.StatusOK, `href="/audit/export?did=site.create&amp;who=`+string(h.jo.ID), `value="site.create"`)
	for i := range 60 { // more than a page: the next one is about the same
		h.must(h.rules.SuspendUser(t.Context(), h.boss, h.jo.ID, i%2 == 0))
	}
	h.get("/audit?did=user.suspend&who=boss@provider.example").want(t, http.StatusOK, `href="/audit?before=`, `&amp;did=user.suspend&amp;who=boss%40provider.example" rel="next"`)
	h.as = h.actor(h.jo.ID)
	if got := rows("who=boss@provider.example&did=package.change"); got != 0 {
		t.Errorf("a customer sees %d entries of the provider's", got)
	}
}

// Times are the reader's: the zone comes with them, and stays in every link.
func TestTheTrailIsNarrowedByTime(t *testing.T) {
	h := newHouse(t) // what it does is done at 12:00 UTC, 13:00 in Berlin
	lived(h)
	for query, want := range map[string]int{
		"from=2026-03-01T12:00": 5, "from=2026-03-01T12:01": 0, "to=2026-03-01T12:00": 5, "to=2026-03-01T11:59": 0,
		"from=2026-03-01T12:00&to=2026-03-01T12:00": 5, "from=&to=": 5,
		"from=2026-03-01T13:00&zone=Europe/Berlin": 5, "from=2026-03-01T13:01&zone=Europe/Berlin": 0, "to=2026-03-01T12:59&zone=Europe/Berlin": 0,
		"from=2026-03-01T12:00&zone=Mars/Base": 5, "from=2026-03-01T12:00&zone=Local": 5, "from=2026-03-01T12:00&did=package.change": 1,
	} {
		page := h.get("/audit?" + query)
		if got := strings.Count(page.body, `<details class="entry">`); page.code != http.StatusOK || got != want {
			t.Errorf("/audit?%s = %d and shows %d entries, want %d", query, page.code, got, want)
		}
		export := h.get("/audit/export?" + query)
		if got := strings.Count(export.body, "\n"); export.code != http.StatusOK || got != want {
			t.Errorf("/audit/export?%s = %d and has %d entries, want %d", query, export.code, got, want)
		}
	}
	h.get("/audit").want(t, http.StatusOK, `name="zone" value="" data-zone`, ">UTC</bdi>", "2026-03-01 12:00:00 UTC")
	h.get("/audit?to=2026-03-02T09:00").want(t, http.StatusOK, `name="zone" value="UTC" data-zone`)
	for i := range 60 { // more than a page
		h.must(h.rules.SuspendUser(t.Context(), h.boss, h.jo.ID, i%2 == 0))
	}
	page := h.get("/audit?from=2026-03-01T13:00&zone=Europe/Berlin")
	page.want(t, http.StatusOK, `value="2026-03-01T13:00"`, `name="zone" value="Europe/Berlin" data-zone`,
		"2026-03-01 13:00:00 CET", `href="/audit/export?from=2026-03-01T13%3A00&amp;zone=Europe%2FBerlin"`)
	_, next, _ := strings.Cut(page.body, `href="/audit?before=`)
	next, _, _ = strings.Cut(next, `"`)
	second := h.get("/audit?before=" + html.UnescapeString(next))
	second.want(t, http.StatusOK, `value="2026-03-01T13:00"`, `value="Europe/Berlin"`)
	if got := strings.Count(second.body, `<details class="entry">`); got != 15 {
		t.Errorf("the second page of 65 entries, at %s, shows %d, want 15", next, got)
	}
}

// What is no time is said at its field, and stays there to be mended.
func TestBadTimesOfTheTrail(t *testing.T) {
	h := newHouse(t)
	lived(h)
	for query, wants := range map[string][]string{
		"from=yesterday&to=2026-03-01T12:00":        {`id="from"`, `value="yesterday"`, "Write a time such as 2026-03-01T12:00.", `type="text" value="yesterday"`, `value="2026-03-01T12:00"`},
		"to=2026-02-30T12:00&did=x":                 {`value="2026-02-30T12:00"`, "Write a time such as", `value="x"`},
		"to=%3Cb%3E":                                {`value="&lt;b&gt;"`},
		"from=2026-03-02T12:00&to=2026-03-01T12:00": {"The end is before the beginning; exchange the two.", `value="2026-03-02T12:00"`, `value="2026-03-01T12:00"`},
	} {
		for _, path := range []string{"/audit?", "/audit/export?"} {
			page := h.get(path + query)
			page.want(t, http.StatusUnprocessableEntity, append(wants, "Nothing was looked for.", `aria-invalid="true"`)...)
			if strings.Contains(page.body, `<details class="entry">`) || strings.Contains(page.body, `href="/audit/export`) || page.header.Get("Content-Disposition") != "" {
				t.Errorf("%s%s shows entries, or offers them", path, query)
			}
		}
	}
}

func TestAnEntryOpensToWhatChanged(t *testing.T) {
	h := newHouse(t)
	lived(h)
	h.boss.Address = netip.MustParseAddr("192.0.2.7")
	h.must(h.rules.SuspendUser(t.Context(), h.boss, h.jo.ID, true))
	page := h.get("/audit?did=package.change")
	page.want(t, http.StatusOK, `<bdi dir="ltr">Quota.sites</bdi>`, `<bdi dir="ltr">3</bdi>`, `<bdi dir="ltr">5</bdi>`, "2026-03-01 12:00:00 UTC", "All that Ada Boss did")
	if strings.Contains(page.body, "Quota.storage") {
		t.Error("the page tells of what stayed as it was")
	}
	h.get("/audit?did=user.suspend").want(t, http.StatusOK, "192.0.2.7")
	if body := h.get("/audit").body; strings.Contains(body, "<img src=x>") || !strings.Contains(body, "&lt;img src=x&gt;") {
		t.Error("a name is not shown as the text that it is")
	}
}

// A page of the trail costs the same few statements, however long the trail is.
func TestThePageOfTheTrailAsksLittle(t *testing.T) {
	h := newHouse(t)
	cost := func(path string) int {
		h.statements = 0
		h.get(path)
		return h.statements
	}
	cost("/audit") // what is kept after the first page
	few := cost("/audit")
	for i := range 60 {
		h.must(h.rules.SuspendUser(t.Context(), h.boss, h.jo.ID, i%2 == 0))
	}
	if many, by := cost("/audit"), cost("/audit?who=boss@provider.example"); many != few || by != few+1 || by > 5 {
		t.Errorf("the page costs %d statements, with 60 entries more %d, of one account %d; want the same, and one more, at most 5", few, many, by)
	}
}

func TestTheTrailIsDownloaded(t *testing.T) {
	h := newHouse(t)
	lived(h)
	for i := range 250 { // more than is read at once
		h.must(h.rules.SuspendUser(t.Context(), h.boss, h.jo.ID, i%2 == 0))
	}
	got := h.get("/audit/export?before=3")
	if kind, as := got.header.Get("Content-Type"), got.header.Get("Content-Disposition"); got.code != http.StatusOK || kind != "application/x-ndjson" || as != `attachment; filename="trail.jsonl"` {
		t.Fatalf("/audit/export = %d, %s, %s", got.code, kind, as)
	}
	var trail hosting.TrailBackwards
	entries := 0
	for line := range strings.Lines(got.body) {
		var l hosting.Line
		h.must(json.Unmarshal([]byte(line), &l))
		h.must(trail.See(hosting.Entry{Seq: l.Seq, At: l.At, Actor: l.Actor, Behind: l.Behind, ActorName: l.ActorName, BehindName: l.BehindName, Address: l.Address,
			Did: l.Did, Object: l.Object, Owner: l.Owner, Reseller: l.Reseller, Before: string(l.Before), After: string(l.After), Hash: l.Hash}))
		entries++
	}
	if _, _, err := trail.End(); err != nil || entries != 255 {
		t.Errorf("the download has %d entries, want 255 that follow each other: %v", entries, err)
	}
	if n := strings.Count(h.get("/audit/export?did=package.change").body, "\n"); n != 1 {
		t.Errorf("a narrowed download has %d entries, want 1", n)
	}
	h.as = h.actor(h.jo.ID)
	for line := range strings.Lines(h.get("/audit/export").body) {
		if !strings.Contains(line, fmt.Sprintf("%q", h.jo.ID)) {
			t.Errorf("a customer downloads %s", line)
		}
	}
	h.as.Role = hosting.Collaborator
	if got := h.get("/audit/export"); got.code != h.get("/audit").code || got.code < http.StatusBadRequest {
		t.Errorf("a collaborator's download = %d, want what the page answers", got.code)
	}
}
