package build

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"

	"go.yaml.in/yaml/v3"
)

// registry is the first part of every image's name. No such registry is asked:
// a node's images are imported from archives.
const registry = "kubepanel.io/"

// scratch is the base of images that hold nothing but our files.
const scratch = "scratch"

// Catalog is images/images.yaml: the one list of images.
type Catalog struct {
	// Debian is the day from which images take Debian's packages. Its value
	// only counts as part of every key: another day builds all images anew,
	// with the packages that the suites have then.
	Debian string `yaml:"debian"`
	// Suites of Debian that a base is made of.
	Suites []string `yaml:"suites"`
	Images []Spec   `yaml:"images"`
}

// Spec is one version of one image.
type Spec struct {
	Name    string `yaml:"name"`
	Version string `yaml:"version"`
	// Folder below images/ with the Containerfile. Default: the name.
	Folder string `yaml:"folder"`
	// Base is a suite, or "scratch".
	Base string `yaml:"base"`
	// Args are build arguments for the Containerfile; BASE is always given.
	Args map[string]string `yaml:"args"`
	// Binaries are put into the build context under bin/: component → files.
	Binaries map[string][]string `yaml:"binaries"`
	// Names are the repositories the image is known by. Default: the name.
	Names []string `yaml:"names"`
	// ExactTag leaves the key out of the tag: for images whose references
	// kubeadm puts together by itself.
	ExactTag bool `yaml:"exactTag"`
	// OnDemand leaves the image out where all are asked for: it is built by name.
	OnDemand bool `yaml:"onDemand"`
}

// ID tells the versions of one image apart: php:8.4.
func (s Spec) ID() string { return s.Name + ":" + s.Version }

// refs are the image's references, given its key.
func (s Spec) refs(k key) []string {
	tag := s.Version
	if !s.ExactTag {
		tag += "-" + k.short()
	}
	refs := make([]string, len(s.Names))
	for i, name := range s.Names {
		refs[i] = registry + name + ":" + tag
	}
	return refs
}

func readCatalog(path string) (*Catalog, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the list of images: %w", err)
	}
	c, err := ParseCatalog(text)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return c, nil
}

// ParseCatalog reads a list of images. An unknown key, a name used twice or a
// component that doesn't exist is an error.
func ParseCatalog(text []byte) (*Catalog, error) {
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	var c Catalog
	if err := d.Decode(&c); err != nil {
		return nil, err
	}
	if err := d.Decode(new(any)); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is more than one document")
	}
	if c.Debian == "" {
		return nil, errors.New("debian: no day given")
	}
	for _, suite := range c.Suites {
		if !word.MatchString(suite) {
			return nil, fmt.Errorf("suites: %q is no suite's name", suite)
		}
	}
	seen := map[string]bool{}
	for i := range c.Images {
		s := &c.Images[i]
		s.complete()
		if err := s.check(c.Suites); err != nil {
			return nil, fmt.Errorf("image %s: %w", s.ID(), err)
		}
		for _, id := range append(s.refs(key("000000000000")), s.ID()) {
			if seen[id] {
				return nil, fmt.Errorf("image %s: there are two of %s", s.ID(), id)
			}
			seen[id] = true
		}
	}
	return &c, nil
}

func (s *Spec) complete() {
	if s.Folder == "" {
		s.Folder = s.Name
	}
	if s.Base == "" {
		s.Base = scratch
	}
	if len(s.Names) == 0 {
		s.Names = []string{s.Name}
	}
}

// What may stand in names, tags and arguments: so none can leave its folder or
// be taken for an option.
var (
	word        = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)
	tagWord     = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$`)
	fileWord    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$`)
	argumentKey = regexp.MustCompile(`^[A-Z][A-Z0-9_]{0,62}$`)
)

func (s *Spec) check(suites []string) error {
	for _, name := range append([]string{s.Name, s.Folder}, s.Names...) {
		if !word.MatchString(name) {
			return fmt.Errorf("%q is no name (lower-case letters, digits and hyphens)", name)
		}
	}
	if !tagWord.MatchString(s.Version) {
		return fmt.Errorf("version: %q can't stand in a tag", s.Version)
	}
	if s.Base != scratch && !slices.Contains(suites, s.Base) {
		return fmt.Errorf("base: %q is none of the suites", s.Base)
	}
	for name := range s.Args {
		if !argumentKey.MatchString(name) || name == "BASE" {
			return fmt.Errorf("args: %q can't be given", name)
		}
	}
	for name, files := range s.Binaries {
		c, err := findComponent(name)
		if err != nil {
			return fmt.Errorf("binaries: %w", err)
		}
		for _, file := range files {
			if !fileWord.MatchString(file) || !slices.Contains(c.files(), file) {
				return fmt.Errorf("binaries: component %s has no %q", name, file)
			}
		}
	}
	return nil
}

// choose picks the versions that names ask for; none asks for all but those that are built on demand.
func (c *Catalog) choose(names []string) ([]Spec, error) {
	if len(names) == 0 {
		return slices.DeleteFunc(slices.Clone(c.Images), func(s Spec) bool { return s.OnDemand }), nil
	}
	var chosen []Spec
	for _, name := range names {
		before := len(chosen)
		for _, s := range c.Images {
			if s.Name == name || s.ID() == name {
				chosen = append(chosen, s)
			}
		}
		if len(chosen) == before {
			return nil, fmt.Errorf("the list of images has no %q", name)
		}
	}
	return chosen, nil
}

// Specs returns the list of images.
func (b *Builder) Specs() []Spec { return slices.Clone(b.catalog.Images) }
