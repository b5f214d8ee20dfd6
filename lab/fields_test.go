package lab

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// effect is what a change may cost.
type effect int

const (
	// unnoticed: the same pod, and no request of a visitor fails.
	unnoticed effect = iota
	// samePod: its program starts anew, or has nothing to answer with yet.
	samePod
	// anotherPod takes the place of the first; visitors wait for it.
	anotherPod
	// noPod is left.
	noPod
)

// fieldChange is one change that a customer makes to a running site.
type fieldChange struct {
	name   string
	fields []string // the paths that edit changes
	edit   func(*v1alpha1.DomainSpec)
	effect effect
	// seen looks at what came of it once the site is Ready again, and does what is to
	// be done where edit is nil.
	seen func(testing.TB, tour)
}

// place is what changes need to know of where they are made.
type place struct {
	node, image, otherImage, key string
	shell                        bool
}

// somewhere stands for a cluster where changes are only looked at.
var somewhere = place{node: "node", image: "php:8.4", otherImage: "php:8.2", key: "ssh-ed25519 AAAA", shell: true}

// fieldChanges is the journey: each change is made on top of those before it.
func fieldChanges(p place) []fieldChange {
	return slices.Concat(nameChanges(), webChanges(), cacheChanges(), accessChanges(p), cronChanges(), programChanges(p))
}

// tour is a customer with the site that he changes.
type tour struct {
	site
	visitor visitor
	sftp    sftpClient
	keys    string // folder with a key pair of his own
}

const (
	probePage = `<?php header('Content-Type: text/plain');
foreach (['memory_limit', 'user_agent', 'default_socket_timeout'] as $name) echo $name, '=', ini_get($name), "\n";
echo 'zone=', date_default_timezone_get(), "\nversion=", PHP_MAJOR_VERSION, '.', PHP_MINOR_VERSION, "\ncolour=", getenv('COLOUR'), "\n";`
	clockPage    = `<?php header('Content-Type: text/plain'); echo hrtime(true);`
	databasePage = `<?php mysqli_report(MYSQLI_REPORT_OFF);
$of = fn($key) => trim((string) @file_get_contents("/etc/kubepanel/database/$key"));
$db = mysqli_init();
$db->options(MYSQLI_OPT_CONNECT_TIMEOUT, 2);
if (!@$db->real_connect($of('host'), $of('username'), $of('password'), $of('database'), (int) $of('port'))) exit('rows=none');
$db->query('CREATE TABLE IF NOT EXISTS kept (n INT)');
if (isset($_GET['add'])) $db->query('INSERT INTO kept SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM kept)');
echo 'rows=', $db->query('SELECT COUNT(*) FROM kept')->fetch_row()[0];`
	redisPage = `<?php try { $r = new Redis; $r->connect('/run/kubepanel/redis.sock'); $r->set('a', 'kept'); echo 'redis=', $r->get('a'); }
catch (RedisException $e) { echo 'redis=none'; }`
)

// TestEveryFieldChangesOnARunningSite changes one field after the other. What needs
// no restart must not cause one, nor cost one visitor his answer.
func TestEveryFieldChangesOnARunningSite(t *testing.T) {
	c := openCluster(t)
	s := c.newSite(t, "fields.localhost", "--php", "8.4", "--storage", "1Gi", "--cpu", "1000m", "--memory", "768Mi", "--no-database")
	steadyPage := `<?php echo 'steady';`
	s.deposit(t, map[string]string{
		"steady.php": steadyPage, "probe.php": probePage, "clock.php": clockPage, "fresh.php": clockPage,
		"database.php": databasePage, "redis.php": redisPage, "where.txt": "at the top",
		"public/steady.php": steadyPage, "public/where.txt": "in public",
	})
	tr := tour{site: s, visitor: c.newVisitor(t, "127.0.0.41"), sftp: s.newSFTPClient(t), keys: t.TempDir()}
	php := c.settings.Runtimes["php"].Versions
	changes := fieldChanges(place{
		node: c.node, key: tr.makeKey(t), image: php["8.4"].Image, otherImage: php["8.2"].Image,
		shell: c.settings.Images.ToolboxGit != "",
	})
	steady := c.newVisitor(t, "127.0.0.42").steadily(t, s.url()+"/steady.php", "steady")
	var took strings.Builder
	for _, f := range changes {
		t.Run(f.name, func(t *testing.T) {
			before := s.pods(t)
			steady.report()
			started := time.Now()
			tr.make(t, f)
			ready := time.Since(started)
			f.seen(t, tr)
			fmt.Fprintf(&took, "  %-40s Ready after %6.2f s, seen after %6.2f s\n", f.name, ready.Seconds(), time.Since(started).Seconds())
			f.check(t, before, tr, steady.report())
		})
	}
	t.Logf("changes of a running site:\n%s", took.String())
}

// makeKey makes the customer's own key pair and returns its public line.
func (tr tour) makeKey(t testing.TB) string {
	t.Helper()
	file := filepath.Join(tr.keys, "key")
	if out, err := exec.CommandContext(t.Context(), "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "own@laptop", "-f", file).CombinedOutput(); err != nil {
		t.Fatalf("ssh-keygen: %v\n%s", err, out)
	}
	line, err := os.ReadFile(file + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(line))
}

// make makes a change and waits until the site says that it is in force.
func (tr tour) make(t *testing.T, f fieldChange) {
	t.Helper()
	if f.edit == nil {
		return
	}
	tr.change(t, func(d *v1alpha1.Domain) { f.edit(&d.Spec) })
	status := metav1.ConditionTrue
	if f.effect == noPod {
		status = metav1.ConditionFalse
	}
	tr.becomes(t, v1alpha1.ConditionReady, status, installLimit)
}

// check compares what the change cost with what it may cost.
func (f fieldChange) check(t *testing.T, before []corev1.Pod, tr tour, met visits) {
	t.Helper()
	if f.effect == noPod {
		// Kubernetes ends it on its own, a moment after visitors are told.
		eventually(t, "the pod ends", settleLimit, func(context.Context) error {
			if left := tr.pods(t); len(left) > 0 {
				return fmt.Errorf("there are still %v", identities(left))
			}
			return nil
		})
		return
	}
	after := tr.pods(t)
	same := slices.Equal(identities(before), identities(after))
	switch {
	case f.effect == anotherPod && same:
		t.Errorf("the pod stayed: %v", identities(after))
	case (f.effect == unnoticed || f.effect == samePod) && !same:
		t.Errorf("pods %v became %v: a change of %v must not restart anything", identities(before), identities(after), f.fields)
	}
	if f.effect == unnoticed && (len(met.failed) > 0 || met.asked == 0) {
		t.Errorf("a visitor noticed: %s", met)
	}
}

// identities are the pods with each container's count of restarts.
func identities(pods []corev1.Pod) []string {
	var all []string
	for i := range pods {
		text := fmt.Sprintf("%s (%s)", pods[i].Name, pods[i].UID)
		for _, status := range pods[i].Status.ContainerStatuses {
			text += fmt.Sprintf(" %s:%d", status.Name, status.RestartCount)
		}
		all = append(all, text)
	}
	slices.Sort(all)
	return all
}

// pods are all that the site has and that are not leaving.
func (s site) pods(t testing.TB) []corev1.Pod {
	t.Helper()
	var list corev1.PodList
	if err := s.List(t.Context(), &list, client.InNamespace(s.namespace(t))); err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(list.Items, func(p corev1.Pod) bool { return p.DeletionTimestamp != nil })
}

// answers looks once: Ready says that the change is in force.
func answers(path, want string) func(testing.TB, tour) {
	return func(t testing.TB, tr tour) {
		t.Helper()
		if got := tr.visitor.must(t, tr.url()+path).body; !strings.Contains(got, want) {
			t.Errorf("%s says %.300q, want %q", path, got, want)
		}
	}
}

// soon looks until it is so: what edge, network or program take up a little later.
func soon(what string, look func(context.Context, tour) error) func(testing.TB, tour) {
	return func(t testing.TB, tr tour) {
		t.Helper()
		eventually(t, what, settleLimit, func(ctx context.Context) error { return look(ctx, tr) })
	}
}

// shown is answers for what is taken up a little later.
func shown(path, want string) func(testing.TB, tour) {
	return soon(path+" says "+want, func(ctx context.Context, tr tour) error {
		got, err := tr.visitor.get(ctx, tr.url()+path)
		if err == nil && !strings.Contains(got.body, want) {
			err = fmt.Errorf("it says %d %.300q", got.status, got.body)
		}
		return err
	})
}
