package asset

import (
	"bytes"
	"compress/gzip"
	"crypto/sha512"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"testing"
)

// What others wrote stays as they published it.
func TestForeignFilesAreAsPublished(t *testing.T) {
	published := map[string]string{
		// npm htmx.org@2.0.7, dist/htmx.min.js; licence 0BSD.
		"htmx.min.js": "222b06a2e9876a199f34884fe30515dce86041969a0c1b83e881b85e5ca34fbec8524c2b7992f74f769f3b8c57b836a749a959e7b527f949406daad08cd6424d",
		// npm @fontsource-variable/inter@5.3.0, files/inter-latin-wght-normal.woff2; SIL Open Font License 1.1.
		"inter.woff2": "9acec3e7a411a1eb6d072c3773bb14e5aa74d85d334674ec0fb018b7937174d5b612b756b2ce7aa3993d31dfe172516e7aaec79c7dd209eac5fd15d9aea077e9",
		// npm @xterm/xterm@6.0.0, css/xterm.css; licence MIT.
		"xterm.css": "cf53598cf599479e4a6fc37fb67507d595328654c02e61ba568f775897738e8dff1ba36c5367ef7f50f21ca5c27d6b850c5a990c6f6ef407b231c2888e818447",
		// Bundled from what tools/scripts/package-lock.json pins (make scripts); licences in LICENCES.txt.
		"editor.js":   "31a6b7072729de34adedbbe7d9f7ad08ca89707c9723e74b36f8c7093aea23b3f32beffa7fbac1bd8fe06f3ded71a169246e70fa0b8d45ad7c51638eb6c5a334",
		"terminal.js": "a75d152e31707a047c2db6a6770504f3b9be64655575e9b2f3009ff775b4a474c306ef20ca8a438f28bd2af3387edae453c18cab5db908573e3cea5c7fe7b7b4",
	}
	for name, want := range published {
		content, err := files.ReadFile("static/" + name)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha512.Sum512(content)
		if got := hex.EncodeToString(sum[:]); got != want {
			t.Errorf("SHA-512 of %s = %s, want %s", name, got, want)
		}
	}
}

func TestEveryNameFollowsItsContent(t *testing.T) {
	s, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"panel.css", "panel.js", "htmx.min.js", "icons.svg", "mark.svg", "inter.woff2"} {
		at := s.URL(name)
		f, ok := s.served[at]
		if !ok || f.kind == "" {
			t.Errorf("%s is served at %q as %q", name, at, f.kind)
		}
		if f.smaller != nil && f.smaller().Size() >= f.plain.Size() {
			t.Errorf("%s is larger when it is compressed", name)
		}
	}
}

// A copy of the files in the heap would be 1.2 MB, and let as much garbage again gather.
func TestFilesStayInTheProgram(t *testing.T) {
	live := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := live()
	s, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	if after := live(); after > before+200<<10 {
		t.Errorf("Load keeps %d bytes", after-before)
	}
	runtime.KeepAlive(s)
}

func TestFilesAreServedAsTheyAre(t *testing.T) {
	s, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	want, err := files.ReadFile("static/editor.js")
	if err != nil {
		t.Fatal(err)
	}
	for _, encoding := range []string{"identity", "gzip"} {
		r := httptest.NewRequest(http.MethodGet, s.URL("editor.js"), http.NoBody)
		r.Header.Set("Accept-Encoding", encoding)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if length := w.Header().Get("Content-Length"); length != strconv.Itoa(w.Body.Len()) {
			t.Errorf("%s: Content-Length = %s of %d", encoding, length, w.Body.Len())
		}
		body := io.Reader(w.Body)
		if encoding == "gzip" {
			if body, err = gzip.NewReader(w.Body); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := io.ReadAll(body); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes, %v, want the %d of the file", encoding, len(got), err, len(want))
		}
	}
}
