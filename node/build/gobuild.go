package build

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
)

// recipeBinaries is part of every program's key: raise it when the way of
// building changes in a manner that the flags below don't show.
const recipeBinaries = "1"

// buildTries is how often a program is built whose sources change under the compiler.
const buildTries = 3

// binary returns the folder of a component's programs.
func (j *job) binary(ctx context.Context, name string) (string, error) {
	return j.do("binary "+name, func() (string, error) {
		c, err := findComponent(name)
		if err != nil {
			return "", err
		}
		for range buildTries {
			k, err := j.componentKey(ctx, name)
			if err != nil {
				return "", err
			}
			path, err := j.make(ctx, item{KindBinaries, name, k}, func(ctx context.Context, tmp string) error {
				if err := j.compile(ctx, c, tmp); err != nil {
					return err
				}
				return j.unchanged(ctx, name, k)
			})
			if !errors.Is(err, errSourcesChanged) {
				return path, err
			}
		}
		return "", errSourcesChanged
	})
}

var errSourcesChanged = errors.New("the sources changed while they were compiled")

// unchanged guards the promise that an artefact is made of what its key says.
func (j *job) unchanged(ctx context.Context, name string, before key) error {
	after, err := j.newJob(ctx).componentKey(ctx, name)
	if err == nil && after != before {
		err = errSourcesChanged
	}
	return err
}

// componentKey hashes what a component's programs are made from. Upstream
// sources need no look: go.sum pins them by hash.
func (j *job) componentKey(ctx context.Context, name string) (key, error) {
	k, err := j.do("key "+name, func() (string, error) {
		c, err := findComponent(name)
		if err != nil {
			return "", err
		}
		dir := filepath.Join(j.root, c.module)
		goVersion, err := output(ctx, goCommand(dir, false, "env", "GOVERSION"))
		if err != nil {
			return "", err
		}
		w := newKey()
		w.add(recipeBinaries, name, runtime.GOARCH, strings.TrimSpace(goVersion))
		w.add(c.facts()...)
		if c.own {
			err = addOwnSources(ctx, w, j.root, slices.Collect(maps.Values(c.programs)))
		} else {
			err = w.addFolder(dir)
		}
		if err != nil {
			return "", fmt.Errorf("hash the sources: %w", err)
		}
		return string(w.sum()), nil
	})
	return key(k), err
}

// facts lists what of the table decides how programs come out.
func (c component) facts() []string {
	list := []string{c.tags, fmt.Sprint(c.native), fmt.Sprint(c.own)}
	for _, m := range []map[string]string{c.programs, c.stamp} {
		for _, k := range slices.Sorted(maps.Keys(m)) {
			list = append(list, k, m[k])
		}
	}
	for _, k := range slices.Sorted(maps.Keys(c.links)) {
		list = append(list, append([]string{k}, c.links[k]...)...)
	}
	for _, k := range slices.Sorted(maps.Keys(c.copies)) {
		list = append(list, k, c.copies[k].module, c.copies[k].folder)
	}
	if c.c != nil {
		list = append(list, fmt.Sprintf("%+v", *c.c))
	}
	return list
}

// listed is what go list tells of a package.
type listed struct {
	Dir                 string
	Module              *module // nil in the standard library
	GoFiles, EmbedFiles []string
	DefaultGODEBUG      string
}

// module is whose package that is. One without a Sum is in this checkout.
type module struct {
	Path, Version, Sum, GoVersion string
	Replace                       *module
}

// addOwnSources adds what the programs are compiled from: the files of the main
// module that they need, and the versions of the libraries. A change of a test, of
// another program or of its libraries must not build this one anew, nor the images
// that hold it.
func addOwnSources(ctx context.Context, w keyWriter, root string, packages []string) error {
	const fields = "-json=Dir,Module,GoFiles,EmbedFiles,DefaultGODEBUG"
	out, err := output(ctx, goCommand(root, false, append([]string{"list", "-deps", fields}, packages...)...))
	if err != nil {
		return err
	}
	decoder := json.NewDecoder(strings.NewReader(out))
	for {
		var p listed
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if err := w.addPackage(root, p); err != nil {
			return err
		}
	}
}

func (w keyWriter) addPackage(root string, p listed) error {
	m := p.Module
	if m == nil {
		return nil // the version of Go stands for it
	}
	if m.Replace != nil {
		m = m.Replace
	}
	w.add(m.Path, m.Version, m.Sum, m.GoVersion, p.DefaultGODEBUG)
	if m.Sum != "" {
		return nil
	}
	for _, file := range slices.Concat(p.GoFiles, p.EmbedFiles) {
		path := filepath.Join(p.Dir, file)
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if err := w.addFile(name, path); err != nil {
			return err
		}
	}
	return nil
}

// compile makes a component's folder.
func (j *job) compile(ctx context.Context, c component, tmp string) error {
	dir := filepath.Join(j.root, c.module)
	versions, err := moduleVersions(filepath.Join(dir, "go.mod"))
	if err != nil {
		return err
	}
	if err := os.Mkdir(tmp, 0o755); err != nil {
		return err
	}
	if c.c != nil {
		return compileC(ctx, dir, *c.c, tmp)
	}
	if err := compileGo(ctx, dir, c, versions, tmp); err != nil {
		return err
	}
	for name, links := range c.links {
		for _, link := range links {
			if err := os.Link(filepath.Join(tmp, name), filepath.Join(tmp, link)); err != nil {
				return err
			}
		}
	}
	for to, from := range c.copies {
		source, err := moduleDir(ctx, dir, from)
		if err != nil {
			return err
		}
		if err := os.CopyFS(filepath.Join(tmp, to), os.DirFS(source)); err != nil {
			return err
		}
	}
	return nil
}

// compileGo builds all programs by one go command, which compiles what they
// share once, and then gives each its name: go names them after their package.
func compileGo(ctx context.Context, dir string, c component, versions map[string]string, tmp string) error {
	flags := []string{"-s", "-w"}
	if c.native {
		flags = append(flags, "-extldflags", "-static")
	}
	for _, variable := range slices.Sorted(maps.Keys(c.stamp)) {
		value, err := fill(c.stamp[variable], versions)
		if err != nil {
			return fmt.Errorf("stamp %s: %w", variable, err)
		}
		flags = append(flags, "-X", variable+"="+value)
	}
	args := []string{"build", "-trimpath", "-buildvcs=false", "-tags", c.tags, "-ldflags", strings.Join(flags, " "), "-o", tmp + "/"}
	args = append(args, slices.Sorted(maps.Values(c.programs))...)
	if err := run(ctx, goCommand(dir, c.native, args...)); err != nil {
		return err
	}
	module := modulePath(filepath.Join(dir, "go.mod"))
	for name, pkg := range c.programs {
		if made := programName(pkg, module); made != name {
			if err := os.Rename(filepath.Join(tmp, made), filepath.Join(tmp, name)); err != nil {
				return err
			}
		}
	}
	return nil
}

// programName is how `go build` names the program of a package: the last
// element of its path that is not a major version.
func programName(pkg, module string) string {
	if pkg == "." {
		pkg = module
	}
	elements := strings.Split(strings.Trim(pkg, "/"), "/")
	last := elements[len(elements)-1]
	if n := len(elements); n > 1 && len(last) > 1 && last[0] == 'v' && strings.Trim(last[1:], "0123456789") == "" {
		return elements[n-2]
	}
	return last
}

// compileC builds a program of upstream's C sources, statically, so that it runs in an empty image.
func compileC(ctx context.Context, dir string, c cProgram, tmp string) error {
	source, err := moduleDir(ctx, dir, c.source)
	if err != nil {
		return err
	}
	args := []string{"-Os", "-Wall", "-static", "-s", "-o", filepath.Join(tmp, c.name)}
	for _, name := range slices.Sorted(maps.Keys(c.defines)) {
		args = append(args, "-D"+name+"="+c.defines[name])
	}
	for _, file := range c.files {
		args = append(args, filepath.Join(source, file))
	}
	return run(ctx, command{name: "gcc", args: args})
}

// goCommand is a go command whose result depends on nothing but what the key holds.
func goCommand(dir string, cgo bool, args ...string) command {
	enabled := "CGO_ENABLED=0"
	if cgo {
		enabled = "CGO_ENABLED=1"
	}
	return command{name: "go", args: args, dir: dir, env: []string{enabled, "GOFLAGS=-mod=readonly", "GOWORK=off"}}
}

// moduleDir is where the go command has put a module's files.
func moduleDir(ctx context.Context, dir string, from moduleFolder) (string, error) {
	out, err := output(ctx, goCommand(dir, false, "mod", "download", "-json", from.module))
	if err != nil {
		return "", err
	}
	var answer struct{ Dir, Error string }
	if err := json.Unmarshal([]byte(out), &answer); err != nil {
		return "", fmt.Errorf("find module %s: %w", from.module, err)
	}
	if answer.Dir == "" {
		return "", fmt.Errorf("find module %s: %s", from.module, cmp.Or(answer.Error, "no folder"))
	}
	return filepath.Join(answer.Dir, from.folder), nil
}

// moduleVersions are the versions that a go.mod requires.
func moduleVersions(path string) (map[string]string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read versions: %w", err)
	}
	f, err := modfile.ParseLax(path, text, nil)
	if err != nil {
		return nil, fmt.Errorf("read versions: %w", err)
	}
	versions := make(map[string]string, len(f.Require))
	for _, r := range f.Require {
		versions[r.Mod.Path] = r.Mod.Version
	}
	return versions, nil
}

func modulePath(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return modfile.ModulePath(text)
}
