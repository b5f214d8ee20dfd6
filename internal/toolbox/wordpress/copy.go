package wordpress

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
)

// copiers is how many files are copied at once: three thousand small files are
// mostly waiting for the file system.
const copiers = 8

// copyTree copies a tree of folders and regular files into an existing folder
// and returns how many files that were. Anything else in it is an error.
func copyTree(from, to string) (int64, error) {
	var (
		wg    sync.WaitGroup
		once  sync.Once
		first error
		count atomic.Int64
	)
	names := make(chan string, copiers)
	failed := make(chan struct{})
	fail := func(err error) { once.Do(func() { first = err; close(failed) }) }
	for range copiers {
		wg.Go(func() {
			for name := range names {
				if err := copyFile(filepath.Join(from, name), filepath.Join(to, name)); err != nil {
					fail(err)
					return
				}
				count.Add(1)
			}
		})
	}
	// Folders are made by the walk, so each is there before its files come.
	err := filepath.WalkDir(from, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(from, path)
		if err != nil || name == "." {
			return err
		}
		return place(name, e, to, names, failed)
	})
	close(names)
	wg.Wait()
	if first != nil {
		return 0, first
	}
	return count.Load(), err
}

// place makes a folder at once and hands a file to the copiers.
func place(name string, e fs.DirEntry, to string, names chan<- string, failed <-chan struct{}) error {
	switch {
	case e.IsDir():
		return os.Mkdir(filepath.Join(to, name), 0o755)
	case !e.Type().IsRegular():
		return fmt.Errorf("%s is neither a file nor a folder", name)
	}
	select {
	case names <- name:
		return nil
	case <-failed:
		return fs.SkipAll
	}
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
