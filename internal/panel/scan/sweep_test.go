package scan_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/orders"
	"kubepanel.io/kubepanel/internal/panel/door/doortest"
	"kubepanel.io/kubepanel/internal/panel/paneltest"
	"kubepanel.io/kubepanel/internal/panel/scan/scantest"
	"kubepanel.io/kubepanel/internal/store"
	"kubepanel.io/kubepanel/internal/toolbox/toolboxtest"
)

func TestMain(m *testing.M) { toolboxtest.Main(m) }

// guard is the real scanner, with somebody beside it.
type guard struct {
	hosting.Scanner

	version atomic.Value // string; "" is the scanner's own
	away    atomic.Bool
	looks   atomic.Int64
	// before is called when a file is about to be looked at, and may keep it from that.
	before func(look int64) error
}

func (g *guard) Version(ctx context.Context) (string, error) {
	if g.away.Load() {
		return "", errors.New("the scanner is away")
	}
	if v, ok := g.version.Load().(string); ok {
		return v, nil
	}
	return g.Scanner.Version(ctx)
}

func (g *guard) Scan(ctx context.Context, content io.Reader) (string, error) {
	look := g.looks.Add(1)
	if g.before != nil {
		if err := g.before(look); err != nil {
			return "", err
		}
	}
	return g.Scanner.Scan(ctx, content)
}

// street is a site whose files are looked through by real programs.
type street struct {
	*hosting.Provider

	t       *testing.T
	db      *store.DB
	cluster *paneltest.Cluster
	guard   *guard
	root    string
	jo      hosting.Actor
	passed  atomic.Int64 // how far the panel's clock is ahead
}

func newStreet(t *testing.T) *street {
	t.Helper()
	h := &street{t: t, guard: &guard{Scanner: open(t, scantest.Start(t, "100K"))}}
	var err error
	h.db, err = store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "panel.db"), store.Options{Keys: [][]byte{make([]byte, 32)}})
	must(t, err)
	t.Cleanup(h.db.Close)
	settings, err := os.ReadFile("../../../api/platform/testdata/platform.yaml")
	must(t, err)
	h.cluster, err = paneltest.NewCluster(settings)
	must(t, err)
	street := doortest.New(t)
	h.root, _ = street.Site("shop.example")
	h.Provider = &hosting.Provider{Panel: &hosting.Panel{Domains: h.cluster, Writer: h.cluster, Platform: h.cluster, Planner: h.cluster}, Store: h.db, Door: street,
		Now:      func() time.Time { return time.Now().Add(time.Duration(h.passed.Load())) },
		Scanning: &hosting.Scanning{Scanner: h.guard, Every: time.Hour}}
	must(t, h.db.Write(t.Context(), func(tx hosting.Tx) error {
		u := &hosting.User{ID: hosting.NewID(), Email: "jo@shop.example", Name: "Jo", Role: hosting.Customer, CreatedAt: h.Now()}
		h.jo = hosting.Actor{ID: u.ID, Name: u.Name, Role: u.Role}
		return tx.InsertUser(t.Context(), u)
	}))
	made, err := h.CreateSite(t.Context(), h.jo, "", hosting.NewSite{Name: "shop.example", Storage: "5Gi", CPU: "1000m", Memory: "512Mi"}, false)
	must(t, err)
	h.cluster.Finish(made.Object, h.Now())
	return h
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (h *street) put(name, content string) {
	h.t.Helper()
	file := filepath.Join(h.root, name)
	must(h.t, os.MkdirAll(filepath.Dir(file), 0o755))
	must(h.t, os.WriteFile(file, []byte(content), 0o644))
}

func (h *street) there(name string) bool {
	_, err := os.Lstat(filepath.Join(h.root, name))
	return err == nil
}

// later lets time pass, and looks through the site once.
func (h *street) later(passes time.Duration) *hosting.Swept {
	h.t.Helper()
	h.passed.Add(int64(passes))
	s, err := h.Sweep(h.t.Context())
	must(h.t, err)
	return s
}

func (h *street) findings(state hosting.FindingState) []hosting.Finding {
	h.t.Helper()
	all, err := h.db.Findings(h.t.Context(), hosting.FindingQuery{Site: "shop.example", State: state, Limit: 100})
	must(h.t, err)
	return all
}

func (h *street) state() *hosting.SiteSweep {
	h.t.Helper()
	s, err := h.db.SiteSweep(h.t.Context(), "shop.example")
	must(h.t, err)
	return s
}

func (h *street) trail(did string) []hosting.Entry {
	h.t.Helper()
	all, err := h.db.Trail(h.t.Context(), hosting.AuditQuery{Did: did, Owner: h.jo.ID, Limit: 100})
	must(h.t, err)
	return all
}

const twoHours = 2 * time.Hour

// However a file came, and whatever its date says, it is looked at once, and what is
// harmful lies in quarantine afterwards.
func TestSweepMovesWhatIsHarmful(t *testing.T) {
	h := newStreet(t)
	out := t.TempDir()
	must(t, os.WriteFile(filepath.Join(out, "bad"), []byte(scantest.Harmful), 0o644))
	h.put("html/index.php", "<?php")
	h.put("html/old.php", "<?php "+scantest.Harmful)
	h.put("html/bad\xff\n\x1b[31m.php", scantest.Harmful+"2")
	h.put(".trash/files/x", scantest.Harmful+"3")
	h.put("html/large", strings.Repeat("x", 200<<10)) // the scanner takes 100 KiB
	must(t, os.Symlink(filepath.Join(out, "bad"), filepath.Join(h.root, "html/out.php")))
	long := time.Unix(1e9, 0)
	must(t, os.Chtimes(filepath.Join(h.root, "html/old.php"), long, long))

	if s := h.later(0); s == nil || s.Looked != 4 || s.Found != 3 || s.Skipped != 1 {
		t.Fatalf("Sweep = %+v, want 4 files looked at, 3 found, 1 skipped", s)
	}
	for name, there := range map[string]bool{"html/index.php": true, "html/large": true, "html/out.php": true, "html/old.php": false, "html/bad\xff\n\x1b[31m.php": false, ".trash/files/x": false} {
		if h.there(name) != there {
			t.Errorf("there is %q: %t", name, !there)
		}
	}
	kept := h.findings(hosting.FindingQuarantined)
	if len(kept) != 3 {
		t.Fatalf("findings = %+v, want 3", kept)
	}
	for _, f := range kept {
		part := filepath.Join(h.root, ".quarantine/files", strings.ReplaceAll(string(f.ID), "-", ""))
		if info, err := os.Lstat(part); err != nil || info.Mode() != 0 || f.Found != scantest.Name || f.Until.IsZero() || len(f.Sum) != 64 {
			t.Errorf("%+v is kept as %v, %v", f, info, err)
		}
	}
	told := h.trail("file.quarantined")
	if len(told) != 1 || told[0].ActorName != "panel" || told[0].Object != "shop.example" || !strings.Contains(told[0].After, `"/html/old.php"`) || !strings.Contains(told[0].After, scantest.Name) {
		t.Errorf("the owner's trail says %+v", told)
	}
	if s := h.state(); s.EndedAt.IsZero() || s.Found != 3 || s.Looked != 4 || s.Fault != "" || s.Holder != "" || !s.NextAt.After(h.Now().Add(50*time.Minute)) {
		t.Errorf("the site's state is %+v", s)
	}
	if s := h.later(time.Minute); s != nil {
		t.Errorf("it is looked through again at once: %+v", s)
	}
	// What is in quarantine is not found again; what is opened there is.
	if s := h.later(twoHours); s == nil || s.Found != 0 || s.Skipped != 1 {
		t.Errorf("Sweep = %+v, want nothing found", s)
	}
	must(t, os.Chmod(filepath.Join(h.root, ".quarantine/files", strings.ReplaceAll(string(kept[0].ID), "-", "")), 0o644))
	if s := h.later(twoHours); s == nil || s.Found != 1 {
		t.Errorf("Sweep = %+v, want what was opened in quarantine", s)
	}
}

// A walk looks at what changed since the one before, and at everything once a week if the
// scanner has learned.
func TestSweepLooksAtWhatChanged(t *testing.T) {
	h := newStreet(t)
	h.put("html/a", "a")
	h.put("html/b", "b")
	// The overlap of two walks is longer than the test takes.
	walk := func(passes time.Duration, want int64, what string) {
		t.Helper()
		if s := h.later(passes); s == nil || s.Looked != want {
			t.Errorf("%s: Sweep = %+v, want %d files looked at", what, s, want)
		}
		state := h.state()
		state.Since = time.Now().UnixNano()
		must(t, h.db.Write(t.Context(), func(tx hosting.Tx) error { return tx.PutSweep(t.Context(), state) }))
		time.Sleep(20 * time.Millisecond) // more than a tick of the kernel's clock
	}
	const day = 24 * time.Hour
	walk(0, 2, "the first walk")
	h.put("html/b", "c")
	walk(twoHours, 1, "another content")
	walk(twoHours, 0, "nothing new")
	h.guard.version.Store("ClamAV 9/9")
	walk(5*day, 0, "new signatures within the week")
	walk(3*day, 2, "new signatures after a week")
	walk(8*day, 0, "the same signatures")
}

// What somebody changes between the look and the move is not moved unlooked, and looked
// at next time.
func TestSweepMovesNothingThatChangedSince(t *testing.T) {
	h := newStreet(t)
	h.put("html/a.php", scantest.Harmful)
	h.put("html/b.php", scantest.Harmful)
	h.guard.before = func(look int64) error {
		if look == 1 { // its content is on its way, and it is moved and another takes its place
			h.put("html/other", "harmless")
			must(t, os.Rename(filepath.Join(h.root, "html/other"), filepath.Join(h.root, "html/a.php")))
		}
		return nil
	}
	if s := h.later(0); s.Found != 1 || !h.there("html/a.php") || h.there("html/b.php") {
		t.Errorf("Sweep = %+v, want b.php alone", s)
	}
	h.guard.before = nil
	h.put("html/a.php", scantest.Harmful)
	if s := h.later(twoHours); s.Found != 1 || h.there("html/a.php") {
		t.Errorf("Sweep = %+v, want a.php now", s)
	}
}

// A walk that is cut off, by the scanner or by the panel's end, goes on where it was and
// leaves nothing out.
func TestSweepGoesOnWhereItWasCut(t *testing.T) {
	h := newStreet(t)
	h.Mails = true
	h.put("html/000.php", scantest.Harmful) // in the first stretch
	const many = 250                        // more than two stretches
	for i := range many {
		h.put(fmt.Sprintf("html/%03d/f", i), fmt.Sprint(i))
	}
	h.put("html/zzz.php", scantest.Harmful)
	h.guard.before = func(look int64) error {
		if look == 150 {
			return errors.New("the scanner hung up")
		}
		return nil
	}
	if _, err := h.Sweep(t.Context()); err == nil || h.state().Fault != hosting.SweepScanner || h.state().Holder != "" {
		t.Errorf("Sweep = %v, state %+v, want the scanner's fault", err, h.state())
	}
	ctx, cancel := context.WithCancel(t.Context())
	h.guard.before = func(look int64) error {
		if look == 200 {
			cancel()
		}
		return nil
	}
	h.passed.Add(int64(10 * time.Minute))
	if _, err := h.Sweep(ctx); err != nil {
		t.Errorf("Sweep of a panel that ends = %v", err)
	}
	if s := h.later(0); s == nil || s.Found != 1 {
		t.Fatalf("Sweep = %+v, want it to go on at once", s)
	}
	// Each file once, but for the two that were being looked at.
	if got := h.guard.looks.Load(); got != many+2+2 || h.there("html/zzz.php") {
		t.Errorf("%d looks, want %d", got, many+4)
	}
	if s := h.state(); s.Looked != many+2 || s.Found != 2 {
		t.Errorf("the walk counts %+v", s)
	}
	// One mail for all of it.
	m, err := h.db.DueMail(t.Context(), h.Now())
	must(t, err)
	if m.Kind != hosting.MailHarmful || m.User != h.jo.ID || m.To != "shop.example" {
		t.Errorf("the mail is %+v", m)
	}
	must(t, h.db.Write(t.Context(), func(tx hosting.Tx) error { return tx.DeleteMail(t.Context(), m.ID) }))
	if m, err := h.db.DueMail(t.Context(), h.Now()); hosting.CodeOf(err) != hosting.NotFound {
		t.Errorf("another mail: %+v, %v", m, err)
	}
}

// A file at which the scanner fails every time keeps the others from nothing.
func TestSweepPassesAFileThatTheScannerFailsAt(t *testing.T) {
	h := newStreet(t)
	h.put("html/a", "bomb")
	h.put("html/b.php", scantest.Harmful)
	h.guard.before = func(int64) error { return errors.New("the scanner hung up") }
	for range 3 {
		if _, err := h.Sweep(t.Context()); err == nil {
			t.Fatal("Sweep without an error")
		}
		h.passed.Add(int64(10 * time.Minute))
	}
	h.guard.before = func(look int64) error {
		if look == 4 {
			return errors.New("the scanner hung up")
		}
		return nil
	}
	if s := h.later(0); s.Found != 1 || s.Skipped != 1 {
		t.Errorf("Sweep = %+v, want b.php found and a skipped", s)
	}
}

// While the scanner is away nothing is begun and nothing lost.
func TestSweepWaitsForTheScanner(t *testing.T) {
	h := newStreet(t)
	h.put("html/a.php", scantest.Harmful)
	h.guard.away.Store(true)
	if s, err := h.Sweep(t.Context()); s != nil || err == nil {
		t.Errorf("Sweep = %+v, %v, want an error", s, err)
	}
	h.guard.away.Store(false)
	if s := h.later(0); s.Found != 1 {
		t.Errorf("Sweep = %+v, want it found", s)
	}
}

// A site that can't be looked at just now waits for a while, and is not tried in a loop.
func TestSweepWaitsForACluster(t *testing.T) {
	h := newStreet(t)
	h.put("html/a.php", scantest.Harmful)
	h.cluster.Break(errors.New("the cluster is away"))
	if _, err := h.Sweep(t.Context()); err == nil {
		t.Error("Sweep without a cluster has no error")
	}
	h.cluster.Break(nil)
	if s := h.later(0); s != nil {
		t.Errorf("Sweep = %+v, want it to wait", s)
	}
	if s := h.later(10 * time.Minute); s == nil || s.Found != 1 {
		t.Errorf("Sweep = %+v, want it found", s)
	}
}

// A site that is closed is left alone until it is open.
func TestSweepLeavesAClosedSite(t *testing.T) {
	h := newStreet(t)
	h.put("html/a.php", scantest.Harmful)
	h.cluster.Change("shop.example", func(d *v1alpha1.Domain) { d.Spec.Suspended = true })
	if s := h.later(0); s.Looked != 0 || h.state().Fault != hosting.SweepClosed {
		t.Errorf("Sweep of a suspended site = %+v, %+v", s, h.state())
	}
	h.cluster.Change("shop.example", func(d *v1alpha1.Domain) { d.Spec.Suspended = false })
	if s := h.later(twoHours); s.Found != 1 || h.state().Fault != "" {
		t.Errorf("Sweep = %+v", s)
	}
}

// Several panels on one store look at each file once.
func TestTwoPanelsSweepASiteOnce(t *testing.T) {
	h := newStreet(t)
	const many = 50
	for i := range many {
		h.put(fmt.Sprintf("html/%d", i), "x")
	}
	var all sync.WaitGroup
	var turns atomic.Int64
	for range 4 {
		all.Go(func() {
			p := *h.Provider
			if s, err := p.Sweep(t.Context()); err != nil {
				t.Error(err)
			} else if s != nil {
				turns.Add(1)
			}
		})
	}
	all.Wait()
	if turns.Load() != 1 || h.guard.looks.Load() != many {
		t.Errorf("%d panels looked at %d files, want one at %d", turns.Load(), h.guard.looks.Load(), many)
	}
}

// Where harmful files stay they are told of once; and moved when that changes.
func TestSweepOnlyReports(t *testing.T) {
	h := newStreet(t)
	h.Scanning.Report = true
	h.put("html/a.php", scantest.Harmful)
	h.put("html/b.php", scantest.Harmful)
	for range 2 {
		if s := h.later(8 * 24 * time.Hour); s == nil || !h.there("html/a.php") || len(h.findings(hosting.FindingPresent)) != 2 {
			t.Errorf("Sweep = %+v, findings %+v, want two that are there", s, h.findings(""))
		}
	}
	if told := h.trail("file.found"); len(told) != 1 {
		t.Errorf("the trail says %+v, want it once", told)
	}
	h.put("html/b.php", "mended")
	h.Scanning.Report = false
	h.later(twoHours)
	if kept := h.findings(""); len(kept) != 1 || kept[0].State != hosting.FindingQuarantined || h.there("html/a.php") || !h.there("html/b.php") {
		t.Errorf("findings = %+v, want a.php in quarantine and b.php forgotten", kept)
	}
	if told := h.trail("file.quarantined"); len(told) != 1 {
		t.Errorf("the trail says %+v", told)
	}
}

// A panel that died between the move and its note is found out.
func TestSweepEndsWhatAnotherBegan(t *testing.T) {
	h := newStreet(t)
	h.put("html/a.php", scantest.Harmful)
	h.later(0)
	f := h.findings("")[0]
	f.State, f.Until = hosting.FindingPresent, time.Time{}
	must(t, h.db.Write(t.Context(), func(tx hosting.Tx) error { return tx.UpdateFinding(t.Context(), &f) }))
	h.later(twoHours)
	if kept := h.findings(hosting.FindingQuarantined); len(kept) != 1 || kept[0].Until.IsZero() {
		t.Errorf("findings = %+v, want it in quarantine", h.findings(""))
	}
}

// What lay in quarantine for its time is forgotten, as it was removed there.
func TestFindingsExpire(t *testing.T) {
	h := newStreet(t)
	h.put("html/a.php", scantest.Harmful)
	h.later(0)
	h.later(31 * 24 * time.Hour)
	if left := h.findings(""); len(left) != 0 {
		t.Errorf("findings = %+v, want none", left)
	}
}

// A site that is full of harmful files has each of them moved, shown on some page, and
// given back when its owner says so.
func TestThousandsOfFindingsAreKept(t *testing.T) {
	h := newStreet(t)
	const many = 1050
	for i := range many {
		h.put(fmt.Sprintf("html/%04d.php", i), fmt.Sprint(scantest.Harmful, i))
	}
	if s := h.later(0); s.Found != many {
		t.Fatalf("Sweep = %+v, want %d found", s, many)
	}
	seen, after, pages := map[hosting.ID]bool{}, hosting.ID(""), 0
	var oldest hosting.Finding
	for {
		found, err := h.Findings(t.Context(), h.jo, "shop.example", after, 200)
		must(t, err)
		if pages++; found.Total != many {
			t.Errorf("page %d: %d in all, want %d", pages, found.Total, many)
		}
		for _, f := range found.Items {
			seen[f.ID], oldest = true, f
		}
		if after = hosting.ID(found.Next); after == "" {
			break
		}
	}
	if len(seen) != many || pages != 6 || string(oldest.Path) != "/html/0000.php" {
		t.Errorf("%d on %d pages, the last %s, want %d on 6 and /html/0000.php", len(seen), pages, oldest.Path, many)
	}
	must(t, h.RestoreFinding(t.Context(), h.jo, "shop.example", oldest.ID))
	if !h.there(string(oldest.Path)) {
		t.Error("the oldest one is not back")
	}
}

// Of those that stay where they are no more are kept than each turn can try again.
func TestFindingsThatStayAreBounded(t *testing.T) {
	h := newStreet(t)
	h.Scanning.Report = true
	const many, kept = 1010, 1000
	for i := range many {
		h.put(fmt.Sprintf("html/%04d.php", i), fmt.Sprint(scantest.Harmful, i))
	}
	for step, ahead := range []time.Duration{0, twoHours} {
		h.later(ahead)
		found, err := h.Findings(t.Context(), h.jo, "shop.example", "", 0)
		must(t, err)
		if found.Total != kept {
			t.Errorf("step %d: %d are kept, want %d", step, found.Total, kept)
		}
	}
}

// What its owner takes for harmless goes back as it was, and is not taken again, until
// that is forgotten. Nothing is replaced.
func TestRestoredFileIsNotTakenAgain(t *testing.T) {
	h := newStreet(t)
	const name = "html/bad\xff.php"
	h.put(name, scantest.Harmful)
	must(t, os.Chmod(filepath.Join(h.root, name), 0o640))
	h.later(0)
	found, err := h.Findings(t.Context(), h.jo, "shop.example", "", 0)
	must(t, err)
	if len(found.Items) != 1 || found.Total != 1 || found.Sweep.Found != 1 {
		t.Fatalf("Findings = %+v", found)
	}
	id := found.Items[0].ID
	h.put(name, "another one")
	if err := h.RestoreFinding(t.Context(), h.jo, "shop.example", id); hosting.CodeOf(err) != hosting.Conflict || len(h.findings(hosting.FindingQuarantined)) != 1 {
		t.Errorf("RestoreFinding over a file = %v, findings %+v, want a conflict", err, h.findings(""))
	}
	must(t, os.Remove(filepath.Join(h.root, name)))
	must(t, h.RestoreFinding(t.Context(), h.jo, "shop.example", id))
	if info, err := os.Lstat(filepath.Join(h.root, name)); err != nil || info.Mode() != 0o640 {
		t.Errorf("what came back is %v, %v", info, err)
	}
	h.put("html/copy.php", scantest.Harmful)  // the same content
	h.put("html/b.php", scantest.Harmful+" ") // another one
	if s := h.later(twoHours); s.Found != 1 || !h.there(name) || !h.there("html/copy.php") || h.there("html/b.php") {
		t.Errorf("Sweep = %+v, want b.php alone", s)
	}
	trail := h.trail("site.files")
	if len(trail) != 2 || !strings.Contains(trail[0].After, `"files":"release"`) || !strings.Contains(trail[0].After, scantest.Name) {
		t.Errorf("the trail says %+v", trail)
	}
	must(t, h.DeleteFinding(t.Context(), h.jo, "shop.example", id))
	if s := h.later(0); s == nil || s.Found != 2 || h.there(name) || h.there("html/copy.php") {
		t.Errorf("Sweep = %+v, want both again, at once", s)
	}
}

// What is removed is gone, in quarantine and where it is.
func TestHarmfulFilesAreRemoved(t *testing.T) {
	for _, report := range []bool{false, true} {
		h := newStreet(t)
		h.Scanning.Report = report
		h.put("html/a.php", scantest.Harmful)
		h.later(0)
		must(t, h.DeleteFinding(t.Context(), h.jo, "shop.example", h.findings("")[0].ID))
		left, err := os.ReadDir(filepath.Join(h.root, ".quarantine/files"))
		if h.there("html/a.php") || len(left) != 0 || err != nil || len(h.findings("")) != 0 {
			t.Errorf("with report %t there are %v, %v, findings %+v", report, left, err, h.findings(""))
		}
	}
}

// What somebody removed from quarantine past the panel can't be restored, and is forgotten.
func TestFindingThatIsGoneIsForgotten(t *testing.T) {
	h := newStreet(t)
	h.put("html/a.php", scantest.Harmful)
	h.later(0)
	must(t, os.RemoveAll(filepath.Join(h.root, ".quarantine")))
	if err := h.RestoreFinding(t.Context(), h.jo, "shop.example", h.findings("")[0].ID); hosting.CodeOf(err) != hosting.NotFound || len(h.findings("")) != 0 {
		t.Errorf("RestoreFinding = %v, findings %+v", err, h.findings(""))
	}
}

// Who asks has everything looked at, as soon as it is the site's turn.
func TestAllIsLookedAtWhenSomebodyAsks(t *testing.T) {
	h := newStreet(t)
	h.put("html/a.php", "x")
	h.later(0)
	state := h.state()
	state.Since = time.Now().Add(time.Hour).UnixNano() // nothing is new
	must(t, h.db.Write(t.Context(), func(tx hosting.Tx) error { return tx.PutSweep(t.Context(), state) }))
	for range 2 {
		must(t, h.SweepSite(t.Context(), h.jo, "shop.example"))
	}
	if s := h.later(0); s == nil || s.Looked != 1 {
		t.Errorf("Sweep = %+v, want one file looked at", s)
	}
	if s := h.later(0); s != nil {
		t.Errorf("Sweep = %+v, want it once", s)
	}
	h.Scanning = nil
	if err := h.SweepSite(t.Context(), h.jo, "shop.example"); hosting.CodeOf(err) != hosting.NotInstalled {
		t.Errorf("SweepSite without a scanner = %v", err)
	}
}

// Without a scanner there is nothing to do, and nobody is asked.
func TestNothingIsSweptWithoutAScanner(t *testing.T) {
	h := newStreet(t)
	h.Scanning.Every = 0
	if s := h.later(0); s != nil {
		t.Errorf("Sweep = %+v", s)
	}
	h.Scanning = nil
	if s := h.later(0); s != nil || h.guard.looks.Load() != 0 {
		t.Errorf("Sweep = %+v", s)
	}
}

// dated is a door that counts orders which may take for ever.
type dated struct {
	hosting.Door

	orders, endless atomic.Int64
}

// Order implements hosting.Door.
func (d *dated) Order(ctx context.Context, v hosting.Visit, o orders.Order, in io.Reader, out io.Writer) (orders.Answer, error) {
	d.orders.Add(1)
	if _, bounded := ctx.Deadline(); !bounded {
		d.endless.Add(1)
	}
	return d.Door.Order(ctx, v, o, in, out)
}

// A site that answers on and on keeps no other from being looked through.
func TestNoSiteIsWaitedForWithoutAnEnd(t *testing.T) {
	h := newStreet(t)
	d := &dated{Door: h.Door}
	h.Door = d
	h.put("html/a.php", "a")
	h.later(0)
	if d.orders.Load() == 0 || d.endless.Load() > 0 {
		t.Errorf("%d of %d orders may take for ever", d.endless.Load(), d.orders.Load())
	}
}
