package cli

import (
	"testing"

	"kubepanel.io/kubepanel/internal/hosting"
)

func planned(p hosting.Plan) func(*fakeCluster) {
	return func(f *fakeCluster) {
		populated(nil)(f)
		f.plan = &p
	}
}

// noticeable is a change that visitors notice, unnoticed one that nobody does, and unnamed
// takes names from a site and gives it others.
func noticeable() hosting.Plan {
	return hosting.Plan{
		Action:   hosting.ActionChange,
		Spec:     []hosting.FieldChange{{Path: "spec.workload.version", Old: "8.4", New: "8.2"}},
		Objects:  []hosting.ObjectChange{{Action: hosting.ActionChange, Kind: "Deployment", Namespace: "dom-blog-localhost", Name: "blog-localhost"}},
		Effects:  []hosting.Effect{{Kind: hosting.EffectRestart, Of: []string{"app"}}},
		Downtime: hosting.Downtime{Seconds: 8, Basis: "The present pod took 6 s to start."},
	}
}

func unnoticed() hosting.Plan {
	return hosting.Plan{
		Action: hosting.ActionChange,
		Spec: []hosting.FieldChange{{Path: "spec.title", New: "A blog"}, {Path: "spec.aliases[b.example]", New: map[string]any{"name": "b.example"}},
			{Path: "spec.aliases", Old: []string{"c.example"}, New: []any{"b.example", "c.example"}}, {Path: "spec.webserver.documentRoot", Old: "html"}},
		Effects:  []hosting.Effect{{Kind: hosting.EffectReload, Of: []string{"nginx"}}, {Kind: hosting.EffectRoutes, Of: []string{"b.example"}}},
		Downtime: hosting.Downtime{Basis: "Nothing restarts."},
	}
}

func unnamed() hosting.Plan {
	return hosting.Plan{
		Action: hosting.ActionChange,
		Spec: []hosting.FieldChange{{Path: "spec.aliases[c.example]", Old: map[string]any{"name": "c.example"}},
			{Path: "spec.sftp.authorizedKeys", Old: []any{"ssh-ed25519 AAAA me", "ssh-ed25519 BBBB me"}, New: []any{"ssh-ed25519 AAAA me"}}},
		Downtime: hosting.Downtime{Basis: "Nothing restarts."},
	}
}

func refused() hosting.Plan {
	return hosting.Plan{Action: hosting.ActionChange, Refused: []hosting.Field{{Name: "spec.resources.storage", Message: "Storage can grow but never shrink."}}}
}

// A key or a name alone is asked about too, and what comes is not.
func TestWhatIsAskedAbout(t *testing.T) {
	tests := map[string]struct {
		plan hosting.Plan
		want bool
	}{
		"nothing":          {hosting.Plan{}, false},
		"a restart":        {hosting.Plan{Effects: noticeable().Effects}, true},
		"some seconds":     {hosting.Plan{Downtime: hosting.Downtime{Seconds: 1}}, true},
		"a stop":           {hosting.Plan{Downtime: hosting.Downtime{Lasting: true}}, true},
		"what comes":       {unnoticed(), false},
		"a name that goes": {hosting.Plan{Spec: unnamed().Spec[:1]}, true},
		"a key that goes":  {hosting.Plan{Spec: unnamed().Spec[1:]}, true},
		"all names go":     {hosting.Plan{Spec: []hosting.FieldChange{{Path: "spec.aliases", Old: []any{map[string]any{"name": "c.example"}}}}}, true},
	}
	for name, tt := range tests {
		if got := noticed(&tt.plan); got != tt.want {
			t.Errorf("noticed(%s) = %v, want %v", name, got, tt.want)
		}
	}
}

const domainFile = `'{"apiVersion":"kubepanel.io/v1alpha1","kind":"Domain","metadata":{"name":"blog.localhost"},"spec":{"domainName":"blog.localhost"}}'`

func planDialogues() map[string]dialogue {
	const ns = "dom-blog-localhost"
	quota := []hosting.QuotaChange{{Resource: "cpu", Old: "1000m", New: "1000m"}, {Resource: "memory", Old: "512Mi", New: "512Mi"}, {Resource: "storage", Old: "5Gi", New: "10Gi"}}
	restart := hosting.Plan{
		Action:   hosting.ActionChange,
		Warnings: []string{"workload.settings: there is no setting \x1b[2J\"x\". The site runs without it."},
		Spec:     []hosting.FieldChange{{Path: "spec.resources.storage", Old: "5Gi", New: "10Gi"}, {Path: "spec.title", New: "A blog"}},
		Objects: []hosting.ObjectChange{
			{Action: hosting.ActionChange, Kind: "ConfigMap", Namespace: ns, Name: "nginx-config", Fields: []hosting.FieldChange{
				{Path: "data[nginx.conf]", Old: "server {\n  listen 80;\n}\n", New: "server {\n  listen 8080;\n}\n"}}},
			{Action: hosting.ActionChange, Kind: "Deployment", Namespace: ns, Name: "blog-localhost", Fields: []hosting.FieldChange{
				{Path: "spec.template.spec.containers[app].env[KEY]", Hidden: true},
				{Path: "spec.template.spec.containers[redis]", New: map[string]any{"image": "redis:7"}}}},
			{Action: hosting.ActionDelete, Kind: "Service", Namespace: ns, Name: "blog-localhost-sftp"},
		},
		Effects:  []hosting.Effect{{Kind: hosting.EffectRestart, Of: []string{"app", "redis"}}, {Kind: hosting.EffectGrow, Of: []string{"data"}}},
		Downtime: hosting.Downtime{Seconds: 8, Basis: "The present pod took 6 s to start."},
		Quota:    quota,
	}
	deletion := hosting.Plan{
		Action:   hosting.ActionDelete,
		Objects:  []hosting.ObjectChange{{Action: hosting.ActionDelete, Kind: "Namespace", Name: ns}, {Action: hosting.ActionDelete, Kind: "Database", Name: ns}},
		Downtime: hosting.Downtime{Lasting: true, Basis: "The site is deleted with its files and its database."},
		Quota:    []hosting.QuotaChange{{Resource: "cpu", Old: "1000m"}},
	}
	nothing := hosting.Plan{Action: hosting.ActionNone}
	return map[string]dialogue{
		"plan":            {line: "site plan blog.localhost --storage 10Gi", cluster: planned(restart)},
		"plan-json":       {line: "site plan blog.localhost --storage 10Gi -o json", cluster: planned(restart)},
		"plan-exitcode":   {line: "site plan blog.localhost --storage 10Gi --detailed-exitcode -o yaml", cluster: planned(deletion)},
		"plan-delete":     {line: "site plan blog.localhost --delete", cluster: planned(deletion)},
		"plan-nothing":    {line: "site plan blog.localhost --php 8.4 --detailed-exitcode", cluster: planned(nothing)},
		"plan-refused":    {line: "site plan blog.localhost --php 8.2", cluster: planned(refused())},
		"plan-stdin":      {line: "site plan -f -", cluster: planned(nothing), typed: domainFile[1 : len(domainFile)-1]},
		"plan-no-domain":  {line: "site plan -f -", cluster: planned(nothing), typed: `{"kind":"Pod","apiVersion":"v1"}`},
		"plan-misspelt":   {line: "site plan -f -", cluster: planned(nothing), typed: `{"apiVersion":"kubepanel.io/v1alpha1","kind":"Domain","metadata":{"name":"a"},"spec":{"redi":{}}}`},
		"plan-no-file":    {line: "site plan -f nowhere.yaml", cluster: planned(nothing)},
		"plan-no-name":    {line: "site plan --php 8.2", cluster: planned(nothing)},
		"plan-no-change":  {line: "site plan blog.localhost", cluster: planned(nothing)},
		"plan-both":       {line: "site plan blog.localhost --php 8.2 --delete", cluster: planned(nothing)},
		"plan-file-and":   {line: "site plan blog.localhost -f -", cluster: planned(nothing)},
		"plan-file-empty": {line: "site plan -f -", cluster: planned(nothing), typed: " "},
	}
}

// A file is a stranger's text.
func FuzzParseDomain(f *testing.F) {
	f.Add([]byte(domainFile[1 : len(domainFile)-1]))
	f.Add([]byte("kind: Domain\n---\nkind: Domain\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := parseDomain(data)
		if (d == nil) == (err == nil) {
			t.Errorf("parseDomain(%q) = %v, %v, want one of them", data, d, err)
		}
		if err != nil && hosting.CodeOf(err) != hosting.Invalid {
			t.Errorf("parseDomain(%q) = %v, want it to be Invalid", data, err)
		}
	})
}
