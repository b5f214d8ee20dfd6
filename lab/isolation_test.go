package lab

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// TestASiteCannotReachAnother tries, from inside the pod of one site, what a
// customer who turned bad would try on another. Every try that must fail has a
// twin that must succeed, so that a broken probe is not taken for a good wall.
func TestASiteCannotReachAnother(t *testing.T) {
	t.Parallel()
	c := openCluster(t)
	victim := c.newSite(t, "victim.localhost")
	thief := c.newSite(t, "thief.localhost")

	t.Run("files", func(t *testing.T) { checkFiles(t, victim, thief) })
	t.Run("database", func(t *testing.T) { checkDatabase(t, victim, thief) })
	t.Run("network", func(t *testing.T) { checkNetwork(t, victim, thief) })
	t.Run("process", func(t *testing.T) { checkProcess(t, thief) })
	t.Run("pod", func(t *testing.T) { checkPod(t, thief) })
	t.Run("namespace", func(t *testing.T) { checkNamespace(t, thief) })
}

// checkFiles looks for the other's file by name in everything that can be read.
func checkFiles(t *testing.T, victim, thief site) {
	const name = "diary-of-the-victim.txt"
	victim.put(t, name, "secret")
	const search = `<?php
$hits = 0;
$all = new RecursiveIteratorIterator(new RecursiveCallbackFilterIterator(
	new RecursiveDirectoryIterator('/', FilesystemIterator::SKIP_DOTS),
	fn($file) => !in_array($file->getPathname(), ['/proc', '/sys'])),
	RecursiveIteratorIterator::LEAVES_ONLY, RecursiveIteratorIterator::CATCH_GET_CHILD);
foreach ($all as $file) if ($file->getFilename() === $argv[1]) $hits++;
foreach (glob('/proc/[0-9]*/root/var/www/html/' . $argv[1]) as $path) $hits++;
echo $hits;`
	if got := victim.php(t, search, name); got == "0" {
		t.Error("the search does not even find the file in its own pod")
	}
	if got := thief.php(t, search, name); got != "0" {
		t.Errorf("the other site's file is found %s times", got)
	}
}

// checkDatabase uses the thief's own account, which is all he has.
func checkDatabase(t *testing.T, victim, thief site) {
	const script = `<?php
mysqli_report(MYSQLI_REPORT_OFF);
[, $host, $port, $user, $password, $own, $other] = $argv;
$db = mysqli_connect($host, $user, $password, $own, (int) $port) ?: exit('connect: ' . mysqli_connect_error());
$try = fn($sql) => $db->query($sql) ? 'yes' : 'no';
$seen = array_column($db->query('SHOW DATABASES')->fetch_all(), 0);
echo json_encode([
	'own: create a table' => $try('CREATE TABLE IF NOT EXISTS mine (a INT)'),
	'other: use' => $try("USE ` + "`$other`" + `"),
	'other: read' => $try("SELECT * FROM ` + "`$other`" + `.diary"),
	'other: write' => $try("CREATE TABLE ` + "`$other`" + `.planted (a INT)"),
	'other: see' => in_array($other, $seen) ? 'yes' : 'no',
	'server: accounts' => $try('SELECT * FROM mysql.user'),
	'server: make an account' => $try('CREATE USER planted'),
	'server: read files' => $db->query("SELECT LOAD_FILE('/run/secrets/mariadb-auth/password')")->fetch_row()[0] ?? null ? 'yes' : 'no',
	'server: write files' => $try("SELECT 1 INTO OUTFILE '/tmp/planted'"),
	'root: without a password' => @mysqli_connect($host, 'root', '', '', (int) $port) ? 'yes' : 'no',
	'root: with his own password' => @mysqli_connect($host, 'root', $password, '', (int) $port) ? 'yes' : 'no',
	'operator: without a password' => @mysqli_connect($host, 'kubepanel-operator', '', '', (int) $port) ? 'yes' : 'no',
]);`
	victims := victim.secret(t, "db-credentials")
	victim.mariadb(t, fmt.Sprintf("CREATE TABLE IF NOT EXISTS `%s`.diary (entry TEXT)", victims["database"]))
	own := thief.secret(t, "db-credentials")
	out := thief.php(t, script, own["host"], own["port"], own["username"], own["password"], own["database"], victims["database"])
	var got map[string]string
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatalf("the tries ended early: %s", out)
	}
	for _, try := range slices.Sorted(maps.Keys(got)) {
		if may := strings.HasPrefix(try, "own:"); (got[try] == "yes") != may {
			t.Errorf("%s: %s", try, got[try])
		}
	}
}

// checkProcess looks at the rights of the site's program from within.
func checkProcess(t *testing.T, s site) {
	const script = `<?php
preg_match_all('/^(Uid|Gid|CapEff|CapBnd|CapPrm|NoNewPrivs|Seccomp):\s*(.*)$/m', file_get_contents('/proc/self/status'), $m);
$found = array_combine($m[1], $m[2]);
$found['uid_map'] = preg_replace('/\s+/', ' ', trim(file_get_contents('/proc/self/uid_map')));
$found['token'] = file_exists('/var/run/secrets/kubernetes.io') ? 'yes' : 'no';
foreach (['/', '/etc', '/usr/bin', '/etc/kubepanel/app', '/etc/kubepanel/database'] as $dir)
	if (@file_put_contents("$dir/planted", 'x') !== false) $found['writable'] = ($found['writable'] ?? '') . " $dir";
foreach (['/tmp', '/var/www/html'] as $dir)
	if (@file_put_contents("$dir/allowed", 'x') === false) $found['not writable'] = ($found['not writable'] ?? '') . " $dir";
echo json_encode($found);`
	var got map[string]string
	if err := json.Unmarshal([]byte(s.php(t, script)), &got); err != nil {
		t.Fatal(err)
	}
	none := strings.Repeat("0", 16)
	for field, want := range map[string]string{
		"Uid": "10000\t10000\t10000\t10000", "Gid": "10000\t10000\t10000\t10000",
		"CapEff": none, "CapBnd": none, "CapPrm": none, "NoNewPrivs": "1", "Seccomp": "2",
		"token": "no", "writable": "", "not writable": "",
	} {
		if got[field] != want {
			t.Errorf("%s = %q, want %q", field, got[field], want)
		}
	}
	if s.settings.UserNamespaces && strings.HasPrefix(got["uid_map"], "0 0 ") {
		t.Errorf("uid_map = %q: users of the pod are users of the node", got["uid_map"])
	}
}

// checkPod reads what the pod was given, containers without a shell included.
func checkPod(t *testing.T, s site) {
	pod := s.pod(t)
	if token := pod.Spec.AutomountServiceAccountToken; token == nil || *token {
		t.Error("the pod gets a service-account token")
	}
	if s.settings.UserNamespaces && (pod.Spec.HostUsers == nil || *pod.Spec.HostUsers) {
		t.Error("the pod has no user namespace")
	}
	for _, container := range slices.Concat(pod.Spec.InitContainers, pod.Spec.Containers) {
		if fault := faultOfContainer(pod, container); fault != "" {
			t.Errorf("container %s: %s", container.Name, fault)
		}
	}
	for _, volume := range pod.Spec.Volumes {
		if volume.HostPath != nil {
			t.Errorf("volume %s is a path of the node: %s", volume.Name, volume.HostPath.Path)
		}
	}
}

func faultOfContainer(pod *corev1.Pod, container corev1.Container) string {
	sc := container.SecurityContext
	switch {
	case sc == nil:
		return "has no security context"
	case sc.AllowPrivilegeEscalation == nil || *sc.AllowPrivilegeEscalation:
		return "may gain rights"
	case sc.ReadOnlyRootFilesystem == nil || !*sc.ReadOnlyRootFilesystem:
		return "may write into its image"
	case sc.Capabilities == nil || !slices.Contains(sc.Capabilities.Drop, "ALL") || len(sc.Capabilities.Add) > 0:
		return "keeps capabilities"
	case container.Resources.Limits.Memory().IsZero():
		return "has no memory limit"
	}
	for _, port := range container.Ports {
		if port.HostPort != 0 {
			return fmt.Sprintf("takes port %d of the node", port.HostPort)
		}
	}
	if pod.Spec.SecurityContext == nil || pod.Spec.SecurityContext.SeccompProfile == nil ||
		pod.Spec.SecurityContext.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault {
		return "its pod has no seccomp profile"
	}
	return ""
}

// checkNamespace asks the API server to refuse what Pod Security 'restricted'
// refuses, and reads the quota.
func checkNamespace(t *testing.T, s site) {
	namespace := s.namespace(t)
	root := int64(0)
	bad := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "planted"},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{
			Name: "root", Image: "example.invalid/x", SecurityContext: &corev1.SecurityContext{RunAsUser: &root},
		}}},
	}
	if err := s.Create(t.Context(), bad, client.DryRunAll); !apierrors.IsForbidden(err) {
		t.Errorf("a pod that runs as root: %v, want Forbidden", err)
	}
	unbounded := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "unbounded"},
		Spec: corev1.PodSpec{
			SecurityContext: &corev1.PodSecurityContext{RunAsNonRoot: ptr.To(true), SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault}},
			Containers: []corev1.Container{{
				Name: "all", Image: "example.invalid/x", SecurityContext: &corev1.SecurityContext{
					AllowPrivilegeEscalation: ptr.To(false), Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
				},
			}},
		},
	}
	if err := s.Create(t.Context(), unbounded, client.DryRunAll); !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "must specify limits") {
		t.Errorf("a pod without limits: %v, want Forbidden, for it must specify limits", err)
	}
	var quotas corev1.ResourceQuotaList
	if err := s.List(t.Context(), &quotas, client.InNamespace(namespace)); err != nil || len(quotas.Items) != 1 {
		t.Fatalf("the namespace has %d quotas (%v), want one", len(quotas.Items), err)
	}
	// One pod of the site takes all, so that a second one gets nothing beside it.
	for _, what := range []corev1.ResourceName{corev1.ResourceLimitsCPU, corev1.ResourceLimitsMemory, corev1.ResourceLimitsEphemeralStorage} {
		hard, used := quotas.Items[0].Status.Hard[what], quotas.Items[0].Status.Used[what]
		if hard.IsZero() || used.Cmp(hard) != 0 {
			t.Errorf("%s of %s of %s are taken, want all", used.String(), hard.String(), what)
		}
	}
}
