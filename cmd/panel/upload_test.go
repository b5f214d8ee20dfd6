package main

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"kubepanel.io/kubepanel/internal/panel/door/doortest"
	"kubepanel.io/kubepanel/lab/axe"
)

// cable lies between a browser and a panel. Both notice when it breaks.
type cable struct {
	at, to string
	passed atomic.Int64 // octets from the browser, on all connections
	// bad, when set, is asked before octets pass, with how many passed on that connection
	// and on all; back before those of an answer do.
	bad, back atomic.Pointer[func(here, all int64) fate]

	mu   sync.Mutex
	free chan struct{} // closed to let go on what is held
}

// fate is what becomes of a connection.
type fate int

const (
	passes fate = iota
	breaks
	held
)

func newCable(t testing.TB, to string) *cable {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	c := &cable{at: listener.Addr().String(), to: to, free: make(chan struct{})}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			browser, err := listener.Accept()
			if err != nil {
				return
			}
			all.Go(func() { c.join(browser) })
		}
	})
	t.Cleanup(func() {
		must(t, listener.Close())
		c.is(nil)
		all.Wait()
	})
	return c
}

// is gives the cable another fault, or none, and lets go on what was held.
func (c *cable) is(bad func(here, all int64) fate) {
	if bad == nil {
		c.bad.Store(nil)
	} else {
		c.bad.Store(&bad)
	}
	c.back.Store(nil)
	c.passed.Store(0)
	c.mu.Lock()
	defer c.mu.Unlock()
	close(c.free)
	c.free = make(chan struct{})
}

func (c *cable) join(browser net.Conn) {
	defer browser.Close()
	// What the system keeps for the reader counts as sent in the browser.
	err := browser.(*net.TCPConn).SetReadBuffer(64 << 10)
	panel, wrong := net.Dial("tcp", c.to)
	if err != nil || wrong != nil {
		return // the panel has ended
	}
	defer panel.Close()
	var here atomic.Int64
	var back sync.WaitGroup
	back.Go(func() {
		c.bring(panel, browser, &c.back, func(int) (int64, int64) { return here.Load(), c.passed.Load() })
		_ = browser.Close()
	})
	c.bring(browser, panel, &c.bad, func(n int) (int64, int64) { return here.Add(int64(n)), c.passed.Add(int64(n)) })
	_ = panel.Close()
	back.Wait()
}

// bring brings what one side sends, and its end, until its fate. Either may go away.
func (c *cable) bring(from, to net.Conn, fault *atomic.Pointer[func(here, all int64) fate], count func(int) (here, all int64)) {
	piece := make([]byte, 64<<10)
	for {
		n, err := from.Read(piece)
		here, all := count(n)
		c.mu.Lock()
		free := c.free
		c.mu.Unlock()
		if bad := fault.Load(); bad != nil {
			switch (*bad)(here, all) {
			case breaks:
				_ = errors.Join(from.Close(), to.Close())
				return
			case held:
				<-free
			}
		}
		if _, wrong := to.Write(piece[:n]); err != nil || wrong != nil {
			return
		}
	}
}

// yard is a site's files before a browser whose cable can be broken.
type yard struct {
	*window

	cable *cable
	root  string // of the site's files
	page  string // of its folder html
	own   string // the folder with what is sent
}

func newYard(t *testing.T, street *doortest.Street) *yard {
	t.Helper()
	town := newTown(t)
	town.grow(1)
	town.byGateway()
	root, _ := street.Site(townSite(0))
	must(t, os.MkdirAll(filepath.Join(root, "html"), 0o755))
	o := town.open("--gateway", street.Address, "--door-keys", street.Folder())
	o.signIn()
	c := newCable(t, o.at)
	far := *o
	far.at = c.at
	y := &yard{window: far.window(), cable: c, root: root, page: "/sites/" + townSite(0) + "/files?path=/html", own: t.TempDir()}
	y.dress(1366, 900, "light", "en")
	return y
}

// file makes one to be sent, of so many octets that nothing makes smaller.
func (y *yard) file(name string, size int) (at string) {
	y.Helper()
	at = filepath.Join(y.own, name)
	content := make([]byte, size)
	_, err := rand.NewChaCha8(sha256.Sum256([]byte(name))).Read(content)
	must(y, errors.Join(err, os.WriteFile(at, content, 0o644)))
	return at
}

// choose has the page's browser send files.
func (y *yard) choose(files ...string) {
	y.Helper()
	y.do(chromedp.SetUploadFiles("#upload", files, chromedp.ByQuery))
}

// arrives waits until the page says that all is there, and compares it.
func (y *yard) arrives(files ...string) {
	y.Helper()
	y.until(`new URLSearchParams(location.search).get("done") ?? [...document.querySelectorAll(".uploads .said")].map(e => e.textContent).join()`, "uploaded")
	for _, file := range files {
		name := filepath.Base(file)
		want, err := os.ReadFile(file)
		must(y, err)
		got, err := os.ReadFile(filepath.Join(y.root, "html", name))
		if err != nil || !bytes.Equal(got, want) {
			y.Errorf("%s arrived as %d octets with the sum %x (%v), want %d and %x", name, len(got), sha256.Sum256(got), err, len(want), sha256.Sum256(want))
		}
		if shown := y.read(fmt.Sprintf(`String([...document.querySelectorAll("a.file")].some(e => e.textContent === %q))`, name)); shown != "true" {
			y.Errorf("%s is not in the list", name)
		}
	}
	y.parts(0)
}

// parts waits until so many uploads are under way as the site sees it, which is later than
// the browser does: what that has sent may be on its way yet.
func (y *yard) parts(want int) {
	y.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		parts, err := os.ReadDir(filepath.Join(y.root, ".uploads"))
		if err == nil && len(parts) == want {
			return
		}
		if time.Now().After(end) {
			y.Fatalf("the site has %v (%v) of uploads, want %d", parts, err, want)
		}
	}
}

// bar is how far the page shows an upload to be, from 0 to 1.
func (y *yard) bar(i int) float64 {
	y.Helper()
	value, err := strconv.ParseFloat(y.read(fmt.Sprintf(`String(document.querySelectorAll(".uploads progress")[%d]?.value)`, i)), 64)
	must(y, err)
	return value
}

// underWay counts the uploads of the page that have moved.
const underWay = `String([...document.querySelectorAll(".uploads progress")].filter(e => e.value > 0 && e.value < 1).length)`

const mebi = 1 << 20

// A network that goes away for a while in the middle of a piece costs
// no more than what was on its way.
func TestAnUploadGoesOnWhenTheConnectionWasCut(t *testing.T) {
	y := newYard(t, doortest.New(t))
	y.open(y.page)
	file := y.file("pictures of the summer.raw", 20*mebi)
	var first atomic.Int64
	y.cable.is(func(_, all int64) fate {
		if all > 12*mebi {
			first.CompareAndSwap(0, time.Now().UnixNano())
			if time.Since(time.Unix(0, first.Load())) < 3*time.Second {
				return breaks
			}
		}
		return passes
	})
	y.choose(file)
	y.until(`document.querySelector(".uploads .said")?.textContent ?? ""`, "The connection was cut; it goes on by itself.")
	if bar := y.bar(0); bar < 8./20 || bar > 13./20 {
		t.Errorf("the bar is at %.2f where 12 of 20 MiB are sent", bar)
	}
	y.arrives(file)
	if sent := y.cable.passed.Load(); sent > 24*mebi {
		t.Errorf("%d octets were sent, want hardly more than the file has", sent)
	}
}

// An upload of which only the last answer is lost is there, and nobody is asked whether to
// replace it.
func TestAnUploadWhoseLastAnswerIsLostIsNotSentAgain(t *testing.T) {
	y := newYard(t, doortest.New(t))
	for name, mebis := range map[string]int64{"one piece.raw": 3, "two pieces.raw": 10} {
		y.open(y.page)
		file := y.file(name, int(mebis)*mebi)
		var once atomic.Bool
		y.cable.is(nil)
		answers := func(_, all int64) fate {
			if all > mebis*mebi && once.CompareAndSwap(false, true) {
				return breaks
			}
			return passes
		}
		y.cable.back.Store(&answers)
		y.choose(file)
		y.arrives(file)
		// The browser by itself sends a request once more whose connection ends without an answer.
		if sent := y.cable.passed.Load(); !once.Load() || sent > (mebis+4)*mebi {
			t.Errorf("%s: an answer was lost: %v, and %d octets were sent, want hardly more than the file has and its last piece", name, once.Load(), sent)
		}
	}
}

// A connection that no longer brings anything, and doesn't end, is given up after a minute.
func TestAnUploadGoesOnWhenTheConnectionHangs(t *testing.T) {
	y := newYard(t, doortest.New(t))
	y.open(y.page)
	file := y.file("film.mkv", 12*mebi)
	var hung atomic.Bool
	// Early in a piece: of its end the system takes some mebibytes, which count as sent.
	hangs := func(here, _ int64) fate {
		if here > mebi && hung.CompareAndSwap(false, true) {
			return held
		}
		return passes
	}
	y.cable.is(hangs)
	nothing := func(here, _ int64) fate {
		if here > mebi && here < 2*mebi { // of that connection alone
			return held
		}
		return passes
	}
	y.cable.back.Store(&nothing)
	began := time.Now()
	y.choose(file)
	for !hung.Load() && time.Since(began) < time.Minute {
		time.Sleep(20 * time.Millisecond)
	}
	time.Sleep(50 * time.Second) // what is given up earlier is a slow network
	y.until(`document.querySelector(".uploads .said")?.textContent ?? ""`, "The connection was cut; it goes on by itself.")
	if took := time.Since(began); took < 55*time.Second {
		t.Errorf("it was given up after %s", took)
	}
	y.cable.back.Store(nil)
	y.arrives(file)
}

// Who closes the page in the middle chooses the same file again, and it goes on.
func TestAnUploadGoesOnWhenThePageWasClosed(t *testing.T) {
	y := newYard(t, doortest.New(t))
	y.open(y.page)
	file := y.file("film.mkv", 20*mebi)
	y.cable.is(func(_, all int64) fate {
		if all > 12*mebi {
			return held
		}
		return passes
	})
	y.choose(file)
	y.until(underWay, "1")
	y.until(`String(document.querySelector(".uploads progress").value > 0.5)`, "true")
	y.do(chromedp.Navigate("about:blank"))
	y.cable.is(nil)
	y.open(y.page)
	y.cable.passed.Store(0)
	y.choose(file)
	y.arrives(file)
	if sent := y.cable.passed.Load(); sent > 13*mebi {
		t.Errorf("%d octets were sent by the second page, want no more than was missing", sent)
	}
}

// Files of any name go two at a time, an empty one too; one that is cancelled leaves
// nothing, and the lines fit in every dress.
func TestManyFilesAreUploadedAndOneIsCancelled(t *testing.T) {
	y := newYard(t, doortest.New(t))
	script := axe.Script(t)
	first, second := y.file("first with spaces, and a name so long that it does not fit into one line of a phone.tar.gz", 7*mebi), y.file("صور الموقع.zip", 7*mebi)
	more := []string{y.file("🎉 party.txt", 1234), y.file("empty.txt", 0), y.file("100% & #1?.txt", 10)}
	hold := func(here, _ int64) fate {
		if here > mebi {
			return held
		}
		return passes
	}
	for _, d := range dresses() {
		y.dress(d.width, d.height, d.theme, d.language)
		y.cable.is(nil)
		y.open(y.page)
		y.cable.is(hold)
		y.choose(append([]string{first, second}, more...)...)
		y.until(underWay, "2")
		y.fits(script, "files-uploads", d)
		for range 2 + len(more) {
			y.do(chromedp.Click(".uploads li:last-child button", chromedp.ByQuery))
		}
		y.until(`String(document.querySelectorAll(".uploads li").length) + document.activeElement.id`, "0upload")
	}
	y.cable.is(nil)
	y.open(y.page)
	y.cable.is(hold)
	y.choose(append([]string{first, second}, more...)...)
	y.until(underWay, "2")
	y.parts(2)
	y.do(chromedp.Click(".uploads li:first-child button", chromedp.ByQuery))
	y.cable.is(nil)
	y.arrives(append(more, second)...)
	if _, err := os.Stat(filepath.Join(y.root, "html", filepath.Base(first))); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what was cancelled is there: %v", err)
	}
}

// Who is signed out meanwhile is told so, and goes on afterwards.
func TestAnUploadSaysThatTheSessionIsOver(t *testing.T) {
	y := newYard(t, doortest.New(t))
	y.open(y.page)
	file := y.file("backup.sql", 12*mebi)
	y.cable.is(func(_, all int64) fate {
		if all > 4*mebi {
			return held
		}
		return passes
	})
	y.choose(file)
	y.until(underWay, "1")
	name, value, _ := strings.Cut(y.cookie, "=")
	y.do(network.DeleteCookies(name).WithURL("https://" + y.at))
	y.cable.is(nil)
	y.until(`document.querySelector(".uploads .bad .said")?.textContent ?? ""`, "You are not signed in any more. Sign in, and choose the file again: it goes on where it was.")
	y.do(network.SetCookie(name, value).WithURL("https://" + y.at).WithSecure(true).WithPath("/").WithHTTPOnly(true))
	y.open(y.page)
	y.cable.passed.Store(0)
	y.choose(file)
	y.arrives(file)
	if sent := y.cable.passed.Load(); sent > 5*mebi {
		t.Errorf("%d octets were sent afterwards, want the 4 MiB that were missing", sent)
	}
}

// A file that the site has no room for is refused before any of it is sent, in words; a
// smaller one beside it arrives.
func TestAnUploadThatHasNoRoomIsToldSo(t *testing.T) {
	small := filepath.Dir(t.TempDir()) // of all folders of this test, the site's too
	if err := syscall.Mount("tmpfs", small, "tmpfs", 0, "size=6m"); err != nil {
		t.Skipf("no file system of its own can be had: %v", err)
	}
	t.Cleanup(func() { must(t, syscall.Unmount(small, syscall.MNT_DETACH)) })
	street := doortest.New(t)
	t.Run("in a browser", func(t *testing.T) {
		y := newYard(t, street)
		y.open(y.page)
		y.choose(y.file("large.iso", 9*mebi))
		y.until(`document.querySelector(".uploads .bad .said")?.textContent ?? ""`,
			"The site's storage is full. Nothing was changed. Delete what is not needed, empty the trash, or give the site more storage.")
		if sent := y.cable.passed.Load(); sent > mebi {
			t.Errorf("%d octets were sent of what there is no room for", sent)
		}
		y.keep("files-no-room")
		y.do(chromedp.Click(".uploads li button", chromedp.ByQuery))
		y.until(`String(document.querySelectorAll(".uploads li").length)`, "0")
		file := y.file("small.txt", 100)
		y.choose(file)
		y.arrives(file)
	})
}
