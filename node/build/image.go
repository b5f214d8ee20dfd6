package build

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sync/errgroup"
)

// recipeImages is part of every image's key: raise it when the way of building
// changes in a manner that Containerfiles don't show.
const recipeImages = "2"

// image returns an image from the cache, or builds it and what it is made of.
func (j *job) image(ctx context.Context, s Spec) (Image, error) {
	k, err := j.imageKey(ctx, s)
	if err != nil {
		return Image{}, err
	}
	archive, err := j.do("image "+s.ID(), func() (string, error) {
		it := item{KindImages, s.ID(), k}
		if _, ok := j.cache.find(it); !ok {
			if err := j.ingredients(ctx, s); err != nil {
				return "", err
			}
		}
		return j.make(ctx, it, func(ctx context.Context, tmp string) error { return j.buildImage(ctx, s, s.refs(k), tmp) })
	})
	if err != nil {
		return Image{}, err
	}
	refs := s.refs(k)
	return Image{Name: s.Name, Version: s.Version, Ref: refs[0], Refs: refs, Archive: archive}, nil
}

// ingredients makes a missing image's base and programs before one of the
// job's slots is taken for the image itself.
func (j *job) ingredients(ctx context.Context, s Spec) error {
	g, ctx := errgroup.WithContext(ctx)
	for name := range s.Binaries {
		g.Go(func() error {
			if _, err := j.binary(ctx, name); err != nil {
				return fmt.Errorf("component %s: %w", name, err)
			}
			return nil
		})
	}
	if s.Base != scratch {
		g.Go(func() error {
			_, err := j.loadedBase(ctx, s.Base)
			return err
		})
	}
	return g.Wait()
}

func (j *job) imageKey(ctx context.Context, s Spec) (key, error) {
	w := newKey()
	w.add(recipeImages, j.catalog.Debian, s.Name, s.Version, s.Base)
	w.add(s.Names...)
	for _, name := range slices.Sorted(maps.Keys(s.Args)) {
		w.add(name, s.Args[name])
	}
	for _, name := range slices.Sorted(maps.Keys(s.Binaries)) {
		k, err := j.componentKey(ctx, name)
		if err != nil {
			return "", fmt.Errorf("component %s: %w", name, err)
		}
		w.add(name, string(k))
		w.add(s.Binaries[name]...)
	}
	if s.Base != scratch {
		k, err := j.baseKey(s.Base)
		if err != nil {
			return "", err
		}
		w.add(string(k))
	}
	if err := w.addFolder(j.folder(s.Folder)); err != nil {
		return "", fmt.Errorf("hash the Containerfile's folder: %w", err)
	}
	return w.sum(), nil
}

func (j *job) folder(name string) string { return filepath.Join(j.root, "images", name) }

// buildImage builds one image into an archive at tmp.
func (j *job) buildImage(ctx context.Context, s Spec, refs []string, tmp string) error {
	store, err := j.store()
	if err != nil {
		return err
	}
	folder := tmp + ".context"
	if err := os.CopyFS(folder, os.DirFS(j.folder(s.Folder))); err != nil {
		return fmt.Errorf("copy the Containerfile's folder: %w", err)
	}
	for name, files := range s.Binaries {
		programs, err := j.binary(ctx, name)
		if err != nil {
			return fmt.Errorf("component %s: %w", name, err)
		}
		if err := stage(programs, files, filepath.Join(folder, "bin")); err != nil {
			return fmt.Errorf("stage the programs of %s: %w", name, err)
		}
	}
	args := map[string]string{"BASE": scratch}
	maps.Copy(args, s.Args)
	var volumes []string
	if s.Base != scratch {
		args["BASE"] = baseRef(s.Base)
		var done func()
		if volumes, done, err = j.aptVolumes(ctx, s.Base, tmp+".apt"); err != nil {
			return err
		}
		defer done()
	}
	layout := tmp + ".oci"
	if err := store.build(ctx, recipe{context: folder, args: args, volumes: volumes, layout: layout}); err != nil {
		return err
	}
	return writeArchive(layout, refs, tmp)
}

// stage puts programs into a build context: linked where the file system can,
// since they are large and the context is thrown away.
func stage(from string, files []string, to string) error {
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	for _, file := range files {
		source, target := filepath.Join(from, file), filepath.Join(to, file)
		if os.Link(source, target) == nil {
			continue
		}
		if err := copyFile(source, target); err != nil {
			return err
		}
	}
	return nil
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_EXCL, info.Mode().Perm())
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		_ = out.Close()
		return err
	}
	return out.Close()
}
