package cli

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
)

var update = flag.Bool("update", false, "write the golden files anew")

// dialogue is one command line, what the cluster is like, and who sits there.
type dialogue struct {
	line     string
	cluster  func(*fakeCluster)
	terminal bool
	// typed is what a person answers; someone without an answer is not asked.
	typed string
	// stopAfter is when a person presses Ctrl-C.
	stopAfter time.Duration
}

// dialogues are all verbs in all their formats. Each is a file in testdata.
func dialogues() map[string]dialogue {
	all := map[string]dialogue{}
	for _, part := range []map[string]dialogue{createDialogues(), lookDialogues(), changeDialogues(), planDialogues(), platformDialogues()} {
		for name, d := range part {
			all[name] = d
		}
	}
	return all
}

func TestDialogues(t *testing.T) {
	for name, d := range dialogues() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				golden(t, name, d.play(t))
			})
		})
	}
}

// play runs the command line and returns everything that came of it.
func (d dialogue) play(t *testing.T) string {
	f := newFake(t)
	if d.cluster != nil {
		d.cluster(f)
	}
	var out, problems bytes.Buffer
	env := testEnv(f)
	env.In, env.Ask = strings.NewReader(d.typed+"\n"), d.typed != ""
	env.Out, env.Err = &out, &problems
	s := &screen{t: t}
	if d.terminal {
		env.Terminal, env.Out = true, s
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	if d.stopAfter > 0 {
		time.AfterFunc(d.stopAfter, stop)
	}
	code := Run(ctx, env, split(d.line))
	var b strings.Builder
	fmt.Fprintf(&b, "$ kubepanel %s\n", d.line)
	if d.terminal {
		b.WriteString(s.String())
	} else {
		section(&b, "output", out.String())
	}
	section(&b, "error output", problems.String())
	fmt.Fprintf(&b, "=== exit code %d\n", code)
	return b.String()
}

func section(b *strings.Builder, name, text string) {
	if text != "" {
		fmt.Fprintf(b, "=== %s\n%s", name, text)
	}
}

func testEnv(f *fakeCluster) *Env {
	return &Env{
		In: strings.NewReader(""), Out: io.Discard, Err: io.Discard,
		Width: func() int { return 72 },
		Open: func(at Target) (Cluster, error) {
			if at.Context == "lost" {
				return nil, &hosting.Error{Code: hosting.Unreachable, Message: "There is no cluster.", Mend: "Start one.", Err: io.ErrUnexpectedEOF}
			}
			return f, nil
		},
		Build: Build{Version: "v0.1.0", Revision: "0123abcd", Go: "go1.26.8", Platform: "linux/amd64"},
	}
}

// split splits a line at spaces; 'quoted words' stay together.
func split(line string) []string {
	var list []string
	for i, part := range strings.Split(line, "'") {
		if i%2 == 1 {
			list = append(list, part)
			continue
		}
		list = append(list, strings.Fields(part)...)
	}
	return list
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".txt")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v; write it with: go test ./internal/cli -update", err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
	}
}

func TestEveryGoldenFileHasItsDialogue(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	all := dialogues()
	for _, file := range files {
		if _, ok := all[strings.TrimSuffix(filepath.Base(file), ".txt")]; !ok {
			t.Errorf("%s belongs to no dialogue: remove it", file)
		}
	}
}
