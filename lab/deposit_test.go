package lab

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// deposit uploads files into the site's folder by SFTP, as its customer would.
// Names are relative to it; folders are made on the way.
func (s site) deposit(t testing.TB, files map[string]string) {
	t.Helper()
	folder := t.TempDir()
	for name, content := range files {
		file := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	s.depositFolder(t, folder, "html")
}

// depositFolder uploads what is in a folder of this computer.
func (s site) depositFolder(t testing.TB, from, to string) {
	t.Helper()
	client := s.newSFTPClient(t)
	client.awaitPort(t)
	// A leading minus: the folder may be there.
	batch := "-mkdir " + to + "\nput -R " + from + "/. " + to + "\n"
	// On a busy computer a Service leads to its pod seconds after the pod is ready.
	eventually(t, "the files are uploaded", settleLimit, func(context.Context) error {
		out, err := client.run(t, "publickey", batch)
		if err != nil {
			return fmt.Errorf("upload %s: %w\n%s", from, err, out)
		}
		return nil
	})
}

// awaitPort waits for the NodePort: kube-proxy opens it up to a second after the
// pod is ready.
func (c sftpClient) awaitPort(t testing.TB) {
	t.Helper()
	eventually(t, "the SFTP port is open", 30*time.Second, func(ctx context.Context) error {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort(c.login.Host, strconv.Itoa(int(c.login.Port))))
		if err == nil {
			err = conn.Close()
		}
		return err
	})
}

// wheel makes the archive that pip takes for a package (PEP 427).
func wheel(t testing.TB, name, version string, files map[string]string) (file, content string) {
	t.Helper()
	about := name + "-" + version
	info := about + ".dist-info/"
	files = maps.Clone(files)
	files[info+"METADATA"] = "Metadata-Version: 2.1\nName: " + name + "\nVersion: " + version + "\n"
	files[info+"WHEEL"] = "Wheel-Version: 1.0\nGenerator: lab\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
	names := slices.Sorted(maps.Keys(files))
	files[info+"RECORD"] = strings.Join(names, ",,\n") + ",,\n" + info + "RECORD,,\n"
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range append(names, info+"RECORD") {
		w, err := z.Create(name)
		if err == nil {
			_, err = io.WriteString(w, files[name])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return about + "-py3-none-any.whl", b.String()
}

// debianWheel makes a wheel of a Python package as Debian ships it on this
// computer: the very files.
func debianWheel(t testing.TB, name, folder string) (file, content string) {
	t.Helper()
	const dist = "/usr/lib/python3/dist-packages"
	found, err := filepath.Glob(filepath.Join(dist, name+"-*.egg-info"))
	if err != nil || len(found) != 1 {
		t.Fatalf("%s is not installed once below %s (%q): ./bootstrap test installs it", name, dist, found)
	}
	files := map[string]string{}
	err = filepath.WalkDir(filepath.Join(dist, folder), func(file string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() || strings.Contains(file, "__pycache__") {
			return err
		}
		content, err := os.ReadFile(file)
		files[strings.TrimPrefix(file, dist+"/")] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	version := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(found[0]), name+"-"), ".egg-info")
	return wheel(t, name, version, files)
}

// debianModules returns the folders of a Node.js package as Debian ships it on
// this computer, and of all that it asks for.
func debianModules(t testing.TB, name string) []string {
	t.Helper()
	const dist = "/usr/share/nodejs"
	all, left := []string{}, []string{name}
	for len(left) > 0 {
		next := left[0]
		left = left[1:]
		folder := path.Join(dist, next)
		if slices.Contains(all, folder) {
			continue
		}
		if _, err := os.Stat(path.Join(folder, "package.json")); err != nil {
			continue // part of another package, or of Node.js itself
		}
		all = append(all, folder)
		left = append(left, dependencies(t, path.Join(folder, "package.json"))...)
	}
	if len(all) == 0 {
		t.Fatalf("%s is not below %s: ./bootstrap test installs it", name, dist)
	}
	return all
}

// dependencies are the names that a package.json asks for.
func dependencies(t testing.TB, file string) []string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var about struct {
		Dependencies map[string]string `json:"dependencies"`
	}
	if err := json.Unmarshal(text, &about); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return slices.Sorted(maps.Keys(about.Dependencies))
}
