package lab

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// plainUser runs the plain servers, as the site's run in their pod.
const plainUser = 10000

// plainPort is where the plain nginx listens on the node's address.
const plainPort = 18443

// plainServer is what a site is measured against: the same nginx, the same
// PHP-FPM, the same files and settings, started by hand on the node's own
// network. No container, no limit, no user namespace, no pod network, no edge.
// Its database is the site's.
type plainServer struct {
	root    string // of both programs
	name    string
	group   string // control group of both
	running []*exec.Cmd
}

// newPlainServer copies a site's programs and files out of its pod and starts
// them. It ends with the test.
func newPlainServer(t testing.TB, s site) *plainServer {
	t.Helper()
	p := &plainServer{root: filepath.Join(t.TempDir(), "root"), name: s.name}
	uid := string(s.pod(t).UID)
	p.copyPrograms(t, uid)
	p.configure(t, s)
	kubelet := s.kubelet(t)
	network := fmt.Sprintf("--net=/proc/%d/ns/net", kubelet.pid)
	p.makeGroup(t, kubelet)
	t.Cleanup(func() { p.stop(t) })
	p.start(t, network, "/usr/sbin/php-fpm", "-F", "-O", "-y", "/etc/kubepanel/app/www.conf")
	p.start(t, network, "/usr/sbin/nginx", "-c", "/etc/plain.conf", "-g", "daemon off;")
	return p
}

// copyPrograms takes the root file systems of the site's php and nginx containers
// together into one folder: both are made from the same suite of Debian, so they
// fit, as they do on a server that has both installed.
func (p *plainServer) copyPrograms(t testing.TB, uid string) {
	t.Helper()
	if err := os.MkdirAll(p.root, 0o755); err != nil {
		t.Fatal(err)
	}
	php, nginx := master(t, uid, "php-fpm"), master(t, uid, "nginx")
	// -x stays on the image's own file system; volumes are copied by name.
	for _, args := range [][]string{
		{"-rx", "--preserve=mode,links,timestamps", php + "/.", p.root},
		{"-rx", "--preserve=mode,links,timestamps", nginx + "/.", p.root},
		{"-rL", php + "/etc/kubepanel/app", php + "/etc/kubepanel/database", filepath.Join(p.root, "etc/kubepanel")},
		{"-r", php + "/var/www/.", filepath.Join(p.root, "var/www")},
	} {
		if err := os.MkdirAll(args[len(args)-1], 0o755); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.CommandContext(t.Context(), "cp", args...).CombinedOutput(); err != nil {
			t.Fatalf("cp %v: %v: %s", args, err, out)
		}
	}
}

// master finds the first process of a program in a pod and returns the root
// folder it sees.
func master(t testing.TB, uid, program string) string {
	t.Helper()
	all, err := processes()
	if err != nil {
		t.Fatal(err)
	}
	inside, _ := podProcesses(all, uid)
	names := map[int]string{}
	for _, p := range inside {
		names[p.pid] = p.name
	}
	for _, p := range inside {
		if strings.HasPrefix(p.name, program) && !strings.HasPrefix(names[p.parent], program) {
			return fmt.Sprintf("/proc/%d/root", p.pid)
		}
	}
	t.Fatalf("pod %s has no process %s", uid, program)
	return ""
}

// configure gives the copy what the pod's mounts gave the original.
func (p *plainServer) configure(t testing.TB, s site) {
	t.Helper()
	own := s.secret(t, "db-credentials")
	database, _, _ := strings.Cut(own["host"], ".")
	hosts := fmt.Sprintf("127.0.0.1 localhost\n%s %s\n", s.service(t, platformNamespace, database), own["host"])
	certificate, key := p.certificate(t)
	for path, content := range map[string]string{
		"etc/hosts":      hosts,
		"etc/plain.conf": plainNginx(s.address, strconv.Itoa(plainPort), s.name),
		"etc/plain.crt":  certificate,
		"etc/plain.key":  key,
	} {
		if err := os.WriteFile(filepath.Join(p.root, path), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{"www.conf", "zz-kubepanel.ini"} {
		p.logToFile(t, filepath.Join(p.root, "etc/kubepanel/app", file))
	}
	for path, mode := range map[string]uint32{"null": 3, "zero": 5, "random": 8, "urandom": 9} {
		device := filepath.Join(p.root, "dev", path)
		_ = os.Remove(device) // an image may ship an empty file of that name
		if err := errors.Join(unix.Mknod(device, unix.S_IFCHR|0o666, int(unix.Mkdev(1, mode))), os.Chmod(device, 0o666)); err != nil {
			t.Fatalf("make %s: %v", device, err)
		}
	}
	for _, dir := range []string{"tmp", "run/kubepanel", "var/www", "etc/kubepanel"} {
		err := os.MkdirAll(filepath.Join(p.root, dir), 0o755)
		err = errors.Join(err, filepath.WalkDir(filepath.Join(p.root, dir), func(path string, _ os.DirEntry, err error) error {
			return errors.Join(err, os.Lchown(path, plainUser, plainUser))
		}))
		if err != nil {
			t.Fatal(err)
		}
	}
}

// logToFile replaces the container's standard error, which a chroot without
// /proc can't open by name.
func (p *plainServer) logToFile(t testing.TB, path string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	plain := strings.ReplaceAll(string(text), "/proc/self/fd/2", "/tmp/php.log")
	if err := os.WriteFile(path, []byte(plain), 0o644); err != nil {
		t.Fatal(err)
	}
}

// plainNginx is what an administrator would write for WordPress by hand.
func plainNginx(address, port, name string) string {
	return `worker_processes 2;
pid /tmp/plain.pid;
error_log /tmp/error.log warn;
events { worker_connections 1024; }
http {
	include /etc/nginx/mime.types;
	access_log /tmp/access.log;
	client_body_temp_path /tmp/client_body;
	fastcgi_temp_path /tmp/fastcgi;
	proxy_temp_path /tmp/proxy;
	uwsgi_temp_path /tmp/uwsgi;
	scgi_temp_path /tmp/scgi;
	sendfile on;
	tcp_nopush on;
	gzip on;
	server {
		listen ` + address + `:` + port + ` ssl;
		server_name ` + name + `;
		ssl_certificate /etc/plain.crt;
		ssl_certificate_key /etc/plain.key;
		ssl_session_cache shared:tls:1m;
		root /var/www/html;
		index index.php index.html;
		location / { try_files $uri $uri/ /index.php$is_args$args; }
		location ~ \.php$ {
			try_files $uri =404;
			include /etc/nginx/fastcgi_params;
			fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;
			fastcgi_param HTTPS on;
			# Debian's file leaves out the port, and WordPress would redirect to where it is.
			fastcgi_param HTTP_HOST $http_host;
			fastcgi_pass unix:/run/kubepanel/php.sock.fpm;
		}
	}
}
`
}

// certificate makes a key of the kind that the edge's have, signed by itself.
func (p *plainServer) certificate(t testing.TB) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: p.name}, DNSNames: []string{p.name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	signed, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: signed})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded}))
}

// start runs a program in the copy, on the node's network.
func (p *plainServer) start(t testing.TB, network, program string, args ...string) {
	t.Helper()
	line := append([]string{network, "--", "chroot", fmt.Sprintf("--userspec=%d:%d", plainUser, plainUser), p.root, program}, args...)
	cmd := exec.Command("nsenter", line...)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "PHP_INI_SCAN_DIR=:/etc/kubepanel/app"}
	log, err := os.Create(filepath.Join(p.root, "tmp", filepath.Base(program)+".out"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p.running = append(p.running, cmd)
	if err := os.WriteFile(filepath.Join(p.group, "cgroup.procs"), []byte(strconv.Itoa(cmd.Process.Pid)), 0o644); err != nil {
		t.Fatalf("put %s into its control group: %v", program, err)
	}
}

// gather moves what the servers started before they were in the group.
func (p *plainServer) gather(t testing.TB) {
	t.Helper()
	for _, server := range p.processes(t) {
		err := os.WriteFile(filepath.Join(p.group, "cgroup.procs"), []byte(strconv.Itoa(server.pid)), 0o644)
		if err != nil && !errors.Is(err, unix.ESRCH) {
			t.Fatal(err)
		}
	}
}

// processes lists the two masters and their children.
func (p *plainServer) processes(t testing.TB) []process {
	t.Helper()
	all, err := processes()
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(all, func(q process) bool {
		return !slices.ContainsFunc(p.running, func(cmd *exec.Cmd) bool {
			return cmd.Process.Pid == q.pid || cmd.Process.Pid == q.parent
		})
	})
}

// makeGroup makes a group without any limit beside the kubelet. Outside of the
// machine the plain servers would share the processor with whatever else this
// computer does, and the site only with its machine.
func (p *plainServer) makeGroup(t testing.TB, kubelet process) {
	t.Helper()
	folder, err := cpuGroup(kubelet.cgroup)
	if err != nil {
		t.Fatal(err)
	}
	p.group = filepath.Join(folder, "plain")
	if err := os.Mkdir(p.group, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
		t.Fatal(err)
	}
}

// cpuGroup finds the group that a process gets its processor time from.
func cpuGroup(cgroup string) (string, error) {
	unified := ""
	for line := range strings.Lines(cgroup) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		switch {
		case len(parts) != 3:
		case slices.Contains(strings.Split(parts[1], ","), "cpu"):
			return filepath.Join(cgroupRoot, "cpu", parts[2]), nil
		case parts[0] == "0":
			unified = filepath.Join(cgroupRoot, parts[2])
		}
	}
	if unified == "" {
		return "", fmt.Errorf("no control group for the processor in %q", cgroup)
	}
	return unified, nil
}

func (p *plainServer) stop(t testing.TB) {
	t.Helper()
	for _, cmd := range p.running {
		if err := cmd.Process.Signal(unix.SIGTERM); err != nil {
			t.Logf("stop %s: %v", cmd.Args, err)
		}
		_ = cmd.Wait() // it was told to end, so how it ended says nothing
	}
	if err := os.Remove(p.group); err != nil {
		t.Logf("remove the plain servers' control group: %v", err)
	}
}

// visitor asks the plain server under the site's own name and port, so that
// WordPress makes the very same page.
func (p *plainServer) visitor(t testing.TB, s site) visitor {
	t.Helper()
	v := s.newVisitor(t, "127.0.0.1")
	pemBytes, err := os.ReadFile(filepath.Join(p.root, "etc/plain.crt"))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pemBytes)
	v.connections.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	v.connections.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{Timeout: visitorLimit}).DialContext(ctx, network, net.JoinHostPort(s.address, strconv.Itoa(plainPort)))
	}
	return v
}

// said returns what the plain servers wrote, for the message of a failure.
func (p *plainServer) said() string {
	var all strings.Builder
	for _, name := range []string{"php-fpm.out", "nginx.out", "php.log", "error.log"} {
		text, _ := os.ReadFile(filepath.Join(p.root, "tmp", name)) // what is not there says nothing
		fmt.Fprintf(&all, "%s: %s\n", name, text)
	}
	return all.String()
}
