package cli

import (
	"bytes"
	"encoding/json"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/door/doortest"
	"kubepanel.io/kubepanel/internal/panel/paneltest"
	"kubepanel.io/kubepanel/internal/toolbox/toolboxtest"
)

func TestMain(m *testing.M) { toolboxtest.Main(m) }

// street gives an office's panel a cluster with a site of the administrator's, whose
// real toolbox runs, and returns the folder of its files.
func (o *office) street() (root string, cluster *paneltest.Cluster) {
	o.t.Helper()
	settings, err := os.ReadFile("../../api/platform/testdata/platform.yaml")
	o.must(err)
	cluster, err = paneltest.NewCluster(settings)
	o.must(err)
	more := make(chan string)
	close(more)
	logs := &paneltest.Logs{At: time.Now(), More: more, Said: map[string][]string{"app": {"all is well", "PHP Fatal error: out of ideas"}, "cron": {"42 mails sent"}}}
	o.rules.Panel = &hosting.Panel{Domains: cluster, Writer: cluster, Platform: cluster, Planner: cluster, Logs: logs,
		Cron: paneltest.Runs{{Name: "mail-1", Job: "mail", State: hosting.RunSucceeded, Began: time.Now().Add(-time.Hour), Ended: time.Now()}}}
	o.rules.Panel.Accesses = paneltest.NewAccesses()
	o.rules.Nodes = paneltest.Yard{}
	boss, err := o.rules.Store.UserByEmail(o.t.Context(), "boss@provider.example")
	o.must(err)
	actor, err := hosting.ActorOf(o.t.Context(), o.rules.Store, boss.ID)
	o.must(err)
	s, err := o.rules.CreateSite(o.t.Context(), actor, "", hosting.NewSite{Name: "shop.example", Storage: "5Gi", CPU: "1000m", Memory: "512Mi"}, false)
	o.must(err)
	cluster.Finish(s.Object, time.Now())
	cluster.Change(s.Object, func(d *v1alpha1.Domain) {
		d.Status.Database = &v1alpha1.DatabaseStatus{Host: "mariadb", Port: 3306, Name: "dom-shop-example", Username: "dom-shop-example"}
		d.Spec.CronJobs = []v1alpha1.CronJob{{Name: "mail", Schedule: "30 4 * * *", Shell: "php mail.php", TimeoutSeconds: 3600}}
	})
	door := doortest.New(o.t)
	root, _ = door.Site("shop.example")
	o.rules.Door = door
	o.must(os.MkdirAll(filepath.Join(root, "html"), 0o755))
	o.must(os.WriteFile(filepath.Join(root, "html", "index.php"), []byte("<?php"), 0o644))
	o.want(nil, "login", o.url, "--ca-file", o.ca)
	return root, cluster
}

func (o *office) file(name string) string {
	o.t.Helper()
	text, err := os.ReadFile(name)
	o.must(err)
	return string(text)
}

func TestFilesFromATerminal(t *testing.T) {
	o := newOffice(t)
	root, _ := o.street()
	here := t.TempDir()
	files := func(says string, args ...string) {
		t.Helper()
		o.want([]string{says}, append([]string{"site", "files"}, args...)...)
	}
	files("index.php", "ls", "shop.example")
	files("Fetched", "get", "shop.example", "/html/index.php", filepath.Join(here, "i.php"))
	if got := o.file(filepath.Join(here, "i.php")); got != "<?php" {
		t.Errorf("the file is %q", got)
	}
	files("<?php", "get", "shop.example", "/html/index.php", "-")
	large := strings.Repeat("0123456789abcdef", (piece+piece/2)/16)
	o.must(os.WriteFile(filepath.Join(here, "large"), []byte(large), 0o600))
	files("Sent /html/large", "put", "shop.example", filepath.Join(here, "large"), "/html/")
	if o.file(filepath.Join(root, "html", "large")) != large {
		t.Error("what was sent in pieces is not what is there")
	}
	if code, text := o.run("", "site", "files", "put", "shop.example", filepath.Join(here, "large"), "/html/"); code != 1 || !strings.Contains(text, "already") {
		t.Errorf("putting it again = %d %s", code, text)
	}
	files("Sent", "put", "shop.example", filepath.Join(here, "i.php"), "/html/large", "--replace")
	files("Made", "mkdir", "shop.example", "/html/old")
	files("Copied 1", "cp", "shop.example", "/html/index.php", "/html/old")
	files("Moved 1", "mv", "shop.example", "/html/large", "/html/old")
	files("600", "chmod", "shop.example", "600", "/html/old/large")
	files("is called large.bak now", "rename", "shop.example", "/html/old/large", "large.bak")
	if _, err := os.Stat(filepath.Join(root, "html", "old", "large.bak")); err != nil {
		t.Errorf("the file has not its new name: %v", err)
	}
	files("Made", "pack", "shop.example", "/html", "old.zip", "old")
	files("Unpacked to /html/old-1", "unpack", "shop.example", o.renamed(root))
	files("trash", "rm", "shop.example", "/html/old")
	files("/html/old", "trash", "shop.example")
	name := o.trashed(root)
	files("Put back 1", "restore", "shop.example", name)
	o.refused(2, "--yes", "site", "files", "empty-trash", "shop.example")
	files("is empty", "empty-trash", "shop.example", "--yes")
	files("Fetched", "get", "shop.example", "/html", filepath.Join(here, "all.tar.gz"))
}

// What takes long goes on without who began it, is listed and can be cancelled; who waits
// hears why it was not done.
func TestALongChangeOfFilesFromATerminal(t *testing.T) {
	o := newOffice(t)
	root, _ := o.street()
	o.must(os.WriteFile(filepath.Join(root, "html", "large"), nil, 0o644))
	o.must(os.Truncate(filepath.Join(root, "html", "large"), 1<<40)) // of holes: no test lives to see it packed
	code, text := o.run("", "site", "files", "pack", "shop.example", "/html", "all.zip", "large", "--no-wait", "-o", "json")
	var job struct{ ID, State string }
	if err := json.Unmarshal([]byte(text), &job); code != 0 || err != nil || job.State != "running" {
		t.Fatalf("pack --no-wait = %d %s", code, text)
	}
	o.want([]string{job.ID, "running", "/html/all.zip"}, "site", "files", "jobs", "shop.example")
	o.want([]string{"ends in a moment"}, "site", "files", "cancel", "shop.example", job.ID)
	u, err := o.rules.Store.UserByEmail(t.Context(), "boss@provider.example")
	o.must(err)
	actor, err := hosting.ActorOf(t.Context(), o.rules.Store, u.ID)
	o.must(err)
	cancelled := make(chan error, 1)
	go func() {
		for {
			jobs, err := o.rules.FileJobs(t.Context(), actor, "shop.example")
			for _, j := range jobs {
				if j.To == "/html/other.zip" && err == nil {
					_, err = o.rules.CancelFileJob(t.Context(), actor, "shop.example", j.ID)
					cancelled <- err
					return
				}
			}
			if err != nil {
				cancelled <- err
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
	}()
	if code, said := o.run("", "site", "files", "pack", "shop.example", "/html", "other.zip", "large"); code != 1 || !strings.Contains(said, "It was cancelled.") {
		t.Errorf("who waits is told %d %s", code, said)
	}
	o.must(<-cancelled)
	if code, said := o.run("", "site", "files", "cancel", "shop.example", "nothing"); code != 1 || !strings.Contains(said, "no such change") {
		t.Errorf("cancelling nothing = %d %s", code, said)
	}
}

// renamed gives the archive a name whose folder is not there.
func (o *office) renamed(root string) string {
	o.must(os.Rename(filepath.Join(root, "html", "old.zip"), filepath.Join(root, "html", "old-1.zip")))
	return "/html/old-1.zip"
}

// trashed is the name of the one thing in the trash.
func (o *office) trashed(root string) string {
	o.t.Helper()
	all, err := os.ReadDir(filepath.Join(root, ".trash", "files"))
	o.must(err)
	if len(all) != 1 {
		o.t.Fatalf("%d things are in the trash, want 1", len(all))
	}
	return all[0].Name()
}

func TestLogsAndCronJobsFromATerminal(t *testing.T) {
	o := newOffice(t)
	o.street()
	o.want([]string{"all is well", "out of ideas"}, "site", "logs", "shop.example")
	if text := o.want([]string{"out of ideas"}, "site", "logs", "shop.example", "--search", "fatal"); strings.Contains(text, "all is well") {
		t.Errorf("a search shows what it was not for: %s", text)
	}
	kept := filepath.Join(t.TempDir(), "app.log")
	o.want([]string{"Fetched"}, "site", "logs", "shop.example", "--to", kept)
	if text := o.file(kept); !strings.Contains(text, "all is well") || !strings.Contains(text, "out of ideas") {
		t.Errorf("the log that was fetched is %q", text)
	}
	if code, text := o.run("", "site", "logs", "shop.example", "--to", kept, "--follow"); code != 2 || !strings.Contains(text, "one of them") {
		t.Errorf("fetching and following = %d %s", code, text)
	}
	o.want([]string{`"level": "error"`}, "site", "logs", "shop.example", "-o", "json")
	o.want([]string{"mail", "30 4 * * *", "succeeded", "php mail.php"}, "site", "cron", "list", "shop.example")
	o.want([]string{"Made"}, "site", "cron", "create", "shop.example", "report", "--schedule", "@daily", "--", "php", "report.php", "--all")
	o.want([]string{"php report.php --all"}, "site", "cron", "list", "shop.example")
	o.want([]string{`"suspended": true`, `"report.php"`}, "site", "cron", "set", "shop.example", "report", "--suspend", "-o", "json")
	o.want([]string{"asked for"}, "site", "cron", "run", "shop.example", "mail")
	o.want([]string{"42 mails sent"}, "site", "cron", "output", "shop.example", "mail")
	o.refused(2, "--yes", "site", "cron", "delete", "shop.example", "report")
	o.want([]string{"Deleted"}, "site", "cron", "delete", "shop.example", "report", "--yes")
	if code, text := o.run("", "site", "cron", "create", "shop.example", "x", "--schedule", "often", "--shell", "true"); code != 2 || !strings.Contains(text, "is no schedule") {
		t.Errorf("a bad schedule = %d %s", code, text)
	}
}

func TestNodesAndCompaniesFromATerminal(t *testing.T) {
	o := newOffice(t)
	o.street()
	o.want([]string{"worker-1", "ready"}, "node", "list")
	o.want([]string{"being drained"}, "node", "drain", "worker-1", "--reason", "a new disk")
	o.want([]string{"being drained", "jo.example"}, "node", "show", "worker-1")
	o.want([]string{"takes new pods again"}, "node", "uncordon", "worker-1")
	o.want([]string{"https://panel.example/"}, "company", "create", "Works", "--issuer", "https://login.works.example", "--client-id", "panel", "--domain", "works.example")
	o.want([]string{"Works", "works.example", "nobody"}, "company", "list")
	o.want([]string{"Changed the company Works."}, "company", "change", "Works", "--domain", "works.example,works.test", "--role", "collaborator")
	o.want([]string{"works.example,works.test", "collaborator", "https://login.works.example"}, "company", "list")
	if code, text := o.run("", "company", "change", "Works"); code != 2 || !strings.Contains(text, "nothing to do") {
		t.Errorf("a change of nothing = %d %s", code, text)
	}
	o.want([]string{"Nobody signs in by Works"}, "company", "delete", "Works", "--yes")
	o.want([]string{"takes no new pods"}, "node", "cordon", "worker-1")
}

func TestApplicationsFromATerminal(t *testing.T) {
	o := newOffice(t)
	o.want(nil, "login", o.url, "--ca-file", o.ca)
	first := o.want([]string{"shown this once"}, "application", "create", "Grafana", "--redirect", "https://grafana.example/login")
	o.want([]string{"Grafana", "administrator", "https://grafana.example/login"}, "application", "list")
	o.want([]string{"Changed the application Plots."}, "application", "change", "Grafana", "--name", "Plots", "--role", "customer", "--role", "reseller")
	if text := o.want([]string{"Plots", "reseller,customer", "https://grafana.example/login"}, "application", "list"); strings.Contains(text, "Grafana") {
		t.Errorf("the former name is still there: %s", text)
	}
	lines := strings.Split(strings.TrimSpace(first), "\n")
	o.want(nil, "application", "change", "Plots", "--inside", "--logout", "http://plots.tools.svc/logout")
	o.want(nil, "application", "change", "Plots", "--role", "customer")
	o.want([]string{`"logout": "http://plots.tools.svc/logout"`, `"inside": true`}, "application", "list", "-o", "json")
	o.refused(2, "write a whole address", "application", "change", "Plots", "--inside=false")
	if second := o.want([]string{"shown this once"}, "application", "secret", "Plots", "--yes"); strings.Contains(second, lines[len(lines)-1]) {
		t.Error("another secret is the same one")
	}
	if text := o.want(nil, "application", "list", "-o", "json"); strings.Contains(text, "secret") {
		t.Errorf("a list has secrets: %s", text)
	}
	o.want([]string{"Nobody signs in to Plots"}, "application", "delete", "Plots", "--yes")
	o.want([]string{"has no secret"}, "application", "create", "deployer", "--public", "--redirect", "http://127.0.0.1/done")
	if code, text := o.run("", "application", "delete", "Plots", "--yes"); code != 1 || !strings.Contains(text, "kubepanel application list") {
		t.Errorf("deleting what is not there = %d %s", code, text)
	}
}

func TestAPanelsSettingsFromATerminal(t *testing.T) {
	o := newOffice(t)
	o.want(nil, "login", o.url, "--ca-file", o.ca)
	here := t.TempDir()
	o.want([]string{"the panel's own"}, "settings", "show")
	o.want([]string{"The panel is changed"}, "settings", "set", "--name", "Example Hosting", "--light", "#0b6b3a", "--dark", "#6fd39b", "--first-steps-away")
	o.want([]string{"Example Hosting", "#0b6b3a in the light theme", "put away"}, "settings", "show")
	o.want([]string{`"name": "Example Hosting"`, `"light": ""`, `"firstStepsAway": false`}, "settings", "set", "--light", "", "--dark=", "--first-steps-away=false", "-o", "json")
	var picture bytes.Buffer
	o.must(png.Encode(&picture, image.NewGray(image.Rect(0, 0, 9, 9))))
	file, copied := filepath.Join(here, "logo.png"), filepath.Join(here, "copy.png")
	o.must(os.WriteFile(file, picture.Bytes(), 0o600))
	o.want([]string{"has that logo now"}, "settings", "logo", "set", file)
	o.want([]string{"Fetched"}, "settings", "logo", "get", copied)
	if _, kind, err := image.DecodeConfig(strings.NewReader(o.file(copied))); err != nil || kind != "png" {
		t.Errorf("the logo that came is a %q: %v", kind, err)
	}
	o.want([]string{"no logo of yours"}, "settings", "logo", "remove")
	if code, text := o.run("", "settings", "logo", "get", copied); code != 1 || !strings.Contains(text, "has no logo") {
		t.Errorf("fetching no logo = %d %s", code, text)
	}
	if code, text := o.run("", "settings", "set", "--light", "#ffffff", "--dark", "#000000"); code != 2 || !strings.Contains(text, "light") {
		t.Errorf("colours that can't be read in = %d %s", code, text)
	}
}

// Whoever is signed in to a panel speaks to it about sites, and says so when the cluster
// is meant.
func TestSitesThroughAPanel(t *testing.T) {
	o := newOffice(t)
	_, cluster := o.street()
	o.want([]string{"shop.example", "live", "Boss", "https://shop.example"}, "site", "list")
	for _, like := range [][]string{{"--state", "live"}, {"--runtime", "php"}, {"--state", "live", "--runtime", "php:8.4"}} {
		o.want([]string{"shop.example"}, append([]string{"site", "list"}, like...)...)
	}
	for _, unlike := range [][]string{{"--state", "stalled"}, {"--runtime", "python"}, {"--runtime", "php:8"}, {"--state", "live", "--runtime", "static"}} {
		if text := o.want([]string{"No site is like that. See all with: kubepanel site list"}, append([]string{"site", "list"}, unlike...)...); strings.Contains(text, "shop.example") {
			t.Errorf("site list %v = %s, which has a site", unlike, text)
		}
	}
	if text := o.want(nil, "site", "list", "--state", "stalled", "-o", "json"); strings.TrimSpace(text) != "[]" {
		t.Errorf("site list --state stalled -o json = %s, want an empty list", text)
	}
	o.refused(2, "--state \"happy\" is none of creating, live", "site", "list", "--state", "happy")
	if text := o.want(nil, "site", "list", "-o", "name"); text != "shop.example\n" {
		t.Errorf("the names are %q", text)
	}
	o.want([]string{"shop.example: live", "✓ namespace", "1700Mi used"}, "site", "show", "shop.example")
	if text := o.want(nil, "site", "password", "shop.example"); text != "password of dom-shop.example/sftp-credentials\n" {
		t.Errorf("the password is %q", text)
	}
	o.want([]string{"is being created", "kubepanel site wait xn--mller-kva.example"}, "site", "create", "Müller.example", "--php", "8.4")
	cluster.Finish("xn--mller-kva.example", time.Now())
	o.want([]string{"müller.example is live", "https://xn--mller-kva.example"}, "site", "wait", "müller.example", "--timeout", "1m")
	o.want([]string{"Made the account"}, "user", "create", "jo@shop.example", "--name", "Jo", "--role", "administrator")
	o.want([]string{"is being created"}, "site", "create", "jo.example", "--owner", "jo@shop.example")
	o.want([]string{"jo.example", "Jo"}, "site", "list")
	if code, text := o.run("# keys\nTOKEN=hunter2\nDEBUG=1\n", "site", "create", "env.example", "--env", "DEBUG=0", "--env-file", "-", "-o", "json"); code != 0 || !strings.Contains(text, `"TOKEN"`) || strings.Contains(text, "hunter") {
		t.Errorf("making a site with variables = %d %s", code, text)
	}
	d, err := cluster.Domain(t.Context(), "env.example")
	o.must(err)
	if env := d.Spec.Workload.Env; len(env) != 2 || env[0].Value != "0" || env[1].Value != "hunter2" {
		t.Errorf("the variables are %v, want the file's, and DEBUG as the line has it", env)
	}
	if code, text := o.run("A=1\nhunter2\n", "site", "set", "env.example", "--env-file", "-"); code != 2 || !strings.Contains(text, "line 2") || strings.Contains(text, "hunter") {
		t.Errorf("a file that has no variables = %d %s", code, text)
	}
	if code, text := o.run("DEBUG=\n", "site", "set", "env.example", "--env-file", "-"); code != 0 || !strings.Contains(text, "is being changed") {
		t.Errorf("a file of variables = %d %s", code, text)
	}
	o.want([]string{"good once and for a minute", "https://panel.example/visit#"}, "database", "visit", "shop.example")
	o.want([]string{"Nothing was measured"}, "site", "usage", "shop.example")
	o.want([]string{"is being changed"}, "site", "set", "shop.example", "--storage", "6Gi")
	o.want([]string{"is being changed"}, "site", "set", "shop.example", "--env", "API_KEY=hunter2", "--env", "DEBUG=1", "--yes")
	o.want([]string{`"variables": [`, `"API_KEY"`}, "site", "show", "shop.example", "-o", "json")
	o.want([]string{"is being changed"}, "site", "set", "shop.example", "--command", "php", "--command", "serve.php", "--args", "--verbose", "--image", "registry.example/php:8.4", "--preferred-node", "node-2", "--yes")
	o.want([]string{"php serve.php --verbose", "registry.example/php:8.4", "preferably node-2"}, "site", "show", "shop.example")
	o.want([]string{"is being changed"}, "site", "set", "shop.example", "--command", "", "--image", "", "--preferred-node", "", "--yes")
	o.want([]string{`"command": []`, `"args": [`}, "site", "show", "shop.example", "-o", "json")
	o.want([]string{"is being created"}, "site", "create", "listens.example", "--runtime", "python")
	o.want([]string{"is being changed"}, "site", "set", "listens.example", "--port", "3000", "--proxy-mode", "uwsgi", "--yes")
	o.want([]string{"3000, uwsgi"}, "site", "show", "listens.example")
	o.want([]string{"is being changed"}, "site", "set", "listens.example", "--port", "", "--proxy-mode", "", "--yes")
	o.want([]string{`"port": 8000`, `"proxyMode": "http"`}, "site", "show", "listens.example", "-o", "json")
	if code, text := o.run("", "site", "set", "listens.example", "--port", "web"); code == 0 || !strings.Contains(text, "is no port") {
		t.Errorf("a port that is none = %d %s", code, text)
	}
	o.want([]string{`"storage": "6Gi"`}, "site", "show", "shop.example", "-o", "json")
	o.want([]string{"Nothing would change"}, "site", "plan", "shop.example", "--storage", "7Gi")
	o.want([]string{"is being restarted"}, "site", "restart", "shop.example")
	o.want([]string{"gets another password", "ten minutes"}, "database", "renew-password", "shop.example")
	o.want([]string{"would be deleted", "from then on"}, "site", "plan", "shop.example", "--delete")
	o.want([]string{"all its files", "Nothing was deleted"}, "site", "delete", "shop.example", "--dry-run")
	if text := o.want([]string{"shop.example: "}, "site", "show", "shop.example"); strings.Contains(text, "deleting") {
		t.Errorf("a dry run deletes: %s", text)
	}
	if code, text := o.run("no\n", "site", "delete", "shop.example"); code != 2 || !strings.Contains(text, "--yes") {
		t.Errorf("deleting without a word = %d %s", code, text)
	}
	o.want([]string{"is being deleted"}, "site", "delete", "shop.example", "--yes")
	cluster.Forget("shop.example")
	o.must(o.rules.Settle(t.Context()))
	o.want([]string{"is gone"}, "site", "wait", "shop.example", "--for", "deleted", "--timeout", "1m")
	for line, says := range map[string]string{
		"site purge-cache jo.example":               "has no page cache",
		"site create shop.example --storage plenty": "not a size",
	} {
		if code, text := o.run("", strings.Fields(line)...); code != 2 || !strings.Contains(text, says) {
			t.Errorf("kubepanel %s = %d %s, want %q", line, code, text, says)
		}
	}
	opened := false
	o.open = func(Target) (Cluster, error) {
		opened = true
		return newFake(t), nil
	}
	for _, flag := range []string{"--cluster", "--context=here", "--kubeconfig=there"} {
		opened = false
		if o.want(nil, "site", "list", flag); !opened {
			t.Errorf("site list %s asks the panel", flag)
		}
	}
	opened = false
	if o.want(nil, "site", "list"); opened {
		t.Error("site list asks the cluster although somebody is signed in to a panel")
	}
	o.want(nil, "logout")
	if o.want(nil, "site", "list"); !opened {
		t.Error("site list asks no cluster although nobody is signed in")
	}
}
