package images_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"io"
	"net"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// respond is a server that ignores PORT, as most examples do.
const respond = `require('http').createServer((q, a) => a.end(VALUE)).listen(8123, '0.0.0.0');
`

func newNode(t *testing.T, settings map[string]any) *started {
	t.Helper()
	need(t, "node", "npm")
	return newStart(t, "nodejs", settings, "node", "nodejs/start.mjs")
}

func says(text string) string { return "const VALUE = " + strconv.Quote(text) + ";\n" + respond }

func TestNodeServesOneFile(t *testing.T) {
	tests := map[string]struct {
		files    map[string]string
		settings map[string]any
		want     string
	}{
		"a file":            {map[string]string{"server.js": says("one file")}, nil, "one file"},
		"a module":          {map[string]string{"app.mjs": "import http from 'node:http';\nhttp.createServer((q, a) => a.end('a module')).listen(process.env.PORT);"}, nil, "a module"},
		"main":              {map[string]string{"package.json": `{"main": "lib/x.js"}`, "lib/x.js": says("main")}, nil, "main"},
		"start script":      {map[string]string{"package.json": `{"scripts": {"start": "node lib/x.js --flag"}}`, "lib/x.js": "const VALUE = process.argv[2];\n" + respond}, nil, "--flag"},
		"script of a shell": {map[string]string{"package.json": `{"scripts": {"start": "X='a b' node x.js"}}`, "x.js": "const VALUE = process.env.X;\n" + respond}, nil, "a b"},
		"another script":    {map[string]string{"package.json": `{"scripts": {"serve": "node x.js"}}`, "x.js": says("served")}, map[string]any{"script": "serve"}, "served"},
		"prepared first":    {map[string]string{"package.json": `{"scripts": {"build": "echo 'exports.v = 1' > made.js", "start": "node x.js"}}`, "x.js": "const VALUE = 'made ' + require('./made').v;\n" + respond}, map[string]any{"prepare": "build"}, "made 1"},
		"time zone":         {map[string]string{"index.js": "const VALUE = Intl.DateTimeFormat().resolvedOptions().timeZone;\n" + respond}, nil, "Asia/Tokyo"},
		"production":        {map[string]string{"index.js": "const VALUE = process.env.NODE_ENV;\n" + respond}, nil, "production"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newNode(t, tt.settings)
			s.put(t, tt.files)
			s.start(t)
			s.serves(t, "/", tt.want)
			// It asked for another port on all addresses.
			if conn, err := net.Dial("tcp", "127.0.0.1:8123"); err == nil {
				_ = conn.Close()
				t.Error("the program listens where it asked to")
			}
		})
	}
}

func TestNodeWaitsForAnApplication(t *testing.T) {
	t.Parallel()
	s := newNode(t, map[string]any{"prepare": "build"})
	s.start(t)
	s.serves(t, "/", "This site has no Node.js application yet")
	s.put(t, map[string]string{"server.js": says("uploaded"), "package.json": `{"scripts": {"build": "true"}}`})
	s.serves(t, "/", "uploaded")
	s.put(t, map[string]string{"server.js": says("after a touch")})
	s.restart(t)
	s.serves(t, "/", "after a touch")
	s.put(t, map[string]string{"package.json": `{"scripts": {"other": "node other.js"}}`, "other.js": says("after other settings")})
	s.configure(t, "nodejs", "http", map[string]any{"script": "other"})
	s.serves(t, "/", "after other settings")
	// What can't be read leaves what runs alone.
	s.put(t, map[string]string{"package.json": "{"})
	s.restart(t)
	s.says(t, "package.json is no JSON")
	s.serves(t, "/", "after other settings")
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code, last := s.exit(t); code != 0 {
		t.Errorf("after SIGTERM it ends with %d, %q; want 0", code, last)
	}
}

func TestNodeSaysWhyItCanNotStart(t *testing.T) {
	tests := map[string]struct {
		files map[string]string
		want  string
	}{
		"missing module": {map[string]string{"app.js": "require('nothing-of-that-name')"}, "app.js ended with 1: Error: Cannot find module 'nothing-of-that-name'"},
		"broken source":  {map[string]string{"app.js": "const a = ("}, "app.js ended with 1: SyntaxError: "},
		"no JSON":        {map[string]string{"package.json": "{"}, "package.json is no JSON"},
		"no lock":        {map[string]string{"app.js": "", "package.json": `{"dependencies": {"express": "4"}}`}, "there is no package-lock.json"},
		"it just ends":   {map[string]string{"app.js": ""}, "app.js ended with 0"},
		"missing package": {map[string]string{"app.js": "", "package.json": `{"dependencies": {"shelf": "file:gone.tgz"}}`,
			"package-lock.json": `{"lockfileVersion": 3, "packages": {"": {"dependencies": {"shelf": "file:gone.tgz"}}, "node_modules/shelf": {"version": "1.0.0", "resolved": "file:gone.tgz"}}}`}, "npm ci: "},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newNode(t, nil)
			s.put(t, tt.files)
			s.start(t)
			if code, last := s.exit(t); code != 1 || !strings.HasPrefix(last, "Node.js: ") || !strings.Contains(last, tt.want) {
				t.Errorf("it ends with %d, %q; want 1, %q", code, last, tt.want)
			}
		})
	}
}

// TestNodeInstallsModules takes packages from the site's own folder.
func TestNodeInstallsModules(t *testing.T) {
	t.Parallel()
	s := newNode(t, nil)
	wants := func(version string) map[string]string {
		file := "file:packages/shelf-" + version + ".tgz"
		return map[string]string{
			"package.json": `{"dependencies": {"shelf": "` + file + `"}}`,
			"package-lock.json": `{"lockfileVersion": 3, "packages": {"": {"dependencies": {"shelf": "` + file + `"}},
				"node_modules/shelf": {"version": "` + version + `.0.0", "resolved": "` + file + `"}}}`,
		}
	}
	s.put(t, map[string]string{
		"app.js":               "const VALUE = 'shelf ' + require('shelf');\n" + respond,
		"packages/shelf-1.tgz": tarball(t, "shelf", "1"), "packages/shelf-2.tgz": tarball(t, "shelf", "2"),
	})
	s.put(t, wants("1"))
	// Killed half-way, a start leaves nothing that a later one would take for whole.
	s.start(t)
	s.says(t, "npm ci")
	s.kill(t)
	s.start(t)
	s.serves(t, "/", "shelf 1")
	// What can't be had leaves what runs alone.
	s.put(t, wants("3"))
	s.restart(t)
	s.says(t, "What ran before runs on")
	s.serves(t, "/", "shelf 1")
	s.put(t, wants("2"))
	s.restart(t)
	s.serves(t, "/", "shelf 2")
	s.leavesOne(t)
}

func TestNodeTellsWhatBecameOfItsSettings(t *testing.T) {
	t.Parallel()
	s := newNode(t, map[string]any{"prepare": "first"})
	s.put(t, map[string]string{
		"package.json": `{"main": "x.js", "scripts": {"first": "echo first > made", "second": "echo second > made", "bad": "exit 3"}}`,
		"x.js": `const made = require('fs').readFileSync('made', 'utf8');
setTimeout(() => require('http').createServer((q, a) => a.end(made)).listen(process.env.PORT), 700);`,
	})
	s.tells(t, "nodejs", "", "the setting prepare: npm run bad ended with 3")
}

// tarball is the least that npm takes for a package.
func tarball(t *testing.T, name, version string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for _, f := range [][2]string{
		{"package/package.json", `{"name": "` + name + `", "version": "` + version + `.0.0", "main": "x.js"}`},
		{"package/x.js", "module.exports = " + version + ";\n"},
	} {
		if err := w.WriteHeader(&tar.Header{Name: f[0], Mode: 0o644, Size: int64(len(f[1]))}); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, f[1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
