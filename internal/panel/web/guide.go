package web

import (
	"bytes"
	"cmp"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/text"

	"kubepanel.io/kubepanel/internal/hosting"
)

const guidesURL = "/guides"

// guide is one of docs/panel, as the panel shows it without a way to the Internet.
type guide struct {
	Name, Title string
	Parts       []guidePart
	// HTML is all but the title. It is of our own files, never of anybody's text.
	HTML string
}

// guidePart is a heading of a guide, and its id there.
type guidePart struct{ Title, ID string }

func (g guide) url() string { return guidesURL + "/" + g.Name }

// Guides for whoever has an account, in the order in which they are read, and those that who
// sells what the platform has reads besides. All others are administrators' alone: they tell
// how the platform is run.
var (
	everybodysGuides = []string{"customer", "files", "databases", "signing-in", "api"}
	sellersGuides    = []string{"accounts"}
)

// library is the guides as each role reads them: what one may not read, no guide leads to.
type library map[hosting.Role][]guide

func readLibrary(from fs.FS, pictures map[string]picture) (library, error) {
	all, err := fs.Glob(from, "*.md")
	if err != nil {
		return nil, err
	}
	lib := library{}
	if lib[hosting.Administrator], err = readGuides(from, all, pictures); err != nil {
		return nil, err
	}
	if lib[hosting.Reseller], err = readGuides(from, filesOf(slices.Concat(everybodysGuides, sellersGuides)), pictures); err != nil {
		return nil, err
	}
	lib[hosting.Customer], err = readGuides(from, filesOf(everybodysGuides), pictures)
	lib[hosting.Collaborator] = lib[hosting.Customer]
	return lib, err
}

func filesOf(guides []string) []string {
	files := make([]string, len(guides))
	for i, name := range guides {
		files[i] = name + ".md"
	}
	return files
}

// readGuides makes pages of files of Markdown, everybody's first.
func readGuides(from fs.FS, names []string, pictures map[string]picture) ([]guide, error) {
	guides := make([]guide, len(names))
	for i, file := range names {
		source, err := fs.ReadFile(from, file)
		if err != nil {
			return nil, err
		}
		if guides[i], err = readGuide(strings.TrimSuffix(file, ".md"), source, names, pictures); err != nil {
			return nil, fmt.Errorf("read the guide %s: %w", file, err)
		}
	}
	slices.SortStableFunc(guides, func(a, b guide) int {
		place := func(g guide) int { return slices.Index(append([]string{""}, everybodysGuides...), g.Name) }
		at, bt := place(a), place(b)
		if at < 0 || bt < 0 {
			return cmp.Compare(bt, at)
		}
		return cmp.Compare(at, bt)
	})
	return guides, nil
}

// readGuide makes a page of Markdown. What leads to another guide leads to its page; other
// files are not in the panel, so their links lead nowhere and are left out.
func readGuide(name string, source []byte, names []string, pictures map[string]picture) (guide, error) {
	md := goldmark.New(goldmark.WithExtensions(extension.Table), goldmark.WithParserOptions(parser.WithAutoHeadingID()),
		goldmark.WithRendererOptions(html.WithUnsafe())) // the anchors in them are ours
	doc := md.Parser().Parse(text.NewReader(source))
	g := guide{Name: name}
	var out []ast.Node
	err := ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Heading:
			if n.Level == 1 {
				g.Title = plainText(n, source)
				out = append(out, n)
				break
			}
			if id, ok := n.AttributeString("id"); ok {
				at, _ := id.([]byte)
				g.Parts = append(g.Parts, guidePart{plainText(n, source), string(at)})
			}
		case *ast.Image:
			if p, ok := pictures[string(n.Destination)]; ok {
				p.show(n)
			} else {
				out = append(out, n)
			}
		case *ast.Link:
			if to, ok := guideLink(string(n.Destination), names); ok {
				n.Destination = []byte(to)
			} else {
				out = append(out, n)
			}
		}
		return ast.WalkContinue, nil
	})
	if err != nil {
		return guide{}, err
	}
	for _, n := range out {
		leaveOut(n)
	}
	var b bytes.Buffer
	if err := md.Renderer().Render(&b, source, doc); err != nil {
		return guide{}, err
	}
	g.HTML = b.String()
	return g, nil
}

// guideLink is where a link of a guide leads in the panel, if it does.
func guideLink(to string, names []string) (string, bool) {
	at, err := url.Parse(to)
	switch {
	case err != nil:
		return "", false
	case at.Scheme == "https" || at.Path == "" && at.Fragment != "":
		return to, true
	case !slices.Contains(names, at.Path):
		return "", false
	}
	at.Path = guidesURL + "/" + strings.TrimSuffix(at.Path, ".md")
	return at.String(), true
}

// leaveOut takes a node away; the words of a link stay.
func leaveOut(n ast.Node) {
	parent := n.Parent()
	if _, ok := n.(*ast.Link); ok {
		for c := n.FirstChild(); c != nil; c = n.FirstChild() {
			parent.InsertBefore(parent, n, c)
		}
	}
	parent.RemoveChild(parent, n)
	if _, ok := parent.(*ast.Paragraph); ok && parent.ChildCount() == 0 {
		parent.Parent().RemoveChild(parent.Parent(), parent)
	}
}

// plainText is what is read of a node.
func plainText(n ast.Node, source []byte) string {
	var b strings.Builder
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		if t, ok := c.(*ast.Text); ok {
			b.Write(t.Value(source))
		} else {
			b.WriteString(plainText(c, source))
		}
	}
	return b.String()
}

// guidesOf are those that the actor may read.
func (f *frame) guidesOf() []guide { return f.server.guides[f.Actor.Role] }

// guidePage is a guide, or the list of all.
type guidePage struct {
	*frame

	Guide  guide
	Guides []guide
}

func (s *Server) listGuides(w http.ResponseWriter, r *http.Request) error {
	p := guidePage{frame: s.frame(r, placeNone)}
	p.Guides = p.guidesOf()
	p.Title = p.T("Guides")
	p.Crumbs = []link{{Text: p.Title}}
	return show(w, r, http.StatusOK, p.list())
}

func (s *Server) showGuide(w http.ResponseWriter, r *http.Request) error {
	p := guidePage{frame: s.frame(r, placeNone)}
	p.Guides = p.guidesOf()
	i := slices.IndexFunc(p.Guides, func(g guide) bool { return g.Name == r.PathValue("guide") })
	if i < 0 {
		return s.nowhere(w, r)
	}
	p.Guide = p.Guides[i]
	p.Title = p.Guide.Title
	p.Crumbs = []link{{Text: p.T("Guides"), To: guidesURL}, {Text: p.Title}}
	return show(w, r, http.StatusOK, p.view())
}

// Foreign says in what language the guides are, where that is not the page's.
func (p guidePage) Foreign() string {
	if p.Tag == "en" {
		return ""
	}
	return p.T("The guides are in English.")
}
