package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// pool is a configuration of PHP-FPM with lines of php.ini.
func (p *pod) pool(ini, custom string) map[string]string {
	return map[string]string{"zz-kubepanel.ini": ini, "zzz-custom.ini": custom, "www.conf": fmt.Sprintf(`
[global]
daemonize = no
pid = %[1]s/php-state/pid
error_log = /proc/self/fd/2
process_control_timeout = 60s
[www]
listen = %[1]s/run/php.sock.fpm
pm = ondemand
pm.max_children = 5
clear_env = no
`, p.dir)}
}

func (p *pod) php(t *testing.T) *container {
	// As in a site's container, for what runs there without the keeper.
	t.Setenv("PHP_INI_SCAN_DIR", ":"+filepath.Join(p.dir, "php"))
	return p.start(t, "php-fpm", "php", "--program="+find(t, "/usr/sbin/php-fpm*"), "--socket="+filepath.Join(p.dir, "run", "php.sock"))
}

// site runs nginx before PHP.
func (p *pod) site(t *testing.T) {
	t.Helper()
	p.publish(t, "nginx", "r0", p.web("r0", ""))
	p.nginx(t).says(t, "r0", "accepted")
	write(t, filepath.Join(p.dir, "www", "limit.php"), `<?php echo ini_get('memory_limit'), ' ', ini_get('user_agent');`)
	// It goes on when the test lets it.
	write(t, filepath.Join(p.dir, "www", "slow.php"), fmt.Sprintf(`<?php touch('%[1]s/run/slow');
while (!file_exists('%[1]s/run/go')) { clearstatcache(); usleep(5000); } echo 'through';`, p.dir))
}

func TestPHPTakesChangesOverAndNoRequestFails(t *testing.T) {
	p := newPod(t)
	p.site(t)
	p.publish(t, "php", "r0", p.pool("memory_limit = 100M", ""))
	c := p.php(t)
	c.says(t, "r0", "accepted")
	p.answers(t, "/limit.php", "100M ")
	done := p.visitor(t, "/limit.php")
	for i := 1; i <= 4; i++ {
		revision := fmt.Sprintf("r%d", i)
		p.publish(t, "php", revision, p.pool(fmt.Sprintf("memory_limit = 10%dM", i), "user_agent = "+revision))
		c.says(t, revision, "accepted")
		p.answers(t, "/limit.php", fmt.Sprintf("10%dM %s", i, revision))
	}
	done()
	p.onlyOneCopy(t, "php")
	if code := c.stop(t, syscall.SIGQUIT); code != 0 {
		t.Errorf("exit code after SIGQUIT = %d, want 0; masters of former configurations may be left", code)
	}
}

// FPM's own reload would let everybody wait for the slowest, or cut it off.
func TestASlowRequestNeitherEndsNorHoldsUpOthers(t *testing.T) {
	p := newPod(t)
	p.site(t)
	p.publish(t, "php", "r0", p.pool("memory_limit = 100M", ""))
	c := p.php(t)
	c.says(t, "r0", "accepted")
	slow := make(chan string, 1)
	go func() {
		body, err := p.get(t.Context(), "/slow.php")
		slow <- fmt.Sprint(body, err)
	}()
	eventually(t, func() error { return exists(filepath.Join(p.dir, "run", "slow")) })
	for _, revision := range []string{"r1", "r2"} {
		p.publish(t, "php", revision, p.pool("memory_limit = 101M", "user_agent = "+revision))
		c.says(t, revision, "accepted")
		p.answers(t, "/limit.php", "101M "+revision)
	}
	write(t, filepath.Join(p.dir, "run", "go"), "")
	if got := <-slow; got != "through<nil>" {
		t.Errorf("the slow request = %s, want it to end well", got)
	}
}

// A former FPM that ends just when the next one has begun takes nothing of it away:
// it used to remove the file by which the keeper sees that the next one is ready.
func TestAFormerPHPThatEndsHoldsUpNoChange(t *testing.T) {
	p := newPod(t)
	p.site(t)
	p.publish(t, "php", "r0", p.pool("memory_limit = 100M", ""))
	c := p.php(t)
	c.says(t, "r0", "accepted")
	slow := make(chan string, 1)
	go func() {
		body, err := p.get(t.Context(), "/slow.php")
		slow <- fmt.Sprint(body, err)
	}()
	eventually(t, func() error { return exists(filepath.Join(p.dir, "run", "slow")) })
	p.publish(t, "php", "r1", p.pool("memory_limit = 101M", ""))
	c.says(t, "r1", "accepted")
	masters := c.fpms()
	p.publish(t, "php", "r2", p.pool("memory_limit = 102M", ""))
	var began []int
	for end := time.Now().Add(patience); len(began) == 0 && time.Now().Before(end); {
		began = slices.DeleteFunc(c.fpms(), func(pid int) bool { return slices.Contains(masters, pid) })
	}
	if len(began) == 0 {
		t.Fatal("no FPM begins with r2")
	}
	// The keeper looks away while the next one gets ready and the first one ends.
	if err := c.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		if got := strings.Count(c.wrote(), "ready to handle connections"); got < 3 {
			return fmt.Errorf("%d have been ready, want 3", got)
		}
		return nil
	})
	write(t, filepath.Join(p.dir, "run", "go"), "")
	eventually(t, func() error {
		if !strings.Contains(c.wrote(), "bye-bye") {
			return errors.New("the first one has not ended")
		}
		return nil
	})
	if err := c.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	c.says(t, "r2", "accepted")
	p.answers(t, "/limit.php", "102M ")
	if got := <-slow; got != "through<nil>" {
		t.Errorf("the slow request = %s, want it to end well", got)
	}
	if strings.Contains(c.wrote(), "Unable to remove the PID file") {
		t.Errorf("log = %s", c.wrote())
	}
}

// fpms are the FPMs that the keeper runs, those that test a configuration left out.
func (c *container) fpms() []int {
	return slices.DeleteFunc(c.children(), func(pid int) bool {
		line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid)) // gone is none
		return !strings.HasPrefix(string(line), "php-fpm: master")
	})
}

func TestBadPHPIsRefusedInItsOwnWords(t *testing.T) {
	p := newPod(t)
	p.site(t)
	p.publish(t, "php", "r0", p.pool("memory_limit = 100M", ""))
	c := p.php(t)
	c.says(t, "r0", "accepted")
	tests := []struct{ name, custom, says string }{
		{"half-read file", "user_agent = half\n[foo\nx = (((", "syntax error, unexpected end of file, expecting ']' in zzz-custom.ini on line 2"},
		{"missing extension", "extension=nope", "Unable to load dynamic library 'nope'"},
	}
	done := p.visitor(t, "/limit.php")
	for i, tt := range tests {
		revision := fmt.Sprintf("bad%d", i)
		p.publish(t, "php", revision, p.pool("memory_limit = 1G", tt.custom))
		if message := c.says(t, revision, "refused"); !strings.Contains(message, tt.says) {
			t.Errorf("%s: message = %q, want %q", tt.name, message, tt.says)
		}
	}
	broken := p.pool("memory_limit = 1G", "")
	broken["www.conf"] += "pm.max_children = many\n"
	p.publish(t, "php", "pool", broken)
	if message := c.says(t, "pool", "refused"); !strings.HasPrefix(message, "ERROR: [www.conf:") {
		t.Errorf("message = %q, want FPM's own", message)
	}
	p.answers(t, "/limit.php", "100M ")
	done()
	p.publish(t, "php", "good", p.pool("memory_limit = 200M", ""))
	c.says(t, "good", "accepted")
	p.answers(t, "/limit.php", "200M ")
}

func TestPHPStartsWithoutACustomPartThatIsBad(t *testing.T) {
	p := newPod(t)
	p.site(t)
	p.publish(t, "php", "r0", p.pool("memory_limit = 100M", "user_agent = half\n[nonsense"))
	p.php(t).says(t, "r0", "refused")
	p.answers(t, "/limit.php", "100M ")
}

// A container that was killed leaves its socket and its process number behind.
func TestPHPComesBackAfterItWasKilled(t *testing.T) {
	p := newPod(t)
	p.site(t)
	p.publish(t, "php", "r0", p.pool("memory_limit = 100M", ""))
	c := p.php(t)
	c.says(t, "r0", "accepted")
	c.kill()
	p.php(t).says(t, "r0", "accepted")
	p.answers(t, "/limit.php", "100M ")
}
