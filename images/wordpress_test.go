package images_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

func need(t *testing.T, programs ...string) {
	t.Helper()
	for _, program := range programs {
		if _, err := exec.LookPath(program); err != nil {
			t.Fatalf("%s is missing: ./bootstrap test installs what tests need", program)
		}
	}
}

func TestPHPFilesAreWellFormed(t *testing.T) {
	need(t, "php")
	for _, name := range []string{"php/wordpress-install.php", "wordpress/object-cache.php", "../internal/toolbox/wordpress/wp-config.php.txt"} {
		if out, err := exec.Command("php", "-l", name).CombinedOutput(); err != nil {
			t.Errorf("php -l %s: %v\n%s", name, err, out)
		}
	}
}

func TestShellScriptsAreWellFormed(t *testing.T) {
	for _, name := range []string{"mariadb/mariadb-start", "mariadb/mariadb-health", "wordpress/unpack.sh"} {
		if out, err := exec.Command("sh", "-n", name).CombinedOutput(); err != nil {
			t.Errorf("sh -n %s: %v\n%s", name, err, out)
		}
	}
}

// TestTheObjectCacheKeepsWordPressesPromises runs the drop-in against a real
// Redis with the image's own configuration, and without any.
func TestTheObjectCacheKeepsWordPressesPromises(t *testing.T) {
	need(t, "php", "redis-server")
	if exec.Command("php", "-r", `exit(class_exists("Redis") ? 0 : 1);`).Run() != nil {
		t.Fatal("php has no Redis: apt-get install php-redis")
	}
	dir := t.TempDir()
	socket := filepath.Join(dir, "redis.sock")
	redis := exec.Command("redis-server", "redis/kubepanel.conf", "--unixsocket", socket, "--dir", dir)
	redis.Stdout, redis.Stderr = os.Stderr, os.Stderr
	if err := redis.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = redis.Process.Kill()
		_ = redis.Wait()
	})
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat(socket); err == nil {
			break
		}
		if time.Now().After(end) {
			t.Fatal("redis-server does not open its socket")
		}
	}
	for name, args := range map[string][]string{
		"Redis answers": {socket},
		"Redis is away": {filepath.Join(dir, "none"), "away"},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command("php", append([]string{"testdata/object-cache.php", "wordpress/object-cache.php"}, args...)...)
			// Where it marks that Redis was away.
			cmd.Env = append(os.Environ(), "TMPDIR="+t.TempDir())
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
