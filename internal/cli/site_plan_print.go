package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"kubepanel.io/kubepanel/internal/hosting"
)

// printPlan writes a plan for a person.
func (e *Env) printPlan(p *hosting.Plan) error {
	name := hosting.ShowBoth(p.Site)
	for _, warning := range p.Warnings {
		e.say("Warning: %s", clean(warning))
	}
	if p.Empty() {
		e.say("Nothing would change: %s is already as you ask.", name)
		return nil
	}
	e.say("%s", map[hosting.Action]string{
		hosting.ActionCreate: "The site " + name + " would be created.",
		hosting.ActionChange: "The site " + name + " would be changed.",
		hosting.ActionDelete: "The site " + name + " would be deleted.",
	}[p.Action])
	if len(p.Spec) > 0 {
		e.say("\n~ Domain")
		printFields(e.Out, p.Spec)
	}
	for _, o := range p.Objects {
		e.say("%s %s", map[hosting.Action]string{
			hosting.ActionCreate: "+", hosting.ActionChange: "~", hosting.ActionDelete: "-",
		}[o.Action], clean(objectTitle(o)))
		printFields(e.Out, o.Fields)
	}
	e.say("")
	rows := effects(p)
	var bounds []string
	for _, q := range p.Quota {
		bounds = append(bounds, quotaText(q))
	}
	rows = append(rows, []string{"At most", clean(strings.Join(bounds, ", "))})
	return table(e.Out, rows)
}

// effects are the lines of what visitors or the site's programs may notice.
func effects(p *hosting.Plan) [][]string {
	rows := [][]string{}
	for _, effect := range p.Effects {
		rows = append(rows, []string{effectTitle(effect.Kind), clean(strings.Join(effect.Of, ", "))})
	}
	return append(rows, []string{"Downtime", downtime(p.Downtime)}, []string{"", clean(p.Downtime.Basis)})
}

// printFields ignores a closed output, as say does.
func printFields(w io.Writer, fields []hosting.FieldChange) {
	line := func(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }
	for _, f := range fields {
		switch before, isText := f.Old.(string); {
		case f.Hidden:
			line("    %s: changes (not shown)", clean(f.Path))
		case isText && strings.Contains(before, "\n"):
			after, _ := f.New.(string)
			line("    %s:", clean(f.Path))
			for _, text := range changedLines(before, after) {
				line("      %s", clean(text))
			}
		default:
			line("    %s: %s → %s", clean(f.Path), plainValue(f.Old), plainValue(f.New))
		}
	}
}

// plainValue writes a value on one line.
func plainValue(v any) string {
	if v == nil {
		return "nothing"
	}
	if text, ok := v.(string); ok && text != "" && !strings.ContainsAny(text, " \n\"") {
		return clean(text)
	}
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprintf("%v", v)
	}
	return clean(string(data))
}

// changedLines lists the lines that only one of two texts has. What both begin and
// end with is left out, so that one changed line is one line of each.
func changedLines(before, after string) []string {
	b, a := strings.Split(before, "\n"), strings.Split(after, "\n")
	for len(b) > 0 && len(a) > 0 && b[0] == a[0] {
		b, a = b[1:], a[1:]
	}
	for len(b) > 0 && len(a) > 0 && b[len(b)-1] == a[len(a)-1] {
		b, a = b[:len(b)-1], a[:len(a)-1]
	}
	lines := make([]string, 0, len(b)+len(a))
	for _, line := range b {
		lines = append(lines, "- "+line)
	}
	for _, line := range a {
		lines = append(lines, "+ "+line)
	}
	return lines
}

func objectTitle(o hosting.ObjectChange) string {
	if o.Namespace == "" {
		return o.Kind + " " + o.Name
	}
	return o.Kind + " " + o.Namespace + "/" + o.Name
}

func effectTitle(k hosting.EffectKind) string {
	return map[hosting.EffectKind]string{
		hosting.EffectStart: "Starts", hosting.EffectRestart: "Restarts", hosting.EffectReload: "Reloads",
		hosting.EffectStop: "Stops", hosting.EffectGrow: "Grows", hosting.EffectRoutes: "Routes",
	}[k]
}

func downtime(d hosting.Downtime) string {
	switch {
	case d.Lasting:
		return "from then on"
	case d.Seconds == 0:
		return "none"
	}
	return fmt.Sprintf("about %d s", d.Seconds)
}

func quotaText(q hosting.QuotaChange) string {
	if q.Old == q.New {
		return q.Resource + " " + q.New
	}
	return fmt.Sprintf("%s %s → %s", q.Resource, or(q.Old, "none"), or(q.New, "none"))
}
