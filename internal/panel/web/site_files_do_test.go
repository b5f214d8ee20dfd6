package web_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/scan"
	"kubepanel.io/kubepanel/internal/panel/scan/scantest"
)

// Harmful files are shown where their owner looks, and decided about on a page of theirs.
func TestHarmfulFilesAreDecidedAbout(t *testing.T) {
	h, root := openFiles(t)
	const at = filesAt + "/findings"
	h.get(at).want(t, http.StatusOK, "No scanner looks at the files")
	by, err := scan.Open(scantest.Start(t, "100K"))
	h.must(err)
	h.rules.Scanning, h.rules.Mails = &hosting.Scanning{Scanner: by, Every: time.Hour}, true
	h.get(at).want(t, http.StatusOK, "No harmful file was found")
	put(t, root, "html/a<b>.php", scantest.Harmful)
	put(t, root, "html/turned\u202egpj.php", scantest.Harmful+" ")
	_, err = h.rules.Sweep(t.Context())
	h.must(err)
	go h.doors.Deliver(t.Context())
	if m := h.mail.Next(t); !strings.Contains(m.To, "jo@shop.example") || !strings.Contains(m.Text, "Harmful files in shop.example") || !strings.Contains(m.Text, "/sites/shop.example/files/f") {
		t.Errorf("jo is told by %+v", m)
	}
	page := h.get(at)
	page.want(t, http.StatusOK, "/html/a&lt;b&gt;.php", "/html/turned�gpj.php", scantest.Name, "In quarantine", "is removed for good after")
	for _, path := range []string{"/", "/sites", "/sites/shop.example"} {
		h.get(path).want(t, http.StatusOK, "Harmful", ": 2")
	}
	ids := regexp.MustCompile(`name="finding" value="([^"]+)"`).FindAllStringSubmatch(page.body, -1)
	if len(ids) != 4 { // to delete and to restore each
		t.Fatalf("the page names %q", ids)
	}
	// The newest is the first: the one that is turned.
	put(t, root, "html/turned\u202egpj.php", "another")
	h.post(at, url.Values{"do": {"restore"}, "finding": {ids[0][1]}}).want(t, http.StatusConflict, "There is something at", "In quarantine")
	h.must(os.Remove(filepath.Join(root, "html/turned\u202egpj.php")))
	h.post(at, url.Values{"do": {"restore"}, "finding": {ids[0][1]}}).want(t, http.StatusSeeOther)
	h.post(at, url.Values{"do": {"again"}, "finding": {ids[2][1]}}).want(t, http.StatusConflict, "not taken for harmless")
	h.post(at, url.Values{"do": {"delete"}, "finding": {ids[2][1]}, "confirm": {"1"}}).want(t, http.StatusSeeOther)
	h.post(at, url.Values{"do": {"look"}}).want(t, http.StatusSeeOther)
	h.get(at+"?done=look").want(t, http.StatusOK, "as soon as it is the site", "Taken for harmless", "0 in all")
	if gone(root, "html/turned\u202egpj.php") || !gone(root, "html/a<b>.php") {
		t.Error("what was restored is not there, or what was removed is")
	}
	h.post(at, url.Values{"do": {"delete"}, "finding": {"none"}, "confirm": {"1"}}).want(t, http.StatusNotFound)
	h.post(at, url.Values{"do": {"else"}}).want(t, http.StatusUnprocessableEntity)
}

// More than one page of them is led through, and counted as a whole.
func TestHarmfulFilesHavePages(t *testing.T) {
	h, _ := openFiles(t)
	by, err := scan.Open("unix:///nobody")
	h.must(err)
	h.rules.Scanning = &hosting.Scanning{Scanner: by, Every: time.Hour}
	for i := range 51 {
		f := &hosting.Finding{ID: hosting.NewID(), Site: "shop.example", Path: []byte("/html/" + strconv.Itoa(i) + ".php"), State: hosting.FindingQuarantined, FoundAt: clock}
		h.must(h.rules.Store.Write(t.Context(), func(tx hosting.Tx) error { return tx.InsertFinding(t.Context(), f) }))
	}
	first := h.get(filesAt + "/findings")
	first.want(t, http.StatusOK, "51 in all", "/html/50.php", "Further files")
	next := regexp.MustCompile(`href="([^"]+)" rel="next"`).FindStringSubmatch(first.body)
	if next == nil || strings.Contains(first.body, "/html/0.php") {
		t.Fatalf("the first page leads to %q, or has all", next)
	}
	second := h.get(next[1])
	second.want(t, http.StatusOK, "51 in all", "/html/0.php")
	if strings.Contains(second.body, "Further files") || strings.Contains(second.body, "/html/1.php") {
		t.Error("the second page is not the last, or has what the first one has")
	}
}

func read(t *testing.T, root, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func gone(root, name string) bool {
	_, err := os.Lstat(filepath.Join(root, name))
	return err != nil
}

func sumOf(t *testing.T, page answer) string {
	t.Helper()
	m := regexp.MustCompile(`name="sum" value="([0-9a-f]{64})"`).FindStringSubmatch(page.body)
	if m == nil {
		t.Fatalf("the editor has no sum: %.3000s", page.body)
	}
	return m[1]
}

func TestATextIsEditedAndNobodyElsesChangeIsLost(t *testing.T) {
	h, root := openFiles(t)
	put(t, root, "html/index.php", "\nold <b>\r\nend")
	const at = filesAt + "/edit?path=/html/index.php"
	page := h.get(at)
	page.want(t, http.StatusOK, "old &lt;b&gt;", `data-editor="php"`)
	sum := sumOf(t, page)
	form := url.Values{"sum": {sum}, "ends": {"crlf"}, "text": {"\r\nnew\r\nend"}}
	h.post(at, form).want(t, http.StatusSeeOther)
	if got := read(t, root, "html/index.php"); got != "\r\nnew\r\nend" {
		t.Errorf("the file is %q", got)
	}
	// Somebody else saved since: the text stands in the form, and theirs in the file.
	form.Set("text", "mine")
	again := h.post(at, form)
	again.want(t, http.StatusConflict, "Somebody else changed", "mine</textarea>", "Save mine over theirs")
	theirs := regexp.MustCompile(`name="theirs" value="([0-9a-f]{64})"`).FindStringSubmatch(again.body)
	if got := read(t, root, "html/index.php"); got != "\r\nnew\r\nend" || theirs == nil {
		t.Fatalf("the file is %q after a conflict, theirs %q", got, theirs)
	}
	form.Set("theirs", theirs[1])
	h.post(at, form).want(t, http.StatusSeeOther)
	if got := read(t, root, "html/index.php"); got != "mine" {
		t.Errorf("the file is %q", got)
	}
	put(t, root, "html/photo.txt", "\x00\xff")
	h.get(filesAt+"/edit?path=/html/photo.txt").want(t, http.StatusSeeOther)
	h.get(filesAt+"/edit?path=/html/none").want(t, http.StatusNotFound, "There is no /html/none")
}

func TestFilesAreWorkedWith(t *testing.T) {
	h, root := openFiles(t)
	put(t, root, "html/theme/a.css", "a")
	put(t, root, "html/x.txt", "x")
	at := func(path string) string { return filesAt + "?path=" + url.QueryEscape(path) }
	do := func(path, do string, more url.Values, code int, says ...string) {
		t.Helper()
		more.Set("do", do)
		h.post(at(path), more).want(t, code, says...)
	}
	do("/html", "folder", url.Values{"name": {"new folder"}}, http.StatusSeeOther)
	do("/html", "file", url.Values{"name": {"n.php"}}, http.StatusSeeOther)
	do("/html", "file", url.Values{"name": {"../evil"}}, http.StatusUnprocessableEntity, `value="../evil"`, "no / in it")
	do("/html", "file", url.Values{"name": {"n.php"}}, http.StatusConflict, "already")
	do("/html", "copy", url.Values{"file": {"theme", "x.txt"}, "to": {"/html/new folder"}}, http.StatusSeeOther)
	do("/html", "move", url.Values{"file": {"x.txt"}, "to": {"/html/new folder"}}, http.StatusConflict, "already")
	do("/html", "move", url.Values{"file": {"x.txt"}, "to": {"/"}}, http.StatusSeeOther)
	do("/html", "move", url.Values{"to": {"/"}}, http.StatusUnprocessableEntity, "No file is chosen")
	do("/x.txt", "rename", url.Values{"on": {"item"}, "name": {"y.txt"}}, http.StatusSeeOther)
	do("/y.txt", "rename", url.Values{"on": {"item"}, "name": {""}}, http.StatusUnprocessableEntity, "name-fault")
	do("/y.txt", "mode", url.Values{"on": {"item"}, "mode": {"4755"}}, http.StatusUnprocessableEntity, "three digits")
	do("/y.txt", "mode", url.Values{"on": {"item"}, "mode": {"600"}}, http.StatusSeeOther)
	if info, err := os.Stat(filepath.Join(root, "y.txt")); err != nil || info.Mode() != 0o600 {
		t.Errorf("mode = %v, %v", info, err)
	}
	do("/html", "pack", url.Values{"file": {"theme"}, "archive": {"t.rar"}}, http.StatusUnprocessableEntity, "ends in .zip")
	do("/html", "pack", url.Values{"file": {"theme"}, "archive": {"t.zip"}}, http.StatusSeeOther)
	do("/html/t.zip", "unpack", url.Values{"on": {"item"}}, http.StatusSeeOther)
	do("/html/t.zip", "unpack-here", url.Values{"on": {"item"}}, http.StatusConflict, "already")
	if read(t, root, "html/t/theme/a.css") != "a" || read(t, root, "html/new folder/theme/a.css") != "a" {
		t.Error("a copy is not what it is of")
	}
	do("/html/n.php", "unpack", url.Values{"on": {"item"}}, http.StatusUnprocessableEntity, "no archive")
	do("/html", "trash", url.Values{"file": {"theme"}}, http.StatusSeeOther)
	bin := h.get(filesAt + "/trash")
	bin.want(t, http.StatusOK, "/html/theme", "30 days after it was thrown away")
	id := regexp.MustCompile(`name="file" value="([^"]+)"`).FindStringSubmatch(bin.body)
	if !gone(root, "html/theme") || id == nil {
		t.Fatal("what was thrown away is there, or not in the trash")
	}
	do("/", "restore", url.Values{"on": {"trash"}, "file": {id[1]}}, http.StatusSeeOther)
	do("/", "empty", url.Values{"on": {"trash"}, "confirm": {"1"}}, http.StatusSeeOther)
	if read(t, root, "html/theme/a.css") != "a" {
		t.Error("it did not come back")
	}
	h.get(filesAt+"/item?path=/html/t.zip").want(t, http.StatusOK, "Unpack", "Rename")
	got := h.get(filesAt + "/download?path=/html/theme/a.css")
	got.want(t, http.StatusOK, "a")
	if !strings.HasPrefix(got.header.Get("Content-Disposition"), "attachment") || got.header.Get("Content-Type") != "application/octet-stream" {
		t.Errorf("a download is a page: %v", got.header)
	}
	h.get(filesAt+"/download?path=/html").want(t, http.StatusOK, "\x1f\x8b")
	h.get(filesAt+"/download?path=/none").want(t, http.StatusNotFound)
	trail, err := h.rules.Trail(t.Context(), h.boss, hosting.AuditQuery{Did: string(hosting.RightSiteFiles), Limit: 100})
	h.must(err)
	if len(trail.Items) < 10 || !strings.Contains(trail.Items[0].After, `"files":"empty"`) {
		t.Errorf("the trail has %d entries of files, the last %+v", len(trail.Items), trail.Items[0])
	}
}

// An upload is looked at when it is whole, and what is harmful never gets its name; where
// nobody can look, the provider says what becomes of it.
func TestUploadsAreLookedAt(t *testing.T) {
	h, root := openFiles(t)
	by, err := scan.Open(scantest.Start(t, "100K"))
	h.must(err)
	h.rules.Scanning = &hosting.Scanning{Scanner: by}
	sends := func(name, content string, cut int) answer {
		t.Helper()
		to := filesAt + "/upload?" + url.Values{"path": {"/html/up/" + name}, "size": {strconv.Itoa(len(content))}, "modified": {"1"}}.Encode()
		first := httptest.NewRequest(http.MethodPatch, to, strings.NewReader(content[:cut]))
		first.Header.Set("Upload-Offset", "0")
		h.ask(first).want(t, http.StatusNoContent)
		last := httptest.NewRequest(http.MethodPatch, to, strings.NewReader(content[cut:]))
		last.Header.Set("Upload-Offset", strconv.Itoa(cut))
		return h.ask(last)
	}
	half := len(scantest.Harmful) / 2
	sends("good.txt", "harmless", 3).want(t, http.StatusNoContent)
	if read(t, root, "html/up/good.txt") != "harmless" {
		t.Error("the harmless file is another one")
	}
	sends("bad.txt", scantest.Harmful, half).want(t, http.StatusUnprocessableEntity, "the virus scanner knows it as "+scantest.Name)
	sends("large.bin", strings.Repeat("x", 300<<10), 1000).want(t, http.StatusUnprocessableEntity, "larger than the virus scanner takes")
	if !gone(root, "html/up/bad.txt") || !gone(root, "html/up/large.bin") {
		t.Error("what was refused has its name")
	}
	trail, err := h.rules.Trail(t.Context(), h.boss, hosting.AuditQuery{Did: string(hosting.RightSiteFiles), Limit: 100})
	h.must(err)
	if len(trail.Items) != 2 || !strings.Contains(trail.Items[0].After, `"files":"harmful"`) || !strings.Contains(trail.Items[0].After, scantest.Name) {
		t.Errorf("the trail has %+v, want the upload and what was found in the other", trail.Items)
	}

	away, err := scan.Open("unix://" + filepath.Join(t.TempDir(), "nobody"))
	h.must(err)
	h.rules.Scanning = &hosting.Scanning{Scanner: away}
	sends("later.txt", "harmless", 3).want(t, http.StatusServiceUnavailable, "was not taken yet")
	if !gone(root, "html/up/later.txt") {
		t.Error("what nobody looked at has its name")
	}
	h.rules.Scanning.Lenient = true
	sends("unseen.txt", "harmless", 3).want(t, http.StatusNoContent)
	if read(t, root, "html/up/unseen.txt") != "harmless" {
		t.Error("the file is another one")
	}
	trail, err = h.rules.Trail(t.Context(), h.boss, hosting.AuditQuery{Did: string(hosting.RightSiteFiles), Limit: 100})
	h.must(err)
	if len(trail.Items) != 4 || !strings.Contains(trail.Items[1].After, `"files":"unscanned"`) {
		t.Errorf("the trail has %+v, want that nobody looked", trail.Items)
	}
}

// takes is a scanner before which somebody else takes what was found.
type takes struct {
	hosting.Scanner

	folder string
}

// Scan implements hosting.Scanner.
func (s takes) Scan(ctx context.Context, content io.Reader) (string, error) {
	found, err := s.Scanner.Scan(ctx, content)
	return found, errors.Join(err, os.RemoveAll(s.folder))
}

// An upload that was refused is gone, so that no walk finds it again and tells its owner of
// it once more. Who dies before it is noted leaves nothing that is told twice either.
func TestAnUploadThatWasRefusedIsToldOfOnce(t *testing.T) {
	h, root := openFiles(t)
	by, err := scan.Open(scantest.Start(t, "100K"))
	h.must(err)
	h.rules.Mails = true
	uploads := filepath.Join(root, ".uploads")
	sends := func(name string) {
		t.Helper()
		to := filesAt + "/upload?" + url.Values{"path": {"/html/" + name}, "size": {strconv.Itoa(len(scantest.Harmful))}, "modified": {"1"}}.Encode()
		r := httptest.NewRequest(http.MethodPatch, to, strings.NewReader(scantest.Harmful))
		r.Header.Set("Upload-Offset", "0")
		h.ask(r).want(t, http.StatusUnprocessableEntity, "the virus scanner knows it as "+scantest.Name)
	}
	told := func(want int, step string) {
		t.Helper()
		trail, err := h.rules.Trail(t.Context(), h.boss, hosting.AuditQuery{Limit: 100})
		h.must(err)
		got := 0
		for _, e := range trail.Items {
			if strings.Contains(e.After, scantest.Name) {
				got++
			}
		}
		if got != want {
			t.Errorf("%s: the trail tells of it %d times, want %d", step, got, want)
		}
	}
	h.rules.Scanning = &hosting.Scanning{Scanner: by, Every: time.Hour}
	sends("bad.txt")
	sends("bad.txt") // nobody holds the sender back
	told(2, "refused twice")
	if left, err := os.ReadDir(uploads); err != nil || len(left) > 0 {
		t.Errorf("left of the upload: %v, %v, want nothing", left, err)
	}
	_, err = h.rules.Sweep(t.Context())
	h.must(err)
	told(2, "looked through")
	h.get(filesAt+"/findings").want(t, http.StatusOK, "No harmful file was found")

	// A walk came between the verdict and the end of it, and tells of it.
	h.rules.Scanning = &hosting.Scanning{Scanner: takes{by, uploads}}
	sends("taken.txt")
	told(2, "taken by somebody else")
}

func TestAnUploadIsTakenInPieces(t *testing.T) {
	h, root := openFiles(t)
	whole := strings.Repeat("0123456789", 100_000)
	to := filesAt + "/upload?" + url.Values{"path": {"/html/up/big.bin"}, "size": {strconv.Itoa(len(whole))}, "modified": {"1"}}.Encode()
	piece := func(to string, offset int, content string) answer {
		t.Helper()
		r := httptest.NewRequest(http.MethodPatch, to, strings.NewReader(content))
		r.Header.Set("Upload-Offset", strconv.Itoa(offset))
		return h.ask(r)
	}
	if got := piece(to, 0, whole[:400_000]); got.code != http.StatusNoContent || got.header.Get("Upload-Offset") != "400000" {
		t.Fatalf("the first piece = %d %v %s", got.code, got.header, got.body)
	}
	head := h.ask(httptest.NewRequest(http.MethodHead, to, nil))
	if head.header.Get("Upload-Offset") != "400000" {
		t.Errorf("it is at %q", head.header.Get("Upload-Offset"))
	}
	if got := piece(to, 7, "x"); got.code != http.StatusConflict || got.header.Get("Upload-Offset") != "400000" {
		t.Errorf("a piece elsewhere = %d, at %q", got.code, got.header.Get("Upload-Offset"))
	}
	if !gone(root, "html/up/big.bin") {
		t.Error("half of a file has its name")
	}
	piece(to, 400_000, whole[400_000:]).want(t, http.StatusNoContent)
	if read(t, root, "html/up/big.bin") != whole {
		t.Error("the file is another one")
	}
	small := filesAt + "/upload?path=/html/up/big.bin&size=3&modified=2"
	piece(small, 0, "new").want(t, http.StatusConflict, "already")
	piece(small+"&replace=1", 3, "").want(t, http.StatusNoContent)
	if read(t, root, "html/up/big.bin") != "new" {
		t.Error("the file was not replaced")
	}
	h.as = hosting.Actor{}
	piece(to, 0, "x").want(t, http.StatusSeeOther)
}

func TestATerminalIsTheSitesShell(t *testing.T) {
	h, root := openFiles(t, "--shell")
	h.cluster.Change("shop.example", func(d *v1alpha1.Domain) { d.Spec.SFTP.Type = v1alpha1.SFTPGit })
	h.get("/sites/shop.example/terminal").want(t, http.StatusOK, "data-terminal")
	server := httptest.NewServer(h.handler)
	defer server.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	at := server.URL + "/sites/shop.example/terminal/socket?columns=90&rows=20"
	for _, origin := range []string{"https://evil.example", ""} {
		if _, got, err := websocket.Dial(ctx, at, &websocket.DialOptions{HTTPHeader: http.Header{"Origin": {origin}}}); err == nil || got == nil || got.StatusCode != http.StatusForbidden {
			t.Errorf("a terminal for the origin %q: %v", origin, err)
		}
	}
	c, _, err := websocket.Dial(ctx, at, &websocket.DialOptions{HTTPHeader: http.Header{"Origin": {server.URL}}})
	h.must(err)
	h.must(c.Write(ctx, websocket.MessageText, []byte("100 30")))
	h.must(c.Write(ctx, websocket.MessageBinary, []byte("echo $((6*7))-$PWD >said; stty size >>said; exit\n")))
	for {
		if _, _, err := c.Read(ctx); err != nil {
			break
		}
	}
	if got := read(t, root, "said"); got != "42-"+root+"\n30 100\n" {
		t.Errorf("the shell said %q", got)
	}
	awaitTrail(t, h, `"terminal":"closed"`)
	h.cluster.Change("shop.example", func(d *v1alpha1.Domain) { d.Spec.SFTP.Type = v1alpha1.SFTPStandard })
	h.get("/sites/shop.example/terminal").want(t, http.StatusOK, "Switch the shell on")
}

// awaitTrail waits for an entry: the end of a terminal is noted after its browser has
// heard of it.
func awaitTrail(t *testing.T, h *house, says string) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		trail, err := h.rules.Trail(t.Context(), h.boss, hosting.AuditQuery{Did: string(hosting.RightSiteTerminal), Limit: 10})
		h.must(err)
		if len(trail.Items) == 2 && strings.Contains(trail.Items[0].After, says) {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("not in the trail: %s; there is %+v", says, trail.Items)
		}
	}
}
