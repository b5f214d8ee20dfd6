package build

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// recipeBase is part of every base's key.
const recipeBase = "1"

// excludedByDpkg is what no package brings into an image: nobody reads manuals
// in one. Licences stay. dpkg keeps the list in the base, so it holds for what
// Containerfiles install, too.
var excludedByDpkg = []string{
	"path-exclude=/usr/share/man/*",
	"path-exclude=/usr/share/info/*",
	"path-exclude=/usr/share/locale/*",
	"path-include=/usr/share/locale/locale.alias",
	"path-exclude=/usr/share/doc/*",
	"path-include=/usr/share/doc/*/copyright",
	"path-exclude=/usr/share/lintian/*",
	"path-exclude=/usr/share/bash-completion/*",
}

// cutFromBase is what mmdebstrap leaves behind that belongs to the computer it
// ran on, or that the image can do without.
var cutFromBase = []string{
	"etc/apt/apt.conf.d/99mmdebstrap", "etc/apt/sources.list", "etc/apt/sources.list.d/*",
	"etc/hostname", "etc/resolv.conf",
	"var/cache/apt/archives/*", "var/cache/debconf/*-old", "var/cache/ldconfig/*",
	"var/lib/apt/lists/*", "var/lib/dpkg/*-old", "var/log/*", "var/log/apt/*",
}

// suiteOptions are what a suite needs of its own. Bookworm would bring all of
// perl (45 MB) to merge /usr; mmdebstrap's hook does that before, so that the
// empty package which says it is done is enough.
func suiteOptions(suite string) []string {
	if suite != "bookworm" {
		return nil
	}
	return []string{"--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr", "--include=usr-is-merged"}
}

// cacheBase is the name of the artefact; the name in Containerfiles is baseRef.
func cacheBase(suite string) string { return "base:" + suite }

func baseRef(suite string) string { return registry + "base:" + suite }

func (j *job) baseKey(suite string) (key, error) {
	w := newKey()
	w.add(recipeBase, j.catalog.Debian, suite)
	w.add(excludedByDpkg...)
	w.add(cutFromBase...)
	w.add(suiteOptions(suite)...)
	if err := w.addFolder(j.folder("base")); err != nil {
		return "", fmt.Errorf("hash the base's folder: %w", err)
	}
	return w.sum(), nil
}

// base returns the archive of a suite's base.
func (j *job) base(ctx context.Context, suite string) (string, error) {
	return j.do("base "+suite, func() (string, error) {
		k, err := j.baseKey(suite)
		if err != nil {
			return "", err
		}
		path, err := j.make(ctx, item{KindImages, cacheBase(suite), k}, func(ctx context.Context, tmp string) error {
			return j.buildBase(ctx, suite, tmp)
		})
		if err != nil {
			return "", fmt.Errorf("base %s: %w", suite, err)
		}
		return path, nil
	})
}

// loadedBase makes a suite's base known to buildah under the name that
// Containerfiles start from.
func (j *job) loadedBase(ctx context.Context, suite string) (string, error) {
	return j.do("load "+suite, func() (string, error) {
		archive, err := j.base(ctx, suite)
		if err != nil {
			return "", err
		}
		// Loading goes into the store, which is the lock holder's alone.
		if _, err := j.lock(); err != nil {
			return "", err
		}
		store, err := j.store()
		if err != nil {
			return "", err
		}
		return archive, store.load(ctx, archive, baseRef(suite))
	})
}

func (j *job) buildBase(ctx context.Context, suite, tmp string) error {
	store, err := j.store()
	if err != nil {
		return err
	}
	folder := tmp + ".context"
	if err := os.CopyFS(folder, os.DirFS(j.folder("base"))); err != nil {
		return err
	}
	raw := tmp + ".debootstrap.tar"
	if err := j.mmdebstrap(ctx, suite, tmp+".apt", raw); err != nil {
		return err
	}
	if err := cutTar(raw, filepath.Join(folder, "rootfs.tar")); err != nil {
		return fmt.Errorf("cut the base: %w", err)
	}
	layout := tmp + ".oci"
	if err := store.build(ctx, recipe{context: folder, args: map[string]string{"BASE": scratch}, layout: layout}); err != nil {
		return err
	}
	return writeArchive(layout, []string{baseRef(suite)}, tmp)
}

// mmdebstrap makes a root file system of a suite's smallest set of packages.
func (j *job) mmdebstrap(ctx context.Context, suite, apt, to string) error {
	machine, err := readMachineApt(ctx)
	if err != nil {
		return err
	}
	if err := machine.write(apt, suite); err != nil {
		return err
	}
	args := []string{"--mode=root", "--variant=minbase", "--format=tar",
		"--keyring=" + filepath.Join(apt, "trusted.gpg.d")}
	for _, option := range machine.options(machineCertificates) {
		args = append(args, "--aptopt="+option)
	}
	for _, option := range excludedByDpkg {
		args = append(args, "--dpkgopt="+option)
	}
	args = append(args, suiteOptions(suite)...)
	args = append(args, suite, to, filepath.Join(apt, "sources.list"))
	scratchDir := filepath.Join(j.state, "build", "tmp")
	return run(ctx, command{name: "mmdebstrap", args: args, env: []string{"TMPDIR=" + scratchDir}})
}

// cutTar copies an archive without the paths of cutFromBase.
func cutTar(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	return errors.Join(copyTar(in, out), out.Close())
}

func copyTar(in io.Reader, out io.Writer) error {
	r, w := tar.NewReader(in), tar.NewWriter(out)
	for {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return w.Close()
		}
		if err != nil {
			return err
		}
		if isCut(header.Name) {
			continue
		}
		if err := w.WriteHeader(header); err != nil {
			return err
		}
		if _, err := io.Copy(w, r); err != nil {
			return err
		}
	}
}

func isCut(name string) bool {
	// A folder stays: programs expect it.
	if strings.HasSuffix(name, "/") {
		return false
	}
	name = strings.TrimPrefix(path.Clean("/"+name), "/")
	return slices.ContainsFunc(cutFromBase, func(pattern string) bool {
		match, err := path.Match(pattern, name)
		return err == nil && match
	})
}
