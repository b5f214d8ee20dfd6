package hosting_test

import (
	"slices"
	"strings"
	"testing"

	"kubepanel.io/kubepanel/internal/hosting"
)

func FuzzParseVariable(f *testing.F) {
	for _, line := range []string{"A=b", "_a1=", " A =b=c", "1=a", "A", "=", "A\x00=b", "Ä=b", "A\n=b", "A=\xff"} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		v, ok := hosting.ParseVariable(line)
		if !ok {
			return
		}
		if again, ok := hosting.ParseVariable(v.Name + "=" + v.Value); !ok || again != v {
			t.Errorf("ParseVariable(%q) = %+v; written again it is %+v, %t", line, v, again, ok)
		}
	})
}

func TestAFileOfVariablesIsRead(t *testing.T) {
	lines, err := hosting.ReadVariables("# keys of the shop\r\n\r\n  # more\nTOKEN=a # b\r\nEMPTY=\nQUOTED=\"x\"\n")
	if want := []string{"TOKEN=a # b", "EMPTY=", `QUOTED="x"`}; err != nil || !slices.Equal(lines, want) {
		t.Errorf("ReadVariables = %q, %v, want %q", lines, err, want)
	}
	if _, err := hosting.ReadVariables("A=1\n\nhunter2\n"); err == nil || !strings.Contains(err.Error(), "line 3") || strings.Contains(err.Error(), "hunter") {
		t.Errorf("ReadVariables of a line that is none = %v, want its number and not its text", err)
	}
}

func FuzzReadVariables(f *testing.F) {
	for _, text := range []string{"", "A=b\n#c\nD=e", "A=b\r\n\r\nB=\n", "A\n", "\xff=\n", "=\x00"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		lines, err := hosting.ReadVariables(text)
		for _, line := range lines {
			if _, ok := hosting.ParseVariable(line); !ok || err != nil {
				t.Errorf("ReadVariables(%q) has the line %q, %v, which is no variable", text, line, err)
			}
		}
	})
}
