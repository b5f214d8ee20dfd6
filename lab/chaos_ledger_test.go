package lab

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// recorder is the program of a site in a fault run: it acknowledges an id only when
// that is in a file and in the database, and lists both.
const recorder = `<?php
mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);
$secret = fn($key) => trim(file_get_contents("/etc/kubepanel/database/$key"));
$db = new mysqli($secret('host'), $secret('username'), $secret('password'), $secret('database'), (int) $secret('port'));
$db->query('CREATE TABLE IF NOT EXISTS records (id VARCHAR(64) PRIMARY KEY) ENGINE=InnoDB');
$folder = __DIR__ . '/records';
is_dir($folder) || mkdir($folder);
header('Content-Type: text/plain');
if ($_SERVER['REQUEST_METHOD'] === 'POST') {
    $id = preg_match('/^[a-z0-9-]{1,64}$/', $_GET['id']) ? $_GET['id'] : exit('bad id');
    $file = fopen("$folder/.$id", 'w');
    fwrite($file, $id) && fflush($file) && fsync($file) && fclose($file) && rename("$folder/.$id", "$folder/$id") || exit('not written');
    $row = $db->prepare('INSERT IGNORE INTO records VALUES (?)');
    $row->execute([$id]);
    echo "stored $id";
    exit;
}
foreach (glob("$folder/*") as $path) echo 'file ', file_get_contents($path), "\n";
foreach ($db->query('SELECT id FROM records') as $row) echo 'row ', $row['id'], "\n";
`

// ledger is what is known of one site of a fault run from outside.
type ledger struct {
	site

	mu     sync.Mutex
	wanted bool
	// folder of its volume on the node, "" when volumes are not folders there.
	folder string
	// stored are the ids that the site acknowledged.
	stored     []string
	ok, failed int
	// answered is when it last did, longest the longest time between two answers with
	// failures between them.
	answered, failing time.Time
	longest           time.Duration
}

// write asks the site to store an id, and remembers whether it said that it did.
func (l *ledger) write(ctx context.Context, v visitor, id string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, l.url()+"/?id="+id, nil)
	if err != nil {
		return err
	}
	got, err := v.do(request)
	if err == nil && (got.status != http.StatusOK || got.body != "stored "+id) {
		err = fmt.Errorf("%s answers %d %.100q", l.name, got.status, got.body)
	}
	if ctx.Err() != nil && err != nil {
		return err // we went away, not the site
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if err != nil {
		l.failed++
		if l.failing.IsZero() {
			l.failing = now
		}
		return err
	}
	l.ok++
	if !l.failing.IsZero() && !l.answered.IsZero() {
		l.longest = max(l.longest, now.Sub(l.answered))
	}
	l.answered, l.failing = now, time.Time{}
	l.stored = append(l.stored, id)
	return nil
}

// verify reads everything back. It returns how many writes were acknowledged; the
// error names one that is lost.
func (l *ledger) verify(ctx context.Context, v visitor) (int, error) {
	got, err := v.get(ctx, l.url()+"/")
	if err != nil {
		return 0, err
	}
	if got.status != http.StatusOK {
		return 0, fmt.Errorf("%s answers %d %.200q", l.name, got.status, got.body)
	}
	have := map[string]bool{}
	for _, line := range lines(got.body) {
		have[line] = true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, id := range l.stored {
		for _, of := range []string{"file ", "row "} {
			if !have[of+id] {
				return 0, &lost{fmt.Sprintf("%s lost the %s%s of %d that it acknowledged", l.name, of, id, len(l.stored))}
			}
		}
	}
	return len(l.stored), nil
}

// lost is the one thing that no waiting mends.
type lost struct{ what string }

func (l *lost) Error() string { return l.what }

// install puts the recorder into the site's document root and notes where that is.
func (l *ledger) install(ctx context.Context) error {
	d, err := l.domain(ctx)
	if err != nil {
		return err
	}
	pod, err := l.runningPod(ctx, d.Status.Namespace, nil)
	if err != nil {
		return err
	}
	const put = `file_put_contents('/var/www/html/index.php', stream_get_contents(STDIN)) > 1000 || exit(1);`
	if _, err := l.execute(ctx, pod, "app", strings.NewReader(recorder), "php", "-r", put); err != nil {
		return err
	}
	return l.find(ctx, d.Status.Namespace)
}

// find notes the folder of the site's volume.
func (l *ledger) find(ctx context.Context, namespace string) error {
	var claim corev1.PersistentVolumeClaim
	if err := l.Get(ctx, client.ObjectKey{Namespace: namespace, Name: "data"}, &claim); err != nil {
		return err
	}
	var volume corev1.PersistentVolume
	if err := l.Get(ctx, client.ObjectKey{Name: claim.Spec.VolumeName}, &volume); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.folder = folderOf(&volume)
	return nil
}

// emptied tells whether the folder of a deleted site is gone.
func (l *ledger) emptied() error {
	if l.folder == "" {
		return nil
	}
	all, err := processes()
	if err != nil {
		return err
	}
	node, err := l.nodeProcess(all, "kubelet")
	if err != nil {
		return err
	}
	path := fmt.Sprintf("/proc/%d/root%s", node.pid, l.folder)
	if _, err := os.Stat(filepath.Dir(path)); err != nil {
		return err // a look at the wrong place would find nothing too
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return stillThere("folder "+path, err)
	}
	return nil
}
