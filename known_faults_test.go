package kubepanel

import (
	"go/ast"
	"go/token"
	"os"
	"strconv"
	"strings"
	"testing"
)

const knownFaults = "docs/security/known-faults.md"

// TestKnownFaultsHaveTheirTests: a table that names tests which are gone would be
// worse than none.
func TestKnownFaultsHaveTheirTests(t *testing.T) {
	page, err := os.ReadFile(knownFaults)
	if err != nil {
		t.Fatal(err)
	}
	named := 0
	for line := range strings.Lines(string(page)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		if len(cells) != 3 || strings.Contains(line, "---") || strings.Contains(line, "| in |") {
			continue
		}
		file := strings.TrimSpace(strings.Trim(cells[2], "| "))
		for test := range strings.SplitSeq(strings.Trim(cells[1], "| "), ", ") {
			if strings.HasPrefix(test, "not built: ") {
				continue
			}
			named++
			if fault := missing(file, test); fault != "" {
				t.Errorf("%s: %s", knownFaults, fault)
			}
		}
	}
	if named < 25 {
		t.Errorf("%s names %d tests: the table is not read any more", knownFaults, named)
	}
}

func TestKnownFaultsSeeAMissingTest(t *testing.T) {
	for test, there := range map[string]bool{
		"TestKnownFaultsSeeAMissingTest":     true,
		"TestKnownFaultsSeeAMissingTest/sub": false,
		"TestNobodyWrote":                    false,
	} {
		if fault := missing("known_faults_test.go", test); (fault == "") != there {
			t.Errorf("missing(%s) = %q, want it to be there: %t", test, fault, there)
		}
	}
}

// missing says what of Test/subtest a file does not have. A subtest is known by
// its name as a text in the file.
func missing(file, test string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return err.Error()
	}
	s, err := parse(file, text)
	if err != nil {
		return err.Error()
	}
	function, sub, nested := strings.Cut(test, "/")
	found, texts := false, map[string]bool{}
	ast.Inspect(s.ast, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			found = found || n.Name.Name == function
		case *ast.BasicLit:
			if value, err := strconv.Unquote(n.Value); n.Kind == token.STRING && err == nil {
				texts[value] = true
			}
		}
		return true
	})
	switch {
	case !found:
		return file + " has no " + function
	case nested && !texts[sub]:
		return file + ": " + function + " has no case " + strconv.Quote(sub)
	}
	return ""
}
