package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"kubepanel.io/kubepanel/internal/toolbox/shell"
)

// fileDocumentRoot, beside the credentials, has the path of the folder that is
// served. Without it there is none to make.
const fileDocumentRoot = "documentRoot"

// folders makes what a customer expects to find: the folder that is served and,
// where there is a shell, the repository that he pushes to.
type folders struct {
	root              *os.Root
	path, credentials string
	repository        bool
	log               *slog.Logger

	mu sync.Mutex
}

// prepare makes what is missing. It is asked whenever somebody has signed in, since
// the site may serve another folder by then. A folder that can't be made, say
// because the volume is full, keeps nobody out who comes to make room.
func (f *folders) prepare(ctx context.Context) {
	f.mu.Lock()
	defer f.mu.Unlock()
	name, err := f.documentRoot()
	if err == nil && name != "" {
		err = f.root.MkdirAll(name, 0o755)
	}
	if err != nil {
		f.log.Error("make the document root: " + err.Error())
	}
	if f.repository {
		if err := shell.MakeRepository(ctx, filepath.Join(f.path, project(name))); err != nil {
			f.log.Error(err.Error())
		}
	}
}

// documentRoot is the folder that is served, below the root; "" when nobody says.
func (f *folders) documentRoot() (string, error) {
	text, err := os.ReadFile(filepath.Join(f.credentials, fileDocumentRoot))
	path := strings.TrimSpace(string(text))
	if errors.Is(err, fs.ErrNotExist) || err == nil && path == "" {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	name, err := filepath.Rel(f.path, path)
	if err != nil || !filepath.IsLocal(name) {
		return "", fmt.Errorf("%s is not below %s", path, f.path)
	}
	return name, nil
}

// project is the folder that holds the document root, or is it: for html/public
// it is html, where a framework has its other files.
func project(documentRoot string) string {
	first, _, _ := strings.Cut(filepath.ToSlash(documentRoot), "/")
	return first
}
