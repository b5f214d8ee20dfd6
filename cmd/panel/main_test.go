package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/kubetest"
	"kubepanel.io/kubepanel/internal/proctest"
)

var cluster *kubetest.Cluster

func TestMain(m *testing.M) { os.Exit(kubetest.Run(m, &cluster)) }

// panelUser has only the rights that the chart gives the panel.
const panelUser = "kubepanel-panel-test"

// limited returns a kubeconfig of panelUser.
func limited(t testing.TB) string {
	t.Helper()
	root, err := kubetest.Root()
	must(t, err)
	data, err := os.ReadFile(filepath.Join(root, "deploy/kubepanel/files/panel-rules.yaml"))
	must(t, err)
	role := rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: panelUser}}
	must(t, yaml.UnmarshalStrict(data, &role.Rules))
	binding := &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: panelUser},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: panelUser},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: panelUser}},
	}
	for _, o := range []client.Object{&role, binding} {
		must(t, client.IgnoreAlreadyExists(cluster.Client.Create(t.Context(), o)))
	}
	text, err := os.ReadFile(cluster.Kubeconfig)
	must(t, err)
	var config map[string]any
	must(t, yaml.Unmarshal(text, &config))
	for _, u := range config["users"].([]any) {
		u.(map[string]any)["user"].(map[string]any)["as"] = panelUser
	}
	text, err = yaml.Marshal(config)
	must(t, err)
	file := filepath.Join(t.TempDir(), "kubeconfig")
	must(t, os.WriteFile(file, text, 0o600))
	return file
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// running is the program with a database of its own and a browser before it.
type running struct {
	t             *testing.T
	at, health    string
	counts        string // the address of its metrics
	ended         chan error
	database, key []string
	cookie        string
}

func start(t *testing.T) *running {
	t.Helper()
	r := launch(t)
	r.ready()
	return r
}

// launch starts the program and waits for nothing.
func launch(t *testing.T, more ...string) *running {
	t.Helper()
	folder := t.TempDir()
	must(t, os.WriteFile(filepath.Join(folder, "key"), bytes.Repeat([]byte{7}, 32), 0o600))
	root, err := kubetest.Root()
	must(t, err)
	r := &running{t: t, at: proctest.Address(t), health: proctest.Address(t), counts: proctest.Address(t), ended: make(chan error, 1),
		database: []string{"--database", "sqlite:" + filepath.Join(t.TempDir(), "panel.db")}, key: []string{"--keys", folder}}
	args := append(append([]string{"serve", "--settings", filepath.Join(root, "api/platform/testdata/platform.yaml"), "--kubeconfig", limited(t),
		"--listen", r.at, "--health-listen", r.health, "--metrics-listen", r.counts, "--url", "https://panel.localhost", "--log-level", "warn"}, r.database...), r.key...)
	args = append(args, more...)
	ctx, stop := context.WithCancel(context.Background())
	go func() {
		cmd := newCommand()
		cmd.SetArgs(args)
		r.ended <- cmd.ExecuteContext(ctx)
	}()
	t.Cleanup(func() {
		stop()
		if err := <-r.ended; err != nil {
			t.Errorf("the program ended with %v", err)
		}
	})
	return r
}

// ready waits until the program says that it is.
func (r *running) ready() {
	t := r.t
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(30 * time.Second); ; {
		if answer, err := http.Get("http://" + r.health + "/readyz"); err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return
			}
		}
		select {
		case <-tick.C:
		case err := <-r.ended:
			t.Fatalf("the program ended with %v", err)
		case <-deadline:
			t.Fatal("not ready within 30 s")
		}
	}
}

// verb runs another verb on the same database, as kubectl exec would.
func (r *running) verb(args ...string) string {
	r.t.Helper()
	var out bytes.Buffer
	cmd := newCommand()
	cmd.SetOut(&out)
	cmd.SetArgs(append(append(args, r.database...), r.key...))
	must(r.t, cmd.ExecuteContext(r.t.Context()))
	return strings.TrimSpace(out.String())
}

// send asks for a page, as a browser behind the edge would.
func (r *running) send(method, path string, form url.Values) (int, string, string) {
	r.t.Helper()
	request, err := http.NewRequestWithContext(r.t.Context(), method, "http://"+r.at+path, strings.NewReader(form.Encode()))
	must(r.t, err)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Cookie", r.cookie)
	answer, err := (&http.Transport{}).RoundTrip(request)
	must(r.t, err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	must(r.t, err)
	for _, c := range answer.Cookies() {
		r.cookie = c.Name + "=" + c.Value
	}
	return answer.StatusCode, answer.Header.Get("Location"), string(body)
}

// The whole program, with the chart's rights on a real API server: from the link of
// the first start to a site in the cluster.
func TestFromTheFirstStartToASite(t *testing.T) {
	r := start(t)
	link := r.verb("link", "--url", "https://panel.localhost")
	before, token, ok := strings.Cut(link, "#")
	if !ok || before != "https://panel.localhost/start" {
		t.Fatalf("panel link = %q, want the page of the first start and a token", link)
	}
	who := url.Values{"code": {"wrong"}, "name": {"Ada"}, "email": {"ada@provider.example"}, "password": {"correct horse battery staple"}}
	if code, _, body := r.send(http.MethodPost, "/start", who); code != http.StatusUnauthorized || !strings.Contains(body, "Ask for another one") {
		t.Fatalf("a wrong code = %d: %.500s", code, body)
	}
	who.Set("code", token)
	if code, to, body := r.send(http.MethodPost, "/start", who); code != http.StatusSeeOther || to != "/enrol" {
		t.Fatalf("the first start = %d to %q: %.2000s", code, to, body)
	}
	if code, to, _ := r.send(http.MethodGet, "/sites", nil); code != http.StatusSeeOther || to != "/enrol?next=%2Fsites" {
		t.Errorf("the sites without a second factor = %d to %q, want the way to one", code, to)
	}
	r.cookie, _ = enrols(t, "http://"+r.at, r.cookie)
	if again := r.verb("link"); again != "" {
		t.Errorf("panel link with an administrator = %q, want nothing", again)
	}
	site := url.Values{"kind": {"php"}, "name": {"first.example"}, "storage": {"5Gi"}, "cpu": {"1000m"}, "memory": {"512Mi"}}
	if code, to, body := r.send(http.MethodPost, "/sites", site); code != http.StatusSeeOther || to != "/sites/first.example" {
		t.Fatalf("a new site = %d to %q: %.3000s", code, to, body)
	}
	// Whoever had the panel's own name would be shown people's passwords.
	site.Set("name", "panel.localhost")
	if code, _, _ := r.send(http.MethodPost, "/sites", site); code != http.StatusUnprocessableEntity && code != http.StatusConflict {
		t.Errorf("a site with the panel's name = %d, want it refused", code)
	}
	d := &v1alpha1.Domain{}
	must(t, cluster.Client.Get(t.Context(), client.ObjectKey{Name: "first.example"}, d))
	if code, _, body := r.send(http.MethodGet, "/sites/first.example", nil); code != http.StatusOK || !strings.Contains(body, "Being made") {
		t.Errorf("the site's page = %d: %.500s", code, body)
	}
	if code, to, body := r.send(http.MethodPost, "/sites/first.example/delete", url.Values{"confirm": {"first.example"}}); code != http.StatusSeeOther {
		t.Errorf("a deletion = %d to %q: %.500s", code, to, body)
	}
	if err := cluster.Client.Get(t.Context(), client.ObjectKey{Name: "first.example"}, d); err != nil || d.DeletionTimestamp.IsZero() {
		t.Errorf("the deleted site's Domain = %v, %v; want it being deleted", d, err)
	}
	must(t, cluster.LetGo(t.Context(), "first.example"))
	r.closesANode()
	if told := r.verb("audit", "verify"); !strings.Contains(told, "none changed and none missing") {
		t.Errorf("panel audit verify = %q", told)
	}
	if told := r.verb("rotate"); told != "0 values are encrypted anew" {
		t.Errorf("panel rotate = %q", told)
	}
	file := filepath.Join(t.TempDir(), "backup.db")
	r.verb("backup", file)
	other := &running{t: t, database: []string{"--database", "sqlite:" + filepath.Join(t.TempDir(), "other.db")}, key: r.key}
	other.verb("restore", file)
	if told := other.verb("audit", "verify"); !strings.Contains(told, "none changed and none missing") {
		t.Errorf("panel audit verify after a restore = %q", told)
	}
	if code, to, _ := r.send(http.MethodPost, "/sign-out", nil); code != http.StatusSeeOther || to != "/sign-in" {
		t.Errorf("sign-out = %d to %q", code, to)
	}
	r.cookie = ""
	if code, to, _ := r.send(http.MethodGet, "/sites", nil); code != http.StatusSeeOther || !strings.HasPrefix(to, "/sign-in") {
		t.Errorf("the list for nobody = %d to %q, want the way to sign in", code, to)
	}
}

// closesANode asks for a node to be drained and opened again, as the chart's rights
// let the panel do it.
func (r *running) closesANode() {
	t := r.t
	t.Helper()
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "closing-1"}}
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "on-it"},
		Spec: corev1.PodSpec{NodeName: node.Name, Containers: []corev1.Container{{Name: "c", Image: "none"}}}}
	for _, o := range []client.Object{node, pod} {
		must(t, cluster.Client.Create(t.Context(), o))
		t.Cleanup(func() {
			must(t, client.IgnoreNotFound(cluster.Client.Delete(context.WithoutCancel(t.Context()), o, client.GracePeriodSeconds(0))))
		})
	}
	m := &v1alpha1.NodeMaintenance{}
	for _, drain := range []string{"", "1"} { // the second changes what was asked
		if code, to, body := r.send(http.MethodPost, "/platform/nodes/closing-1/close", url.Values{"drain": {drain}}); code != http.StatusSeeOther || to != "/platform/nodes/closing-1" {
			t.Fatalf("closing a node = %d to %q: %.2000s", code, to, body)
		}
		must(t, cluster.Client.Get(t.Context(), client.ObjectKey{Name: "closing-1"}, m))
		if m.Spec.Drain != (drain != "") {
			t.Errorf("drain = %v, want what was asked (%q)", m.Spec.Drain, drain)
		}
	}
	if code, _, body := r.send(http.MethodGet, "/platform/nodes/closing-1", nil); code != http.StatusOK || !strings.Contains(body, "on-it") {
		t.Errorf("the node's page = %d: %.2000s", code, body)
	}
	if code, _, body := r.send(http.MethodPost, "/platform/nodes/closing-1/open", nil); code != http.StatusSeeOther {
		t.Errorf("opening a node = %d: %.2000s", code, body)
	}
	if err := cluster.Client.Get(t.Context(), client.ObjectKey{Name: "closing-1"}, m); client.IgnoreNotFound(err) != nil || err == nil {
		t.Errorf("the opened node's maintenance = %v, want none", err)
	}
}

func TestWithoutAKeyTheProgramEnds(t *testing.T) {
	if code := run([]string{"link", "--keys", t.TempDir()}); code != 1 {
		t.Errorf("run without a key = %d, want 1", code)
	}
}
