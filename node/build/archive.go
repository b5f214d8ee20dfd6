package build

import (
	"archive/tar"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// index is the part of an OCI image index that changes hands here
// (opencontainers/image-spec, image-index.md); descriptors pass unread.
type index struct {
	SchemaVersion int               `json:"schemaVersion"`
	MediaType     string            `json:"mediaType"`
	Manifests     []json.RawMessage `json:"manifests"`
}

// containerdName is the annotation by which containerd names an imported image.
const containerdName = "io.containerd.image.name"

// writeArchive packs a folder in OCI layout that holds one image, known by
// every one of refs. Several names cost no space: all point at one manifest.
func writeArchive(layout string, refs []string, to string) error {
	path := filepath.Join(layout, "index.json")
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("name the image: %w", err)
	}
	named, err := nameImage(text, refs)
	if err != nil {
		return fmt.Errorf("name the image: %w", err)
	}
	if err := os.WriteFile(path, named, 0o644); err != nil {
		return fmt.Errorf("name the image: %w", err)
	}
	out, err := os.Create(to)
	if err != nil {
		return fmt.Errorf("pack the image: %w", err)
	}
	if err := errors.Join(packFolder(layout, out), out.Close()); err != nil {
		return fmt.Errorf("pack the image: %w", err)
	}
	return nil
}

// nameImage lists an index's only image once per reference.
func nameImage(text []byte, refs []string) ([]byte, error) {
	var in index
	if err := json.Unmarshal(text, &in); err != nil {
		return nil, err
	}
	if len(in.Manifests) != 1 {
		return nil, fmt.Errorf("the index lists %d images, want one", len(in.Manifests))
	}
	out := index{SchemaVersion: 2, MediaType: "application/vnd.oci.image.index.v1+json"}
	for _, ref := range refs {
		var descriptor map[string]any
		if err := json.Unmarshal(in.Manifests[0], &descriptor); err != nil {
			return nil, err
		}
		if descriptor == nil {
			return nil, errors.New("the index lists no image")
		}
		descriptor["annotations"] = map[string]string{containerdName: ref, "org.opencontainers.image.ref.name": tagOf(ref)}
		raw, err := json.Marshal(descriptor)
		if err != nil {
			return nil, err
		}
		out.Manifests = append(out.Manifests, raw)
	}
	return json.Marshal(out)
}

func tagOf(ref string) string { return ref[strings.LastIndexByte(ref, ':')+1:] }

// packFolder writes files as a tar whose bytes depend on names and contents alone.
func packFolder(dir string, to io.Writer) error {
	w := tar.NewWriter(to)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		return packFile(w, name, path)
	})
	if err != nil {
		return err
	}
	return w.Close()
}

func packFile(w *tar.Writer, name, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: info.Size(), Typeflag: tar.TypeReg}); err != nil {
		return err
	}
	_, err = io.Copy(w, f)
	return err
}
