package cli

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// reference is the page that is made from the commands themselves; -update writes
// it anew.
const reference = "../../docs/cli.md"

func TestReferenceIsUpToDate(t *testing.T) {
	var page bytes.Buffer
	page.WriteString(referenceHead)
	walk(newRoot(testEnv(newFake(t))), func(cmd *cobra.Command) { writeCommand(&page, cmd) })
	if *update {
		if err := os.WriteFile(reference, page.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	was, err := os.ReadFile(reference)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(was, page.Bytes()) {
		t.Error("docs/cli.md is not what the commands say; write it with: go test ./internal/cli -run Reference -update")
	}
}

const referenceHead = `# The command line

<!-- Made from the commands by: go test ./internal/cli -run Reference -update -->

` + "`kubepanel`" + ` speaks to the cluster that ` + "`KUBECONFIG`" + ` names, or ` + "`--kubeconfig` and `--context`" + `, with the rights of the account in it.
The commands ` + "`login`, `logout`, `panel`, `account`, `user`, `package`, `collaborator`, `audit`, `token`, `webhook`, `node`, `company`, `application`, `settings`, `database`, `site assign`, `site files`, `site logs`, `site cron` and `site usage`" + ` speak to a [panel](panel/api.md) instead, with a token: see ` + "`kubepanel login`" + `.
So do the other ` + "`site`" + ` commands for whoever is signed in to one, unless ` + "`--cluster`, `--kubeconfig` or `--context`" + ` says that the cluster is meant.
What the commands do for a customer, from the first site on, is told in [sites.md](sites.md).

- **Exit codes**: 0 done; 1 it could not be done, or not in time; 2 the request can't be understood or can never succeed as written; 130 interrupted.
- **Output**: the answer goes to standard output, everything else to standard error. With ` + "`--output json` or `yaml`" + ` the answer of
  create, set, wait, show, delete and list is the API's own object, as ` + "`kubectl get domain`" + ` prints it; through a panel it is the panel's, as its API has it.
- **--dry-run** asks the API server to check everything and to write nothing.
- **Ctrl-C** ends the looking, never the work: what was asked for goes on in the cluster.
- **Passwords** are printed by ` + "`site password`" + ` alone.
- **Completion** knows the names of sites and the versions of PHP. For bash: ` + "`source <(kubepanel completion bash)`" + `; zsh, fish and PowerShell likewise.

`

func walk(cmd *cobra.Command, visit func(*cobra.Command)) {
	if cmd.Hidden {
		return
	}
	visit(cmd)
	for _, c := range cmd.Commands() {
		walk(c, visit)
	}
}

func writeCommand(w *bytes.Buffer, cmd *cobra.Command) {
	if cmd.HasParent() && cmd.HasSubCommands() {
		return // groups say nothing that their commands don't
	}
	if !cmd.HasParent() {
		fmt.Fprintf(w, "Options of every command:\n\n%s\n", options(cmd.PersistentFlags()))
		return
	}
	long := cmd.Long
	if long == "" {
		long = cmd.Short + "."
	}
	fmt.Fprintf(w, "## %s\n\n%s\n\n```sh\n%s\n```\n\n", strings.TrimSuffix(cmd.UseLine(), " [flags]"), long, unindent(cmd.Example))
	if text := options(cmd.LocalNonPersistentFlags()); text != "" {
		fmt.Fprintf(w, "%s\n", text)
	}
}

func options(flags *pflag.FlagSet) string {
	var b strings.Builder
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Name == "help" || f.Hidden {
			return
		}
		name := "--" + f.Name
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", " + name
		}
		kind, usage := pflag.UnquoteUsage(f)
		if kind != "" {
			name += " " + kind
		}
		if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "[]" {
			usage += " (default " + f.DefValue + ")"
		}
		fmt.Fprintf(&b, "- `%s`: %s\n", name, usage)
	})
	return b.String()
}

func unindent(text string) string {
	return strings.TrimPrefix(strings.ReplaceAll(text, "\n  ", "\n"), "  ")
}

func TestEveryCommandHelpsItself(t *testing.T) {
	walk(newRoot(testEnv(newFake(t))), func(cmd *cobra.Command) {
		path := cmd.CommandPath()
		if cmd.Short == "" || strings.HasSuffix(cmd.Short, ".") {
			t.Errorf("%s: needs a short description without a full stop, has %q", path, cmd.Short)
		}
		if cmd.HasParent() && cmd.Example == "" {
			t.Errorf("%s: has no example", path)
		}
		if !cmd.HasSubCommands() && cmd.Flags().Lookup("output") == nil {
			t.Errorf("%s: has no --output", path)
		}
		for _, text := range []string{cmd.Short, cmd.Long, cmd.Example} {
			for line := range strings.Lines(text) {
				if len([]rune(line)) > 100 {
					t.Errorf("%s: a line of its help is wider than a terminal: %q", path, line)
				}
			}
		}
	})
}

// Help, completion scripts and versions must work where no cluster is.
func TestHelpNeedsNoCluster(t *testing.T) {
	for _, line := range []string{"", "--help", "help site create", "site", "site create --help", "completion bash", "version"} {
		env := testEnv(nil)
		env.Open = func(Target) (Cluster, error) {
			t.Errorf("%q asks for a cluster", line)
			return nil, os.ErrNotExist
		}
		var out, problems bytes.Buffer
		env.Out, env.Err = &out, &problems
		if code := Run(t.Context(), env, split(line)); code != 0 || out.Len() == 0 {
			t.Errorf("kubepanel %s = exit code %d with %d bytes: %s", line, code, out.Len(), problems.String())
		}
	}
}
