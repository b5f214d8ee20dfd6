package build

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// key is the SHA-256 of everything an artefact is made from, in hexadecimal.
type key string

// short is what stands in file names and image tags: 48 bits, plenty to tell
// apart the few versions of one component.
func (k key) short() string { return string(k[:12]) }

// keyWriter hashes a list of named facts. Each is written with its length, so
// that no two different lists give the same bytes.
type keyWriter struct{ h hash.Hash }

func newKey() keyWriter { return keyWriter{h: sha256.New()} }

func (w keyWriter) sum() key { return key(hex.EncodeToString(w.h.Sum(nil))) }

func (w keyWriter) add(facts ...string) {
	for _, f := range facts {
		// A hash never fails to take bytes.
		_, _ = fmt.Fprintf(w.h, "%d:%s,", len(f), f)
	}
}

// addFile adds a file's name, whether it can be executed, and its content.
func (w keyWriter) addFile(name, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err != nil {
		return errors.Join(err, f.Close())
	}
	w.add(name, fmt.Sprint(info.Mode()&0o111 != 0), fmt.Sprint(info.Size()))
	_, err = io.Copy(w.h, f)
	return errors.Join(err, f.Close())
}

// addFolder adds every file below dir, in the order of their names. Test files
// of Go are no part of a program and are left out.
func (w keyWriter) addFolder(dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(path, "_test.go") {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		if d.Type()&fs.ModeSymlink != 0 {
			target, err := os.Readlink(path)
			w.add(name, "->", target)
			return err
		}
		return w.addFile(name, path)
	})
}
