package gateway_test

import (
	"bufio"
	"cmp"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"
	"golang.org/x/crypto/ssh"
)

// transferSize is what one transfer moves, in bytes.
const transferSize = 512 << 20

// Both servers run as a user that every Debian has: sshd separates privileges
// when root starts it, for which it needs an account and folders of its own, and
// the toolbox is never root.
const daemon, daemonID = "daemon", 1

// BenchmarkTransfer moves 512 MB up and down by OpenSSH's sftp, in turns through
// the toolbox as its image has it, through a gateway before it, and through
// OpenSSH's own server, and reports the medians and their ratios. OpenSSH's server is what KUBEPANEL_SSHD names, or
// /usr/sbin/sshd. It has to be run by root.
func BenchmarkTransfer(b *testing.B) {
	sshd := cmp.Or(os.Getenv("KUBEPANEL_SSHD"), "/usr/sbin/sshd")
	if _, err := os.Stat(sshd); err != nil {
		b.Skip("OpenSSH's server is not here: ", err)
	}
	t := newTransfers(b)
	ours := t.toolbox(b)
	servers := map[string]*server{"toolbox": ours, "gateway": t.gateway(b, ours), "openssh": t.openSSH(b, sshd)}
	for name, batch := range map[string]string{"put": "put big remote", "get": "get remote back"} {
		b.Run(name, func(b *testing.B) {
			took := map[string][]time.Duration{}
			for _, s := range servers {
				t.move(b, s, "put big remote")
			}
			for b.Loop() {
				for name, s := range servers {
					took[name] = append(took[name], t.move(b, s, batch))
				}
			}
			for name := range servers {
				b.ReportMetric(megabytes(took[name]), name+"-MB/s")
			}
			b.ReportMetric(megabytes(took["toolbox"])/megabytes(took["openssh"]), "ratio")
			b.ReportMetric(megabytes(took["gateway"])/megabytes(took["openssh"]), "gateway-ratio")
			b.ReportMetric(float64(peakMemory(b, ours.pid))/1024, "toolbox-peak-MiB")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// server is a running one, and who signs in there.
type server struct {
	pid, port int
	login     string
}

// transfers is a folder in memory, so that no disk is measured, and what two
// servers need to serve it.
type transfers struct{ home, root, secrets string }

func newTransfers(b *testing.B) *transfers {
	dir, err := os.MkdirTemp("/dev/shm", "transfer")
	must(b, err)
	b.Cleanup(func() { _ = os.RemoveAll(dir) })
	must(b, os.Chmod(dir, 0o755))
	t := &transfers{home: filepath.Join(dir, "home"), root: filepath.Join(dir, "root"), secrets: filepath.Join(dir, "secrets")}
	for _, folder := range []string{t.home, t.root, t.secrets} {
		must(b, os.Mkdir(folder, 0o755))
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(rand.Text()), bcrypt.MinCost)
	must(b, err)
	public, private := newKeyPair(b)
	_, host := newKeyPair(b)
	for name, content := range map[string][]byte{
		"username": []byte(daemon), "passwordHash": hash, "hostKey": host, "publicKey": public,
		"sshd": fmt.Appendf(nil, "HostKey %[1]s/hostKey\nAuthorizedKeysFile %[1]s/publicKey\nStrictModes no\nUsePAM no\n"+
			"PasswordAuthentication no\nPidFile none\nSubsystem sftp internal-sftp\n", t.secrets),
	} {
		must(b, os.WriteFile(filepath.Join(t.secrets, name), content, 0o600))
	}
	for _, owned := range []string{t.root, "hostKey", "publicKey", "username", "passwordHash", "sshd"} {
		if !filepath.IsAbs(owned) {
			owned = filepath.Join(t.secrets, owned)
		}
		must(b, os.Chown(owned, daemonID, daemonID))
	}
	must(b, os.WriteFile(filepath.Join(t.home, "id"), private, 0o600))
	content := make([]byte, transferSize)
	_, _ = rand.Read(content)
	must(b, os.WriteFile(filepath.Join(t.home, "big"), content, 0o600))
	return t
}

// toolbox starts the program as images/toolbox builds it.
func (t *transfers) toolbox(b *testing.B) *server {
	program := filepath.Join(t.secrets, "toolbox")
	build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", program, "kubepanel.io/kubepanel/cmd/toolbox")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("build: %v\n%s", err, out)
	}
	cmd := exec.Command(program, "serve", "--listen=127.0.0.1:0", "--root="+t.root, "--credentials="+t.secrets)
	port := start(b, cmd)
	return &server{pid: cmd.Process.Pid, port: port, login: daemon}
}

// start starts one of our servers and reads from its log where it listens.
func start(b *testing.B, cmd *exec.Cmd) int {
	log, err := cmd.StderrPipe()
	must(b, err)
	begin(b, cmd)
	lines := bufio.NewScanner(log)
	for lines.Scan() {
		if m := regexp.MustCompile(`address=127\.0\.0\.1:(\d+)`).FindStringSubmatch(lines.Text()); m != nil {
			go func() {
				for lines.Scan() {
				}
			}()
			port, err := strconv.Atoi(m[1])
			must(b, err)
			return port
		}
		b.Log(lines.Text())
	}
	b.Fatal(cmd.Path, " does not say where it listens")
	return 0
}

// openSSH starts sshd and waits until it answers.
func (t *transfers) openSSH(b *testing.B, program string) *server {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(b, err)
	port := listener.Addr().(*net.TCPAddr).Port
	must(b, listener.Close())
	cmd := exec.Command(program, "-D", "-e", "-f", filepath.Join(t.secrets, "sshd"), "-p", strconv.Itoa(port),
		"-o", "ListenAddress=127.0.0.1", "-o", "ForceCommand=internal-sftp -d "+t.root)
	begin(b, cmd)
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		conn, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			_ = conn.Close()
			return &server{pid: cmd.Process.Pid, port: port, login: daemon}
		}
		if time.Now().After(end) {
			b.Fatal("sshd does not answer: ", err)
		}
	}
}

func begin(b *testing.B, cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: daemonID, Gid: daemonID}}
	must(b, cmd.Start())
	b.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	})
}

// move carries out one command of OpenSSH's client with its usual settings.
func (t *transfers) move(b *testing.B, s *server, batch string) time.Duration {
	cmd := exec.Command("sftp", "-q", "-F", "none", "-i", "id", "-P", strconv.Itoa(s.port), "-b", "-",
		"-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "IdentitiesOnly=yes", s.login+"@127.0.0.1")
	cmd.Dir, cmd.Stdin = t.home, strings.NewReader(batch)
	start := time.Now()
	out, err := cmd.CombinedOutput()
	took := time.Since(start)
	if err != nil {
		b.Fatalf("%s: %v\n%s", batch, err, out)
	}
	return took
}

// megabytes is the median speed in MB/s.
func megabytes(took []time.Duration) float64 {
	slices.Sort(took)
	return transferSize / took[len(took)/2].Seconds() / 1e6
}

// peakMemory is the most that a process ever had resident, in KiB.
func peakMemory(b *testing.B, pid int) int {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	must(b, err)
	m := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(status)
	if m == nil {
		b.Fatalf("no VmHWM in %s", status)
	}
	kib, err := strconv.Atoi(string(m[1]))
	must(b, err)
	return kib
}

func newKeyPair(b *testing.B) (public, private []byte) {
	pub, priv, err := ed25519.GenerateKey(rand.Reader)
	must(b, err)
	key, err := ssh.NewPublicKey(pub)
	must(b, err)
	block, err := ssh.MarshalPrivateKey(priv, "")
	must(b, err)
	return ssh.MarshalAuthorizedKey(key), pem.EncodeToMemory(block)
}

func must(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}
