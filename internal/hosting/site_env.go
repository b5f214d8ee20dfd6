package hosting

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// variableName is what the API server takes for the name of a variable.
var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// ParseVariable reads a variable as a person writes it: NAME=VALUE, or NAME= for none.
func ParseVariable(line string) (v v1alpha1.EnvVar, ok bool) {
	name, value, ok := strings.Cut(line, "=")
	name = strings.TrimSpace(name)
	if !ok || !variableName.MatchString(name) || strings.ContainsRune(value, 0) {
		return v, false
	}
	return v1alpha1.EnvVar{Name: name, Value: value}, true
}

// setVariables changes the variables that lines name; all others stay as they are.
func setVariables(w *v1alpha1.WorkloadSpec, lines []string) error {
	env := slices.Clone(w.Env)
	for i, line := range lines {
		if strings.TrimSpace(line) == "" {
			continue
		}
		v, ok := ParseVariable(line)
		if !ok { // what was written may be a secret
			return fmt.Errorf("line %d is no variable; write NAME=VALUE, the name of letters, digits and underscores without a digit first; NAME= takes it away", i+1)
		}
		env = slices.DeleteFunc(env, func(e v1alpha1.EnvVar) bool { return e.Name == v.Name })
		if v.Value != "" {
			env = append(env, v)
		}
	}
	slices.SortFunc(env, func(a, b v1alpha1.EnvVar) int { return strings.Compare(a.Name, b.Name) })
	w.Env = env
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
