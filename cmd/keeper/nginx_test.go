package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
)

// web is a configuration of nginx that answers /says itself and everything else
// from PHP.
func (p *pod) web(says, custom string) map[string]string {
	temp := ""
	for _, kind := range []string{"client_body", "fastcgi", "proxy", "uwsgi", "scgi"} {
		temp += fmt.Sprintf("%s_temp_path %s/nginx-state/%s;\n", kind, p.dir, kind)
	}
	return map[string]string{"custom.conf": custom, "nginx.conf": fmt.Sprintf(`
worker_processes 1;
pid %[1]s/nginx-state/pid;
error_log stderr warn;
events { worker_connections 64; }
http {
	access_log off;
	%[4]s
	server {
		listen 127.0.0.1:%[2]d;
		location = /says { return 200 "%[3]s"; }
		location / {
			fastcgi_pass unix:%[1]s/run/php.sock;
			fastcgi_param SCRIPT_FILENAME %[1]s/www/$uri;
			fastcgi_param REQUEST_METHOD $request_method;
		}
		include custom.conf;
	}
}`, p.dir, p.port, says, temp)}
}

func (p *pod) nginx(t *testing.T) *container {
	return p.start(t, "nginx", "nginx", "--program="+find(t, "/usr/sbin/nginx"))
}

func TestNginxTakesChangesOverAndNoRequestFails(t *testing.T) {
	p := newPod(t)
	p.publish(t, "nginx", "r0", p.web("r0", ""))
	c := p.nginx(t)
	c.says(t, "r0", "accepted")
	pid := p.master(t)
	done := p.visitor(t, "/says")
	for i := 1; i <= 5; i++ {
		revision := fmt.Sprintf("r%d", i)
		p.publish(t, "nginx", revision, p.web(revision, ""))
		c.says(t, revision, "accepted")
		p.answers(t, "/says", revision)
	}
	done()
	if now := p.master(t); now != pid {
		t.Errorf("nginx was started anew: process %s became %s", pid, now)
	}
	p.onlyOneCopy(t, "nginx")
}

// Once a configuration is told to be in force, nobody is answered by the former
// one: not on a connection that was kept either.
func TestWhatIsToldIsInForceForEverybody(t *testing.T) {
	p := newPod(t)
	p.publish(t, "nginx", "r0", p.web("r0", ""))
	c := p.nginx(t)
	c.says(t, "r0", "accepted")
	for i := 1; i <= 5; i++ {
		kept, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", p.port))
		if err != nil {
			t.Fatal(err)
		}
		answers := bufio.NewReader(kept)
		former, revision := fmt.Sprintf("r%d", i-1), fmt.Sprintf("r%d", i)
		if got := ask(t, kept, answers); got != former {
			t.Fatalf("before the change: %q, want %q", got, former)
		}
		p.publish(t, "nginx", revision, p.web(revision, ""))
		c.says(t, revision, "accepted")
		if got := ask(t, kept, answers); got == former {
			t.Errorf("a kept connection is answered by %q though %q is in force", got, revision)
		}
		_ = kept.Close()
	}
}

// ask sends a request on a connection; "" says that it was closed.
func ask(t *testing.T, to net.Conn, answers *bufio.Reader) string {
	t.Helper()
	if _, err := fmt.Fprint(to, "GET /says HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
		return ""
	}
	response, err := http.ReadResponse(answers, nil)
	if err != nil {
		return ""
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// master is the number that nginx wrote.
func (p *pod) master(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(p.dir + "/nginx-state/pid")
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}

// onlyOneCopy: what is no longer used does not pile up.
func (p *pod) onlyOneCopy(t *testing.T, volume string) {
	t.Helper()
	eventually(t, func() error {
		entries, err := os.ReadDir(p.dir + "/" + volume + "-state")
		if err != nil {
			return err
		}
		copies := 0
		for _, e := range entries {
			if strings.HasPrefix(e.Name(), "v-") {
				copies++
			}
		}
		if copies != 1 {
			return fmt.Errorf("%d copies of the configuration are left, want 1", copies)
		}
		return nil
	})
}

func TestABadConfigurationChangesNothingAndAGoodOneFollows(t *testing.T) {
	p := newPod(t)
	p.publish(t, "nginx", "r0", p.web("good", ""))
	c := p.nginx(t)
	c.says(t, "r0", "accepted")
	done := p.visitor(t, "/says")
	p.publish(t, "nginx", "r1", p.web("bad", "nonsense on;"))
	message := c.says(t, "r1", "refused")
	if want := `unknown directive "nonsense" in custom.conf:1`; !strings.HasPrefix(message, want) {
		t.Errorf("message = %q, want nginx' own: %q", message, want)
	}
	if strings.Contains(message, p.dir) {
		t.Errorf("message = %q names a folder that nobody knows", message)
	}
	p.answers(t, "/says", "good")
	p.publish(t, "nginx", "r2", p.web("better", "location = /new { return 200 yes; }"))
	c.says(t, "r2", "accepted")
	p.answers(t, "/new", "yes")
	done()
	p.onlyOneCopy(t, "nginx")
}

// nginx -t says nothing of a port that somebody has.
func TestWhatOnlyFailsInForceIsRefusedToo(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	own := fmt.Sprintf("listen %s;", taken.Addr())
	t.Run("on a change", func(t *testing.T) {
		p := newPod(t)
		p.publish(t, "nginx", "r0", p.web("good", ""))
		c := p.nginx(t)
		c.says(t, "r0", "accepted")
		p.publish(t, "nginx", "r1", p.web("bad", own))
		c.says(t, "r1", "refused")
		p.answers(t, "/says", "good")
		p.publish(t, "nginx", "r2", p.web("better", ""))
		c.says(t, "r2", "accepted")
		p.answers(t, "/says", "better")
	})
	t.Run("at the start", func(t *testing.T) {
		p := newPod(t)
		p.publish(t, "nginx", "r0", p.web("good", own))
		p.nginx(t).says(t, "r0", "refused")
		p.answers(t, "/says", "good")
	})
}

func TestASiteStartsWithoutACustomPartThatIsBad(t *testing.T) {
	p := newPod(t)
	p.publish(t, "nginx", "r0", p.web("serves", "}"))
	c := p.nginx(t)
	if message := c.says(t, "r0", "refused"); !strings.Contains(message, `unexpected "}"`) {
		t.Errorf("message = %q, want nginx' own", message)
	}
	p.answers(t, "/says", "serves")
	p.publish(t, "nginx", "r1", p.web("mended", ""))
	c.says(t, "r1", "accepted")
	p.answers(t, "/says", "mended")
}

func TestTheLastGoodOneOutlivesTheContainer(t *testing.T) {
	p := newPod(t)
	p.publish(t, "nginx", "r0", p.web("r0", "location = /own { return 200 r0; }"))
	c := p.nginx(t)
	c.says(t, "r0", "accepted")
	p.publish(t, "nginx", "r1", p.web("r1", "nonsense;"))
	c.says(t, "r1", "refused")
	c.kill()
	c = p.nginx(t)
	c.says(t, "r1", "refused")
	p.answers(t, "/own", "r0")
	c.kill()
	// What changed while nothing ran is what the next start begins with.
	p.publish(t, "nginx", "r2", p.web("r2", "location = /own { return 200 r2; }"))
	p.nginx(t).says(t, "r2", "accepted")
	p.answers(t, "/own", "r2")
}

func TestOfFastChangesTheLastWins(t *testing.T) {
	p := newPod(t)
	p.publish(t, "nginx", "r0", p.web("r0", ""))
	c := p.nginx(t)
	c.says(t, "r0", "accepted")
	for i := 1; i <= 20; i++ {
		revision, custom := fmt.Sprintf("r%d", i), ""
		if i%2 == 1 {
			custom = "nonsense;"
		}
		p.publish(t, "nginx", revision, p.web(revision, custom))
	}
	c.says(t, "r20", "accepted")
	p.answers(t, "/says", "r20")
}

func TestABadConfigurationOfOursFailsLoudly(t *testing.T) {
	p := newPod(t)
	p.publish(t, "nginx", "r0", map[string]string{"nginx.conf": "worker_processes none;\n"})
	c := p.nginx(t)
	<-c.ended
	if code := c.cmd.ProcessState.ExitCode(); code == 0 || !strings.Contains(c.wrote(), "invalid number of arguments") &&
		!strings.Contains(c.wrote(), "invalid value") {
		t.Errorf("exit code %d, log %q: want nginx' own words", code, c.wrote())
	}
}

func TestTheContainerEndsWithItsProgram(t *testing.T) {
	p := newPod(t)
	p.publish(t, "nginx", "r0", p.web("r0", ""))
	c := p.nginx(t)
	c.says(t, "r0", "accepted")
	if code := c.stop(t, syscall.SIGQUIT); code != 0 {
		t.Errorf("exit code after SIGQUIT = %d, want nginx' 0", code)
	}
	c = p.nginx(t)
	c.says(t, "r0", "accepted")
	var pid int
	if _, err := fmt.Sscan(p.master(t), &pid); err != nil {
		t.Fatal(err)
	}
	_ = syscall.Kill(pid, syscall.SIGKILL)
	<-c.ended
	if code := c.cmd.ProcessState.ExitCode(); code != 128+int(syscall.SIGKILL) {
		t.Errorf("exit code after nginx was killed = %d, want 137", code)
	}
}
