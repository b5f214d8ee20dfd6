package machine

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestMachineNamesFitAnInterface(t *testing.T) {
	for name, ok := range map[string]bool{
		"main": true, "lab": true, "a1": true, "t-init": true, "abcdefghijkl": true,
		"": false, "a": false, "abcdefghijklm": false, "Main": false, "-x": false, "x-": false, "a b": false, "a/b": false, "..": false,
	} {
		_, err := New(name, "/state")
		if (err == nil) != ok {
			t.Errorf("New(%q) = %v, want ok = %t", name, err, ok)
		}
	}
	if _, err := New("main", "state"); err == nil {
		t.Error("New() takes a relative state folder")
	}
}

func TestStartTimeIsReadWhateverTheProgramIsCalled(t *testing.T) {
	rest := strings.Repeat(" 0", 18) + " 4711 99\n"
	tests := map[string]struct {
		stat string
		want uint64
		err  bool
	}{
		"plain":              {stat: "1 (node) S" + rest, want: 4711},
		"blank and brackets": {stat: "1 (a) b (c) S" + rest, want: 4711},
		"zombie":             {stat: "1 (node) Z" + rest, err: true},
		"short":              {stat: "1 (node) S 1 2 3", err: true},
		"no name":            {stat: "", err: true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := startTime([]byte(tt.stat))
			if got != tt.want || (err != nil) != tt.err {
				t.Errorf("startTime(%q) = %d, %v; want %d, error %t", tt.stat, got, err, tt.want, tt.err)
			}
		})
	}
}

func TestProcessIsNotMistakenForAnother(t *testing.T) {
	sleep := exec.Command("sleep", "60")
	if err := sleep.Start(); err != nil {
		t.Fatal(err)
	}
	p, err := Identify(sleep.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	if !p.Alive() {
		t.Error("Alive() = false for a process that runs")
	}
	for what, other := range map[string]Process{
		"another start": {PID: p.PID, Start: p.Start + 1, Boot: p.Boot},
		"another boot":  {PID: p.PID, Start: p.Start, Boot: "before"},
		"nobody":        {},
	} {
		if other.Alive() {
			t.Errorf("Alive() = true for %s", what)
		}
		if err := other.Signal(9); err == nil {
			t.Errorf("Signal() reached %s", what)
		}
	}
	if !p.Alive() {
		t.Fatal("a signal for another process killed this one")
	}
	if err := p.Signal(9); err != nil {
		t.Fatal(err)
	}
	_ = sleep.Wait()
	if p.Alive() {
		t.Error("Alive() = true for a process that ended")
	}
}

func TestLowestFreeNumberIsChosen(t *testing.T) {
	if n, err := chooseNumber(map[int]bool{1: true, 2: true, 4: true}); n != 3 || err != nil {
		t.Errorf("chooseNumber(1, 2, 4 taken) = %d, %v; want 3", n, err)
	}
	all := map[int]bool{}
	for n := range 256 {
		all[n] = true
	}
	if n, err := chooseNumber(all); err == nil {
		t.Errorf("chooseNumber(all taken) = %d, want an error", n)
	}
}

func TestPortsStayUntilTheyAreTaken(t *testing.T) {
	tests := map[string]struct {
		before [2]int
		taken  []int
		want   [2]int
		err    bool
	}{
		"first time":             {want: [2]int{80, 443}},
		"80 taken":               {taken: []int{80}, want: [2]int{8080, 8443}},
		"443 taken":              {taken: []int{443}, want: [2]int{8080, 8443}},
		"kept though 80 is free": {before: [2]int{8080, 8443}, want: [2]int{8080, 8443}},
		"kept ones taken":        {before: [2]int{8080, 8443}, taken: []int{8443}, want: [2]int{80, 443}},
		"all taken":              {taken: []int{80, 8080, 18080, 28080, 38080, 48080}, err: true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := choosePorts(tt.before, func(port int) bool {
				for _, taken := range tt.taken {
					if port == taken {
						return false
					}
				}
				return true
			})
			if got != tt.want || (err != nil) != tt.err {
				t.Errorf("choosePorts(%v) = %v, %v; want %v, error %t", tt.before, got, err, tt.want, tt.err)
			}
		})
	}
}

func TestChoiceOutlivesARestartAndAvoidsOtherMachines(t *testing.T) {
	state := t.TempDir()
	first, _ := New("first", state)
	if err := first.Keep(Settings{Number: 200, HTTPPort: freePort(t), HTTPSPort: freePort(t)}); err != nil {
		t.Fatal(err)
	}
	again, moved, err := first.Choose()
	if err != nil || moved || again.Number != 200 {
		t.Errorf("Choose() = %+v, %t, %v; want number 200, unmoved", again, moved, err)
	}
	second, _ := New("second", state)
	other, _, err := second.Choose()
	if err != nil {
		t.Fatal(err)
	}
	if other.Number == 200 || other.HTTPPort == again.HTTPPort {
		t.Errorf("Choose() of a second machine = %+v, want neither the first's number nor its ports %+v", other, again)
	}
}

func freePort(t *testing.T) int {
	t.Helper()
	listeners, err := listen(0)
	if err != nil {
		t.Fatal(err)
	}
	defer closeAll(listeners)
	return listeners[0].Addr().(*net.TCPAddr).Port
}

func TestHierarchiesOfBothVersionsAreFound(t *testing.T) {
	tests := map[string]struct {
		mountinfo string
		want      []hierarchy
	}{
		"version 2": {
			mountinfo: "30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot\n",
			want:      []hierarchy{{Mount: "/sys/fs/cgroup", V2: true}},
		},
		"version 1 beside 2": {
			mountinfo: "24 1 0:22 / /sys rw - sysfs sysfs rw\n" +
				"31 30 0:27 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct\n" +
				"32 30 0:28 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,release_agent=/lib/x,name=systemd\n" +
				"33 30 0:29 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n" +
				"34 30 0:30 / /mnt/cgroup rw - cgroup cgroup rw,pids\n",
			want: []hierarchy{
				{Mount: "/sys/fs/cgroup/cpu,cpuacct", Options: "cpu,cpuacct"},
				{Mount: "/sys/fs/cgroup/systemd", Options: "none,name=systemd"},
				{Mount: "/sys/fs/cgroup/unified", V2: true},
			},
		},
		"none": {mountinfo: "24 1 0:22 / /sys rw - sysfs sysfs rw\n\nbroken line\n"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := parseHierarchies(tt.mountinfo); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("parseHierarchies() = %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestMountsBelowAFolderAreFound(t *testing.T) {
	mountinfo := "1 0 8:1 / / rw - ext4 /dev/a rw\n" +
		"2 1 0:1 / /state/machines/main/disk rw - tmpfs t rw\n" +
		`3 1 0:1 / /state/machines/main/a\040b rw - tmpfs t rw` + "\n" +
		"4 1 0:1 / /state/machines/mainly rw - tmpfs t rw\n"
	want := []string{"/state/machines/main/disk", "/state/machines/main/a b"}
	if got := mountsBelow(mountinfo, "/state/machines/main"); !reflect.DeepEqual(got, want) {
		t.Errorf("mountsBelow() = %q, want %q", got, want)
	}
}

func TestOnlyReachableResolversAreTaken(t *testing.T) {
	text := "# comment\nsearch example.com\nnameserver 127.0.0.53\nnameserver 192.0.2.53\nnameserver ::1\nnameserver fe80::1%eth0\nnameserver\nnameserver 2001:db8::53\n"
	if got := parseResolvers(text); !reflect.DeepEqual(got, []string{"192.0.2.53"}) {
		t.Errorf("parseResolvers() = %q, want [192.0.2.53]", got)
	}
}

func TestRulesLetOutAndNobodyIn(t *testing.T) {
	want, err := os.ReadFile("testdata/rules.nft")
	if err != nil {
		t.Fatal(err)
	}
	if got := rules("kubepanel-main", "kp-main", "10.213.1.0/24"); got != string(want) {
		t.Errorf("rules() =\n%s\nwant\n%s", got, want)
	}
}

// The bytes are those of the PROXY protocol's section 2.2.
func TestProxyHeaderNamesTheVisitor(t *testing.T) {
	signature := "\r\n\r\n\x00\r\nQUIT\n"
	tests := map[string]struct{ visitor, server, want string }{
		"IPv4": {
			visitor: "192.0.2.7:40000", server: "127.0.0.1:443",
			want: signature + "\x21\x11\x00\x0c" + "\xc0\x00\x02\x07" + "\x7f\x00\x00\x01" + "\x9c\x40" + "\x01\xbb",
		},
		"IPv4 on an IPv6 socket": {
			visitor: "[::ffff:192.0.2.7]:40000", server: "[::ffff:127.0.0.1]:443",
			want: signature + "\x21\x11\x00\x0c" + "\xc0\x00\x02\x07" + "\x7f\x00\x00\x01" + "\x9c\x40" + "\x01\xbb",
		},
		"IPv6": {
			visitor: "[::1]:40000", server: "[::1]:80",
			want: signature + "\x21\x21\x00\x24" + strings.Repeat("\x00", 15) + "\x01" + strings.Repeat("\x00", 15) + "\x01" + "\x9c\x40" + "\x00\x50",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := proxyHeader(netip.MustParseAddrPort(tt.visitor), netip.MustParseAddrPort(tt.server))
			if string(got) != tt.want {
				t.Errorf("proxyHeader(%s, %s) = %q, want %q", tt.visitor, tt.server, got, tt.want)
			}
		})
	}
}

// A client that has finished sending still gets the answer, after the header
// that names it.
func TestForwarderCarriesBothWaysAndHalfClose(t *testing.T) {
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	received := make(chan string, 1)
	go func() {
		conn, err := server.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		request, _ := io.ReadAll(conn)
		received <- string(request)
		_, _ = io.WriteString(conn, "answer")
	}()
	front, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go forward(t.Context(), front, server.Addr().String(), slog.New(slog.DiscardHandler))
	defer front.Close()
	client, err := net.Dial("tcp", front.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if _, err := io.WriteString(client, "question"); err != nil {
		t.Fatal(err)
	}
	if err := client.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(client)
	if string(answer) != "answer" || err != nil {
		t.Errorf("answer = %q, %v; want %q", answer, err, "answer")
	}
	want := string(proxyHeader(addrPort(client.LocalAddr()), addrPort(client.RemoteAddr()))) + "question"
	if got := <-received; got != want {
		t.Errorf("server received %q, want %q", got, want)
	}
}

func TestFileIsReplacedWholeAndKeptWhenEqual(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "file")
	for _, text := range []string{"one", "two"} {
		if err := WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); string(got) != text || err != nil {
			t.Errorf("file = %q, %v; want %q", got, err, text)
		}
	}
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(path, []byte("two"), 0o600); err != nil {
		t.Fatal(err)
	}
	if after, err := os.Stat(path); err != nil || !os.SameFile(before, after) {
		t.Error("an equal file was written again")
	}
	if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 1 {
		t.Errorf("folder holds %v, %v; want the file alone", entries, err)
	}
}

func TestMachineIsLockedOnce(t *testing.T) {
	m, _ := New("locked", t.TempDir())
	first, err := m.Lock(t.Context(), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	// A program that was handed the lock keeps it when the one who started it is gone.
	heir := exec.Command("sleep", "60")
	heir.ExtraFiles = []*os.File{first}
	if err := heir.Start(); err != nil {
		t.Fatal(err)
	}
	first.Close()
	soon, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	var said strings.Builder
	if _, err := m.Lock(soon, &said); !errors.Is(err, ErrBusy) {
		t.Errorf("second Lock() = %v, want %v", err, ErrBusy)
	}
	if !strings.Contains(said.String(), "waiting") {
		t.Errorf("said %q, want that it waits", said.String())
	}
	_ = heir.Process.Kill()
	_ = heir.Wait()
	again, err := m.Lock(t.Context(), io.Discard)
	if err != nil {
		t.Fatalf("Lock() after the first let go = %v, want nil", err)
	}
	again.Close()
}
