package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"kubepanel.io/kubepanel/internal/client"
	"kubepanel.io/kubepanel/internal/hosting"
)

// panels is the file that remembers the panels that somebody signed in to.
type panels struct {
	Current string           `json:"current,omitempty"`
	Panels  map[string]panel `json:"panels,omitempty"`
}

// panel is one of them. Token opens it, so nobody else may read the file.
type panel struct {
	URL   string `json:"url"`
	Token string `json:"token"`
	CA    string `json:"ca,omitempty"`
}

// readPanels reads the file; one that is not there has none.
func (e *Env) readPanels() (*panels, error) {
	p := &panels{Panels: map[string]panel{}}
	data, err := os.ReadFile(e.Panels)
	if errors.Is(err, fs.ErrNotExist) {
		return p, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the panels that you signed in to: %w", err)
	}
	if err := yaml.UnmarshalStrict(data, p); err != nil {
		return nil, &hosting.Error{Code: hosting.Invalid, Message: "The file " + e.Panels + " can't be read.", Err: err, Mend: "Remove it and sign in again with: kubepanel login"}
	}
	if p.Panels == nil {
		p.Panels = map[string]panel{}
	}
	return p, nil
}

// writePanels replaces the file as a whole, readable for its owner alone.
func (e *Env) writePanels(p *panels) error {
	data, err := yaml.Marshal(p)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(e.Panels), 0o700); err != nil {
		return fmt.Errorf("make the folder of your panels: %w", err)
	}
	draft, err := os.CreateTemp(filepath.Dir(e.Panels), ".panels-") // 0600
	if err != nil {
		return fmt.Errorf("write your panels: %w", err)
	}
	defer os.Remove(draft.Name()) // it is gone after the rename
	_, err = draft.Write(data)
	if err = errors.Join(err, draft.Sync(), draft.Close()); err == nil {
		err = os.Rename(draft.Name(), e.Panels)
	}
	if err != nil {
		return fmt.Errorf("write your panels: %w", err)
	}
	return nil
}

// api opens the panel in use.
func (e *Env) api() (*client.ClientWithResponses, error) {
	all, err := e.readPanels()
	if err != nil {
		return nil, err
	}
	p, ok := all.Panels[all.Current]
	if !ok {
		return nil, &hosting.Error{Code: hosting.SignIn, Message: "You are not signed in to a panel.", Mend: "Sign in with: kubepanel login https://panel.example.com < token"}
	}
	return client.Open(p.URL, p.Token, p.CA)
}

func newContext(env *Env) *cobra.Command {
	return group("panel", "Choose among the panels that you signed in to", "  kubepanel panel list\n  kubepanel panel use panel.example.com",
		newPanelList(env), newPanelUse(env), newPanelShow(env))
}

func newPanelList(env *Env) *cobra.Command {
	cmd := &cobra.Command{
		Use: "list", Aliases: []string{"ls"}, Short: "List the panels that you signed in to",
		Example: "  kubepanel panel list", Args: nothing,
		RunE: func(*cobra.Command, []string) error {
			all, err := env.readPanels()
			if err != nil {
				return err
			}
			type line struct {
				Name    string `json:"name"`
				URL     string `json:"url"`
				Current bool   `json:"current"`
			}
			lines, rows := []line{}, [][]string{{"", "NAME", "URL"}}
			for _, name := range sortedKeys(all.Panels) {
				one := line{name, all.Panels[name].URL, name == all.Current}
				lines = append(lines, one)
				rows = append(rows, []string{map[bool]string{true: "*"}[one.Current], name, one.URL})
			}
			if env.structured() {
				return env.printStructured(lines)
			}
			return table(env.Out, rows)
		},
	}
	env.addOutput(cmd)
	return cmd
}

func newPanelUse(env *Env) *cobra.Command {
	cmd := &cobra.Command{
		Use: "use NAME", Short: "Use another of the panels that you signed in to",
		Example: "  kubepanel panel use panel.example.com", Args: one("the name of the panel"),
		RunE: func(_ *cobra.Command, args []string) error {
			all, err := env.readPanels()
			if err != nil {
				return err
			}
			if _, ok := all.Panels[args[0]]; !ok {
				return &hosting.Error{Code: hosting.NotFound, Message: fmt.Sprintf("You are not signed in to a panel %q.", args[0]), Mend: "See which there are with: kubepanel panel list"}
			}
			all.Current = args[0]
			if err := env.writePanels(all); err != nil {
				return err
			}
			return env.done(map[string]string{"current": all.Current}, "Commands for a panel go to %s now.", all.Panels[args[0]].URL)
		},
	}
	env.addOutput(cmd)
	return cmd
}
