// Command kindpages writes the reference page of every kind from its CRD.
//
// The part that people write stands beside the pages, in intro/. It must never
// hold knowledge about a kind: what a page says comes from the CRD or the intro.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"
)

func main() {
	crds := flag.String("crds", "", "folder with the CRDs")
	docs := flag.String("docs", "", "folder of the pages; intro/ in it holds their beginnings")
	flag.Parse()
	if err := run(*crds, *docs); err != nil {
		fmt.Fprintln(os.Stderr, "kindpages:", err)
		os.Exit(1)
	}
}

func run(crds, docs string) error {
	kinds, err := readKinds(crds)
	if err != nil {
		return err
	}
	for _, kind := range kinds {
		name := fileName(kind)
		intro, err := readIntro(docs, name)
		if err != nil {
			return err
		}
		if err := write(filepath.Join(docs, name), page(kind, intro)); err != nil {
			return err
		}
	}
	intro, err := readIntro(docs, "README.md")
	if err != nil {
		return err
	}
	return write(filepath.Join(docs, "README.md"), index(kinds, intro))
}

func readKinds(folder string) ([]apiextensionsv1.CustomResourceDefinition, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
	if err != nil {
		return nil, fmt.Errorf("look for CRDs: %w", err)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("no CRDs in %q: generate them first", folder)
	}
	kinds := make([]apiextensionsv1.CustomResourceDefinition, len(files))
	for i, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("read a CRD: %w", err)
		}
		if err := yaml.UnmarshalStrict(text, &kinds[i]); err != nil {
			return nil, fmt.Errorf("read %s: %w", file, err)
		}
	}
	return kinds, nil
}

// readIntro insists on an introduction: a kind that nobody explains is not done.
func readIntro(docs, name string) (string, error) {
	path := filepath.Join(docs, "intro", name)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("%s is missing: write what the kind is for and an example", path)
	}
	if err != nil {
		return "", fmt.Errorf("read an introduction: %w", err)
	}
	return string(text), nil
}

func write(path, text string) error {
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		return fmt.Errorf("write a page: %w", err)
	}
	return nil
}

func fileName(crd apiextensionsv1.CustomResourceDefinition) string {
	return strings.ToLower(crd.Spec.Names.Kind) + ".md"
}
