package hosting

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// What the API server takes as variables of a site.
const (
	maxVariables = 100
	maxVariable  = 32768 // characters of a value
)

// variableName is what the API server takes for the name of a variable.
var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,254}$`)

// ParseVariable reads a variable as a person writes it: NAME=VALUE, or NAME= for none.
func ParseVariable(line string) (v v1alpha1.EnvVar, ok bool) {
	name, value, ok := strings.Cut(line, "=")
	name = strings.TrimSpace(name)
	if !ok || !variableName.MatchString(name) || !sendable(value) {
		return v, false
	}
	return v1alpha1.EnvVar{Name: name, Value: value}, true
}

// sendable tells whether a text comes to a program as it was written: JSON would put
// something else in place of what is no UTF-8, and no program can be given a NUL.
func sendable(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsRune(text, 0)
}

// ReadVariables reads a file of variables, one a line as ParseVariable takes it, without
// its empty lines and those that begin with #. What was written may be a secret, so the
// error, a sentence, says the line's number alone.
func ReadVariables(text string) ([]string, error) {
	var lines []string
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimRight(line, "\r\n")
		if start := strings.TrimSpace(line); start == "" || start[0] == '#' {
			continue
		}
		if _, ok := ParseVariable(line); !ok {
			return nil, noVariable(n)
		}
		lines = append(lines, line)
	}
	return lines, nil
}

func noVariable(line int) error {
	return fmt.Errorf("line %d is no variable; write NAME=VALUE, the name of letters, digits and underscores without a digit first; NAME= takes it away", line)
}

// setVariables changes the variables that lines name; all others stay as they are. Without
// a program they are for the shell alone, and without one of those for nobody: some that
// stand there from before may go.
func setVariables(s *v1alpha1.DomainSpec, lines []string) error {
	env := slices.Clone(s.Workload.Env)
	for i, line := range lines {
		if strings.TrimSpace(line) == "" {
			continue
		}
		v, ok := ParseVariable(line)
		switch {
		case !ok:
			return noVariable(i + 1)
		case utf8.RuneCountInString(v.Value) > maxVariable:
			return fmt.Errorf("the value of %s is too long; it may have %d characters", v.Name, maxVariable)
		case v.Value != "" && s.Workload.Type == static && s.SFTP.Type != v1alpha1.SFTPGit:
			return errors.New("a site of static files without a shell has no program that variables could be for; leave them out")
		}
		env = slices.DeleteFunc(env, func(e v1alpha1.EnvVar) bool { return e.Name == v.Name })
		if v.Value != "" {
			env = append(env, v)
		}
	}
	if len(env) > maxVariables {
		return fmt.Errorf("%d variables are too many; a site has at most %d", len(env), maxVariables)
	}
	slices.SortFunc(env, func(a, b v1alpha1.EnvVar) int { return strings.Compare(a.Name, b.Name) })
	s.Workload.Env = env
	return nil
}

// Variables are the names of a site's variables. Their values, which are mostly
// secrets, are shown to nobody.
func Variables(w *v1alpha1.WorkloadSpec) []string {
	names := make([]string, len(w.Env))
	for i, e := range w.Env {
		names[i] = e.Name
	}
	return names
}
