package build

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const oneImage = `{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:ab","size":7,"annotations":{"org.opencontainers.image.ref.name":"image"}}]}`

func TestAnArchiveNamesItsImageByEveryReference(t *testing.T) {
	layout := t.TempDir()
	must(t, os.MkdirAll(filepath.Join(layout, "blobs", "sha256"), 0o755))
	write("index.json", oneImage, 0o644)(t, layout)
	write("oci-layout", `{"imageLayoutVersion":"1.0.0"}`, 0o644)(t, layout)
	write("blobs/sha256/ab", "content", 0o644)(t, layout)
	refs := []string{"kubepanel.io/kube-apiserver:v1", "kubepanel.io/kube-proxy:v1"}
	archive := filepath.Join(t.TempDir(), "image.tar")
	must(t, writeArchive(layout, refs, archive))

	files := untar(t, archive)
	if string(files["blobs/sha256/ab"]) != "content" || files["oci-layout"] == nil {
		t.Errorf("archive holds %d files and not what the layout has", len(files))
	}
	var got struct {
		Manifests []struct {
			Digest      string
			Size        int
			Annotations map[string]string
		}
	}
	must(t, json.Unmarshal(files["index.json"], &got))
	var names []string
	for _, m := range got.Manifests {
		if m.Digest != "sha256:ab" || m.Size != 7 || m.Annotations["org.opencontainers.image.ref.name"] != "v1" {
			t.Errorf("manifest = %+v", m)
		}
		names = append(names, m.Annotations[containerdName])
	}
	if !slices.Equal(names, refs) {
		t.Errorf("names = %v, want %v", names, refs)
	}
}

func TestOnlyALayoutOfOneImageIsPacked(t *testing.T) {
	for about, text := range map[string]string{
		"none":          `{"manifests":[]}`,
		"two":           `{"manifests":[{},{}]}`,
		"null":          `{"manifests":[null]}`,
		"not an object": `{"manifests":[3]}`,
		"not JSON":      `image`,
	} {
		if _, err := nameImage([]byte(text), []string{"a:b"}); err == nil {
			t.Errorf("%s: nameImage = nil, want an error", about)
		}
	}
}

func untar(t *testing.T, path string) map[string][]byte {
	t.Helper()
	f, err := os.Open(path)
	must(t, err)
	defer func() { _ = f.Close() }()
	files := map[string][]byte{}
	for r := tar.NewReader(f); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		must(t, err)
		files[header.Name], err = io.ReadAll(r)
		must(t, err)
	}
}

func TestMountsBelowAFolderAreFoundInTheOrderTheyWereMade(t *testing.T) {
	table := `22 1 8:1 / / rw - ext4 /dev/a rw
30 22 0:40 / /state/build/root/overlay/x/merged rw - overlay overlay rw
31 30 0:41 / /state/build/root/overlay/x/merged/etc\040apt rw - ext4 /dev/a rw
32 22 0:42 / /state/builds rw - tmpfs none rw
33 22 0:43 / /state/build rw - tmpfs none rw
short line
`
	want := []string{"/state/build/root/overlay/x/merged", "/state/build/root/overlay/x/merged/etc apt", "/state/build"}
	got, err := mountsBelow(strings.NewReader(table), "/state/build")
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("mountsBelow = %q, %v, want %q", got, err, want)
	}
}

func FuzzMountsBelow(f *testing.F) {
	f.Add("30 22 0:40 / /state/build/x rw - overlay overlay rw\n")
	f.Fuzz(func(t *testing.T, table string) {
		points, err := mountsBelow(strings.NewReader(table), "/state/build")
		if err != nil {
			return
		}
		for _, point := range points {
			if point != "/state/build" && !strings.HasPrefix(point, "/state/build/") {
				t.Errorf("mountsBelow found %q, which is elsewhere", point)
			}
		}
	})
}

func FuzzNameImage(f *testing.F) {
	f.Add([]byte(oneImage))
	f.Fuzz(func(t *testing.T, text []byte) {
		out, err := nameImage(text, []string{"kubepanel.io/a:1", "kubepanel.io/b:1"})
		if err != nil {
			return
		}
		var in index
		if err := json.Unmarshal(out, &in); err != nil || len(in.Manifests) != 2 || bytes.Contains(out, []byte("\n\n")) {
			t.Errorf("nameImage(%s) = %s, %v", text, out, err)
		}
	})
}

func TestTailKeepsTheEndOfWhatAProgramSays(t *testing.T) {
	var said tail
	for range 5000 {
		_, _ = said.Write([]byte("a line of output\n"))
	}
	_, _ = said.Write([]byte("the cause\n"))
	got := said.String()
	if len(got) > tailSize || !strings.HasSuffix(got, "a line of output\nthe cause") || !strings.HasPrefix(got, "a line") {
		t.Errorf("tail has %d bytes and ends with %q", len(got), got[len(got)-30:])
	}
}

func TestAFailedProgramsErrorSaysWhatItSaid(t *testing.T) {
	err := run(t.Context(), command{name: "ls", args: []string{"/no/such/folder"}})
	if err == nil || !strings.Contains(err.Error(), "/no/such/folder") {
		t.Errorf("run = %v, want what ls says", err)
	}
}

func TestMissingPackagesAreThoseThatDpkgDoesNotHaveInstalled(t *testing.T) {
	got, err := missingPackages(t.Context(), []string{"dpkg", "no-such-package-anywhere", "apt"})
	if err != nil || !slices.Equal(got, []string{"no-such-package-anywhere"}) {
		t.Errorf("missingPackages = %v, %v", got, err)
	}
}
