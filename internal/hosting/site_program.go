package hosting

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"kubepanel.io/kubepanel/api/platform"
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

// Reached tells whether nginx reaches a runtime's program by a port. PHP has a socket, and
// static files no program.
func Reached(s *platform.Settings, kind string) bool {
	return kind != PHP && s.Runtimes[kind].ProxyMode != platform.ProxyNone
}

// reservedPorts are those that others in a site's pod listen on: nginx and SFTP.
var reservedPorts = []int{8080, 2222}

// ParsePort reads the port that a program listens on.
func ParsePort(text string) (int32, error) {
	port, err := strconv.ParseUint(strings.TrimSpace(text), 10, 16)
	switch {
	case err != nil || port == 0:
		return 0, fmt.Errorf("%q is no port; write a number from 1 to 65535", text)
	case slices.Contains(reservedPorts, int(port)):
		return 0, fmt.Errorf("the port %d is taken in every site's pod, by nginx or SFTP; choose another", port)
	}
	return int32(port), nil
}

// reach says how nginx reaches the program.
func (a SiteAspects) reach(s *platform.Settings, w *v1alpha1.WorkloadSpec, f *faults) {
	offer := s.Runtimes[w.Type]
	if !Reached(s, w.Type) {
		for _, part := range []struct {
			field string
			text  *string
		}{{"port", a.Port}, {"proxy-mode", a.ProxyMode}} {
			if part.text != nil && strings.TrimSpace(*part.text) != "" {
				f.add(part.field, fmt.Sprintf("a site of %s has no program that nginx reaches by a port; leave it out", RuntimeName(s, w.Type)))
			}
		}
		return
	}
	if a.Port != nil {
		port, err := offer.Port, error(nil)
		if strings.TrimSpace(*a.Port) != "" {
			port, err = ParsePort(*a.Port)
		}
		if f.check("port", err) {
			w.Port = port
		}
	}
	if a.ProxyMode != nil {
		switch mode := v1alpha1.ProxyMode(strings.TrimSpace(*a.ProxyMode)); mode {
		case "":
			if _, own := OwnReach(s, w); own != "" {
				w.ProxyMode = v1alpha1.ProxyMode(offer.ProxyMode)
			}
		case v1alpha1.ProxyHTTP, v1alpha1.ProxyUWSGI:
			if !offer.Speaks(string(mode)) && !a.ownProgram(w) {
				f.add("proxy-mode", fmt.Sprintf("the program of %s does not speak %s; only an image or a command of your own may", RuntimeName(s, w.Type), mode))
				return
			}
			w.ProxyMode = mode
		default:
			f.add("proxy-mode", fmt.Sprintf("%q is no way to a program; write http or uwsgi", mode))
		}
	}
}

// ownProgram tells whether a site comes to run something else than the catalogue's
// program. The command is in w already, the image is not.
func (a SiteAspects) ownProgram(w *v1alpha1.WorkloadSpec) bool {
	image := w.Image
	if a.Image != nil {
		image = strings.TrimSpace(*a.Image)
	}
	return image != "" || len(w.Command)+len(w.Args) > 0
}

// OwnReach is what a site's program has in place of the catalogue's port and way; zero
// where that is the catalogue's.
func OwnReach(s *platform.Settings, w *v1alpha1.WorkloadSpec) (port int32, mode v1alpha1.ProxyMode) {
	offer := s.Runtimes[w.Type]
	if !Reached(s, w.Type) {
		return 0, ""
	}
	if w.Port != offer.Port {
		port = w.Port
	}
	// The API server fills fastcgi in where nothing is said, which asks for the catalogue's.
	if w.ProxyMode != v1alpha1.ProxyMode(offer.ProxyMode) && w.ProxyMode != v1alpha1.ProxyFastCGI {
		mode = w.ProxyMode
	}
	return port, mode
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
