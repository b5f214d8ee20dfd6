package phase

import (
	"slices"
	"testing"
)

// A password alone is let in where the provider says so, and never because nobody did.
func TestAPasswordAloneIsAChoice(t *testing.T) {
	for values, want := range map[string]string{
		"": "--password-alone=false", "panel: {mailedCodes: false}": "--password-alone=false", "panel: {passwordAlone: true}": "--password-alone=true",
	} {
		if args := render(t, values)["StatefulSet/kubepanel-panel"].Spec.Template.Spec.Containers[0].Args; !slices.Contains(args, want) {
			t.Errorf("%q: the panel is told %q, want %s", values, args, want)
		}
	}
	if _, err := chartOf(t, "panel: {passwordAlone: 'yes'}"); err == nil {
		t.Error("a text in place of true is taken")
	}
}
