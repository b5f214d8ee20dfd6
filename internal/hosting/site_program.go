package hosting

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// What the API server takes of a program.
const (
	maxWords = 64
	maxWord  = 4096 // characters
	maxImage = 512
	maxNodes = 100
)

var (
	imageName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/:@-]*$`)
	nodeName  = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$`)
)

// static is the type of sites that have no program.
const static = "static"

// program sets how a site's program is started, and where.
func (a SiteAspects) program(s *v1alpha1.DomainSpec, f *faults) {
	for _, part := range []struct {
		field string
		words *[]string
		to    *[]string
	}{{"command", a.Command, &s.Workload.Command}, {"args", a.Args, &s.Workload.Args}} {
		if part.words == nil {
			continue
		}
		words := slices.DeleteFunc(slices.Clone(*part.words), func(w string) bool { return strings.TrimSpace(w) == "" })
		if f.check(part.field, checkWords(s.Workload.Type, words)) {
			*part.to = words
		}
	}
	if a.PreferredNodes != nil {
		nodes := compact(*a.PreferredNodes)
		if f.check("preferred-nodes", checkNodes(nodes)) {
			s.PreferredNodes = nodes
		}
	}
}

// image replaces the catalogue's image, or with "" gives it back.
func (a SiteAspects) image(w *v1alpha1.WorkloadSpec, f *faults) {
	if a.Image == nil {
		return
	}
	switch image := strings.TrimSpace(*a.Image); {
	case image != "" && w.Type == static:
		f.add("image", "a site of static files has no program that an image could be for; leave it out")
	case image != "" && (len(image) > maxImage || !imageName.MatchString(image)):
		f.add("image", fmt.Sprintf("%q is no image; write it like registry.example/php:8.4", image))
	default:
		w.Image = image
	}
}

// checkWords judges a command. What is wrong with a word is told without it: people
// keep passwords there.
func checkWords(kind string, words []string) error {
	switch {
	case len(words) == 0:
		return nil
	case kind == static:
		return fmt.Errorf("a site of static files has no program to start; leave this out")
	case len(words) > maxWords:
		return fmt.Errorf("%d words are too many; a command has at most %d", len(words), maxWords)
	}
	for i, word := range words {
		if !sendable(word) {
			return fmt.Errorf("word %d has a NUL or is no UTF-8; no program can be given that", i+1)
		}
		if utf8.RuneCountInString(word) > maxWord {
			return fmt.Errorf("word %d is too long; it may have %d characters", i+1, maxWord)
		}
	}
	return nil
}

func checkNodes(nodes []string) error {
	if len(nodes) > maxNodes {
		return fmt.Errorf("%d nodes are too many; a site prefers at most %d", len(nodes), maxNodes)
	}
	for i, node := range nodes {
		if len(node) > maxName || !nodeName.MatchString(node) {
			return fmt.Errorf("%q is no name of a node; write it as kubectl get nodes has it", node)
		}
		if slices.Contains(nodes[:i], node) {
			return fmt.Errorf("the node %s is named twice; leave one out", node)
		}
	}
	return nil
}

// Places tells whether an actor gives sites images and nodes. Both are the platform's: an
// image is not of those that the provider keeps mended, and who chooses nodes chooses
// neighbours.
func Places(a Actor) bool { return Can(a, RightPlatformChange, Object{}) }

// placed refuses what only the provider gives a site. That its image ends, as it does with
// a change of the version, is everybody's.
func placed(a Actor, was, wanted *v1alpha1.DomainSpec) error {
	if Places(a) {
		return nil
	}
	e := &Error{Code: Forbidden}
	if image := wanted.Workload.Image; image != "" && image != was.Workload.Image {
		e.Fields = append(e.Fields, Field{Name: "image", Message: "Only the provider gives a site an image of its own; leave it out."})
	}
	if !slices.Equal(was.PreferredNodes, wanted.PreferredNodes) {
		e.Fields = append(e.Fields, Field{Name: "preferred-nodes", Message: "Only the provider chooses the nodes of a site; leave them out."})
	}
	if len(e.Fields) == 0 {
		return nil
	}
	return e
}
