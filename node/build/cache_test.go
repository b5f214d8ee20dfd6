package build

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func newCache(t *testing.T) *cache {
	t.Helper()
	c, err := openCache(filepath.Join(t.TempDir(), "cache"))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func keyOf(text string) key {
	w := newKey()
	w.add(text)
	return w.sum()
}

func putFile(t *testing.T, c *cache, i item, text string) string {
	t.Helper()
	path, err := c.put(i, func(tmp string) error { return os.WriteFile(tmp, []byte(text), 0o644) })
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAnArtefactIsFoundAfterItWasPut(t *testing.T) {
	c := newCache(t)
	i := item{KindImages, "php:8.4", keyOf("a")}
	if _, ok := c.find(i); ok {
		t.Fatal("find = true before put, want false")
	}
	want := putFile(t, c, i, "image")
	got, ok := c.find(i)
	if !ok || got != want {
		t.Errorf("find = %q, %t, want %q, true", got, ok, want)
	}
	if base := filepath.Base(got); base != "php-8.4-"+i.key.short()+".tar" {
		t.Errorf("file = %s", base)
	}
}

func TestAFailedBuildLeavesNothing(t *testing.T) {
	c := newCache(t)
	i := item{KindBinaries, "etcd", keyOf("a")}
	broken := errors.New("compiler ends")
	_, err := c.put(i, func(tmp string) error {
		if err := os.MkdirAll(filepath.Join(tmp, "half"), 0o755); err != nil {
			return err
		}
		return broken
	})
	if !errors.Is(err, broken) {
		t.Errorf("put = %v, want %v", err, broken)
	}
	if _, ok := c.find(i); ok {
		t.Error("find = true after a failed build, want false")
	}
	if left := entries(t, filepath.Join(c.dir, "tmp")); len(left) != 0 {
		t.Errorf("tmp holds %v, want nothing", left)
	}
}

// A process that is killed between building and renaming can't clean up: the
// next one that takes the lock does.
func TestLeftoversOfAKilledBuildAreClearedAndNotTakenForArtefacts(t *testing.T) {
	c := newCache(t)
	i := item{KindBinaries, "etcd", keyOf("a")}
	half := filepath.Join(c.dir, "tmp", i.file()+".123", "made")
	if err := os.MkdirAll(half, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(half, "etcd"), []byte("half"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, ok := c.find(i); ok {
		t.Fatal("find = true for a build that never ended, want false")
	}
	unlock, err := c.lock(t.Context(), &progress{to: new(bytes.Buffer)})
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	if left := entries(t, filepath.Join(c.dir, "tmp")); len(left) != 0 {
		t.Errorf("tmp holds %v, want nothing", left)
	}
}

func TestASecondBuilderWaitsForTheFirst(t *testing.T) {
	c := newCache(t)
	unlock, err := c.lock(t.Context(), &progress{to: new(bytes.Buffer)})
	if err != nil {
		t.Fatal(err)
	}
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = reader.Close(), writer.Close() }()
	got := make(chan error, 1)
	go func() {
		unlock, err := c.lock(t.Context(), &progress{to: writer})
		if err == nil {
			unlock()
		}
		got <- err
	}()
	// The line is written when the second one has found the lock taken.
	said := make([]byte, 100)
	n, err := reader.Read(said)
	if err != nil || !strings.Contains(string(said[:n]), "waiting") {
		t.Fatalf("said %q, %v, want that it waits", said[:n], err)
	}
	select {
	case err := <-got:
		t.Fatalf("second lock = %v while the first is held", err)
	default:
	}
	unlock()
	if err := <-got; err != nil {
		t.Errorf("second lock = %v, want nil", err)
	}
}

// A person who ends the tool while it waits is obeyed at once.
func TestWaitingForABuildCanBeCalledOff(t *testing.T) {
	c := newCache(t)
	unlock, err := c.lock(t.Context(), &progress{to: new(bytes.Buffer)})
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	ctx, cancel := context.WithCancel(t.Context())
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = reader.Close(), writer.Close() }()
	got := make(chan error, 1)
	go func() {
		_, err := c.lock(ctx, &progress{to: writer})
		got <- err
	}()
	if _, err := reader.Read(make([]byte, 100)); err != nil { // it waits now
		t.Fatal(err)
	}
	cancel()
	if err := <-got; !errors.Is(err, context.Canceled) {
		t.Errorf("lock = %v after it was called off, want %v", err, context.Canceled)
	}
}

func TestTrimRemovesWhatWasReplacedAndIsUnused(t *testing.T) {
	c := newCache(t)
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	days := func(n int) time.Time { return now.AddDate(0, 0, -n) }
	tests := []struct {
		name, key string
		used      time.Time
		stays     bool
	}{
		{"etcd", "current", days(1), true},
		{"etcd", "replaced lately", days(13), true},
		{"etcd", "replaced long ago", days(15), false},
		{"runc", "long unused but the only one", days(100), true},
	}
	for _, test := range tests {
		path := putFile(t, c, item{KindBinaries, test.name, keyOf(test.key)}, "x")
		if err := os.Chtimes(path, test.used, test.used); err != nil {
			t.Fatal(err)
		}
	}
	removed, err := c.trim(now)
	if err != nil {
		t.Fatal(err)
	}
	if len(removed) != 1 {
		t.Errorf("removed %d artefacts, want 1: %v", len(removed), removed)
	}
	for _, test := range tests {
		if _, err := os.Stat(c.path(item{KindBinaries, test.name, keyOf(test.key)})); (err == nil) != test.stays {
			t.Errorf("%s %q: stat = %v, want it to stay: %t", test.name, test.key, err, test.stays)
		}
	}
}

func TestTrimRemovesPackagesDownloadedLongAgo(t *testing.T) {
	c := newCache(t)
	archives := filepath.Join(c.dir, "apt", "trixie", "cache", "archives")
	must(t, os.MkdirAll(filepath.Join(archives, "partial"), 0o755))
	write("nginx_1.26_amd64.deb", "package", 0o644)(t, archives)
	write("lock", "", 0o644)(t, archives)
	b := &Builder{cache: c}
	for _, test := range []struct{ days, want int }{{13, 3}, {15, 2}} {
		_, err := b.Trim(time.Now().AddDate(0, 0, test.days))
		must(t, err)
		if left := entries(t, archives); len(left) != test.want {
			t.Errorf("after %d days there are %v, want %d entries", test.days, left, test.want)
		}
	}
}

func TestTrimLeavesTheCacheToARunningBuild(t *testing.T) {
	c := newCache(t)
	unlock, err := c.lock(t.Context(), &progress{to: new(bytes.Buffer)})
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	b := &Builder{cache: c}
	if removed, err := b.Trim(time.Now()); err != nil || removed != nil {
		t.Errorf("Trim = %v, %v, want nil, nil", removed, err)
	}
}

func TestHardLinksCountOnceInTheListOfSizes(t *testing.T) {
	c := newCache(t)
	_, err := c.put(item{KindBinaries, "kubernetes", keyOf("a")}, func(tmp string) error {
		if err := os.Mkdir(tmp, 0o755); err != nil {
			return err
		}
		first := filepath.Join(tmp, "hyperkube")
		if err := os.WriteFile(first, make([]byte, 1<<20), 0o755); err != nil {
			return err
		}
		return os.Link(first, filepath.Join(tmp, "kubelet"))
	})
	if err != nil {
		t.Fatal(err)
	}
	list, err := c.list()
	if err != nil || len(list) != 1 {
		t.Fatalf("list = %v, %v, want one artefact", list, err)
	}
	if a := list[0]; a.Name != "kubernetes" || a.Kind != KindBinaries || a.Size < 1<<20 || a.Size >= 2<<20 {
		t.Errorf("artefact = %+v, want kubernetes of one to two MiB", a)
	}
}

func entries(t *testing.T, dir string) []string {
	t.Helper()
	all, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range all {
		names = append(names, e.Name())
	}
	return names
}
