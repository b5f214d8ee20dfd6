package images_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	wsgi = `
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [("%s " % environ["wsgi.url_scheme"] + VALUE).encode()]
VALUE = %q
`
	asgi = `
async def app(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"one file of ASGI"})
`
)

func oneFile(text string) string { return strings.Replace(wsgi, "%q", fmt.Sprintf("%q", text), 1) }

// newPython runs Debian's Python, as the image does.
func newPython(t *testing.T, settings map[string]any) *started {
	t.Helper()
	need(t, "/usr/bin/python3", "uwsgi")
	return newStart(t, "python", settings, "/usr/bin/python3", "-E", "-s", "-B", "-u", "python/start.py")
}

func TestPythonServesOneFile(t *testing.T) {
	tests := map[string]struct {
		files    map[string]string
		settings map[string]any
		want     string
	}{
		"WSGI": {map[string]string{"wsgi.py": oneFile("one file of WSGI")}, nil, "one file of WSGI"},
		"ASGI": {map[string]string{"main.py": asgi}, nil, "one file of ASGI"},
		"a Django project's place": {map[string]string{"manage.py": "", "shop/__init__.py": "", "shop/wsgi.py": oneFile("a project")},
			nil, "a project"},
		"named":          {map[string]string{"a/b.py": strings.ReplaceAll(oneFile("named"), "application", "start"), "wsgi.py": "broken("}, map[string]any{"app": "a.b:start"}, "named"},
		"prepared first": {map[string]string{"make.py": "import sys; open('made.py', 'w').write('V = %r' % sys.argv[1])", "app.py": oneFile("x") + "from made import V as VALUE"}, map[string]any{"prepare": "make.py 'a b'\n\n"}, "a b"},
		"Flask as Debian ships it": {map[string]string{"app.py": "from flask import Flask, request\napp = Flask(__name__)\n@app.route('/')\ndef hello():\n    return 'Hello, Flask'\n"},
			nil, "Hello, Flask"},
		"own gunicorn settings": {map[string]string{"gunicorn.conf.py": "raw_env = ['OWN=mine']\nbind = '0.0.0.0:1'", "app.py": "import os\n" + oneFile("x") + "VALUE = os.environ['OWN']"},
			nil, "mine"},
		"told port and time zone": {map[string]string{"app.py": "import os, time\n" + oneFile("x") + "VALUE = f\"{os.environ['PORT'].isdigit()} {time.strftime('%Z')}\""}, nil, "True JST"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newPython(t, tt.settings)
			s.put(t, tt.files)
			s.start(t)
			s.serves(t, "/", tt.want)
		})
	}
}

// A site begins empty: it says what it waits for, and takes what is uploaded.
func TestPythonWaitsForAnApplication(t *testing.T) {
	t.Parallel()
	s := newPython(t, map[string]any{"app": "shop:app", "prepare": "make.py"})
	s.start(t)
	s.serves(t, "/", "The setting app names shop:app")
	s.put(t, map[string]string{"shop.py": asgi, "make.py": ""})
	s.serves(t, "/", "one file of ASGI")
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code, last := s.exit(t); code != 0 {
		t.Errorf("after SIGTERM it ends with %d, %q; want 0", code, last)
	}
}

func TestPythonStartsAnewWhenAsked(t *testing.T) {
	t.Parallel()
	s := newPython(t, nil)
	s.put(t, map[string]string{"app.py": oneFile("before")})
	s.start(t)
	s.serves(t, "/", "before")
	s.put(t, map[string]string{"app.py": oneFile("after a touch")})
	s.restart(t)
	s.serves(t, "/", "after a touch")
	s.put(t, map[string]string{"other.py": oneFile("after other settings")})
	s.configure(t, "python", "http", map[string]any{"app": "other:application"})
	s.serves(t, "/", "after other settings")
}

func TestPythonSaysWhyItCanNotStart(t *testing.T) {
	tests := map[string]struct {
		files    map[string]string
		settings map[string]any
		want     string
	}{
		"missing module":  {map[string]string{"app.py": "import nothing_of_that_name\napp = 1"}, nil, "app:app can't be loaded: ModuleNotFoundError: No module named 'nothing_of_that_name'"},
		"broken source":   {map[string]string{"app.py": "app = ("}, nil, "app:application can't be loaded: SyntaxError: '(' was never closed"},
		"missing package": {map[string]string{"requirements.txt": "--no-index\nnothing-of-that-name==1", "app.py": oneFile("x")}, nil, "requirements.txt can't be installed: No matching distribution found for nothing-of-that-name==1"},
		"failing prepare": {map[string]string{"app.py": oneFile("x")}, map[string]any{"prepare": "-c 'raise SystemExit(3)'"}, "python -c 'raise SystemExit(3)' ended with 3"},
		"unclosed quote":  {map[string]string{"app.py": oneFile("x")}, map[string]any{"prepare": "'a"}, "can't be read: 'a: No closing quotation"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newPython(t, tt.settings)
			s.put(t, tt.files)
			s.start(t)
			if code, last := s.exit(t); code != 1 || !strings.HasPrefix(last, "Python: ") || !strings.Contains(last, tt.want) {
				t.Errorf("it ends with %d, %q; want 1, %q", code, last, tt.want)
			}
		})
	}
}

// TestPythonInstallsRequirements takes wheels from the site's own folder.
func TestPythonInstallsRequirements(t *testing.T) {
	t.Parallel()
	s := newPython(t, nil)
	uses := oneFile("x") + "import shelf\nVALUE = 'shelf ' + shelf.version\n"
	s.put(t, map[string]string{
		"app.py": uses, "requirements.txt": "-r more.txt\n", "more.txt": "--no-index\n--find-links wheels\nshelf==1\n",
		"wheels/shelf-1-py3-none-any.whl": wheel(t, "shelf", "1"),
		"wheels/shelf-2-py3-none-any.whl": wheel(t, "shelf", "2"),
	})
	// Killed half-way, a start leaves nothing that a later one would take for whole.
	s.start(t)
	s.says(t, "installing")
	s.kill(t)
	s.start(t)
	s.serves(t, "/", "shelf 1")
	// What can't be had leaves what runs alone.
	s.put(t, map[string]string{"more.txt": "--no-index\n--find-links wheels\nshelf==3\n"})
	s.restart(t)
	s.says(t, "What ran before runs on")
	s.serves(t, "/", "shelf 1")
	s.put(t, map[string]string{"more.txt": "--no-index\n--find-links wheels\nshelf==2\n"})
	s.restart(t)
	s.serves(t, "/", "shelf 2")
	s.leavesOne(t)
}

func TestPythonTellsWhatBecameOfItsSettings(t *testing.T) {
	t.Parallel()
	s := newPython(t, map[string]any{"prepare": "make.py first"})
	s.put(t, map[string]string{
		"make.py": "import sys\nif sys.argv[1] == 'bad': sys.exit(3)\nopen('made.py', 'w').write('V = %r' % sys.argv[1])",
		"app.py":  "import time\ntime.sleep(0.7)\n" + oneFile("x") + "from made import V as VALUE",
	})
	s.tells(t, "python", "make.py ", "the setting prepare: python make.py bad ended with 3")
}

// wheel is the least that pip takes for a package (PEP 427).
func wheel(t *testing.T, name, version string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	info := name + "-" + version + ".dist-info/"
	for _, f := range [][2]string{
		{name + ".py", "version = '" + version + "'\n"},
		{info + "METADATA", "Metadata-Version: 2.1\nName: " + name + "\nVersion: " + version + "\n"},
		{info + "WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"},
		{info + "RECORD", name + ".py,,\n" + info + "METADATA,,\n" + info + "WHEEL,,\n" + info + "RECORD,,\n"},
	} {
		w, err := z.Create(f[0])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, f[1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestUWSGIAnswersInItsOwnProtocol(t *testing.T) {
	t.Parallel()
	s := newPython(t, nil)
	s.configure(t, "python", "uwsgi", map[string]any{"workers": 1})
	s.put(t, map[string]string{
		"app.py": oneFile("x") + "import shelf\nVALUE = 'by uWSGI with shelf ' + shelf.version\n", "requirements.txt": "--no-index\n--find-links wheels\nshelf\n",
		"wheels/shelf-1-py3-none-any.whl": wheel(t, "shelf", "1"),
	})
	if err := os.WriteFile(filepath.Join(s.folder, "etc/app/server.conf"), []byte("strict = true\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.start(t)
	var got string
	for end := time.Now().Add(starting); !strings.Contains(got, "https by uWSGI with shelf 1"); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("it answers %q", got)
		}
		got = askUWSGI(s.port)
	}
}

// askUWSGI sends one request as nginx would: a head of four bytes, then pairs of
// texts, each after its length.
func askUWSGI(port int) string {
	conn, err := net.DialTimeout("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), time.Second)
	if err != nil {
		return err.Error()
	}
	defer conn.Close() // it was read
	var vars []byte
	for _, text := range []string{"REQUEST_METHOD", "GET", "PATH_INFO", "/", "SERVER_NAME", "a", "SERVER_PORT", "443", "UWSGI_SCHEME", "https", "SERVER_PROTOCOL", "HTTP/1.1"} {
		vars = append(binary.LittleEndian.AppendUint16(vars, uint16(len(text))), text...)
	}
	head := append([]byte{0}, binary.LittleEndian.AppendUint16(nil, uint16(len(vars)))...)
	if _, err := conn.Write(append(append(head, 0), vars...)); err != nil {
		return err.Error()
	}
	answer, err := io.ReadAll(conn)
	if err != nil {
		return err.Error()
	}
	return string(answer)
}
