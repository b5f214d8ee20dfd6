package pool_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"kubepanel.io/kubepanel/node/components/csi-driver/pool"
	"kubepanel.io/kubepanel/node/components/csi-driver/pool/pooltest"
)

const mebibyte = 1 << 20

func TestMain(m *testing.M) {
	if killed(os.Args) {
		return
	}
	os.Exit(pooltest.Main(m))
}

func makeVolume(t *testing.T, p *pool.Pool, w pool.Wanted) pool.Volume {
	t.Helper()
	volume, err := p.Make(t.Context(), w)
	if err != nil {
		t.Fatal(err)
	}
	return volume
}

// fillUp writes as an ordinary user until the kernel refuses, and tells how much that was.
func fillUp(t *testing.T, volume pool.Volume) (written int64, refused error) {
	t.Helper()
	file, err := os.Create(filepath.Join(volume.Path, "fill"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	block := bytes.Repeat([]byte("full "), mebibyte/5)
	for written < 1<<40 && refused == nil {
		var n int
		n, refused = file.Write(block)
		written += int64(n)
	}
	return written, refused
}

func TestAFullVolumeHurtsNobodyElse(t *testing.T) {
	p := pooltest.Open(t, pooltest.Options(t, 1024))
	full := makeVolume(t, p, pool.Wanted{ID: "full", AtLeast: 64 * mebibyte})
	neighbour := makeVolume(t, p, pool.Wanted{ID: "neighbour", AtLeast: 64 * mebibyte})
	written, err := fillUp(t, full)
	if !errors.Is(err, syscall.EDQUOT) {
		t.Errorf("writing on a full volume = %v, want %v", err, syscall.EDQUOT)
	}
	if written < 60*mebibyte || written > 64*mebibyte {
		t.Errorf("%d bytes fit, want nearly %d", written, full.Size)
	}
	if err := os.WriteFile(filepath.Join(neighbour.Path, "file"), make([]byte, 32*mebibyte), 0o600); err != nil {
		t.Errorf("a neighbour writes: %v", err)
	}
	sync(t, p)
	usage, err := p.Usage("full")
	if err != nil {
		t.Fatal(err)
	}
	if usage.Used < 60*mebibyte || usage.Size != full.Size || usage.Free > 4*mebibyte {
		t.Errorf("usage = %+v, want nearly all of %d used", usage, full.Size)
	}
	if err := os.Remove(filepath.Join(full.Path, "fill")); err != nil {
		t.Errorf("a full volume can't be cleared: %v", err)
	}
	sync(t, p)
	if err := os.WriteFile(filepath.Join(full.Path, "again"), make([]byte, 32*mebibyte), 0o600); err != nil {
		t.Errorf("writing after clearing: %v", err)
	}
}

func sync(t *testing.T, p *pool.Pool) {
	t.Helper()
	if err := exec.Command("sync", "--file-system", p.Mount).Run(); err != nil {
		t.Fatal(err)
	}
}

func TestAVolumeGrowsWhileItIsWritten(t *testing.T) {
	p := pooltest.Open(t, pooltest.Options(t, 1024))
	volume := makeVolume(t, p, pool.Wanted{ID: "site", AtLeast: 32 * mebibyte})
	if _, err := fillUp(t, volume); !errors.Is(err, syscall.EDQUOT) {
		t.Fatalf("filling = %v", err)
	}
	size, err := p.Resize(t.Context(), "site", 64*mebibyte)
	if err != nil || size != 64*mebibyte {
		t.Fatalf("Resize = %d, %v", size, err)
	}
	if written, _ := fillUp(t, volume); written < 60*mebibyte {
		t.Errorf("after growing to 64 MiB %d bytes fit", written)
	}
	if size, err := p.Resize(t.Context(), "site", 32*mebibyte); err != nil || size != 64*mebibyte {
		t.Errorf("Resize to less = %d, %v; want it to stay", size, err)
	}
}

func TestADatabaseIsWrittenInPlace(t *testing.T) {
	p := pooltest.Open(t, pooltest.Options(t, 1024))
	volume := makeVolume(t, p, pool.Wanted{ID: "database", AtLeast: 64 * mebibyte, InPlace: true})
	table := filepath.Join(volume.Path, "table")
	if err := os.WriteFile(table, []byte("rows"), 0o600); err != nil {
		t.Fatal(err)
	}
	flags, err := exec.Command("lsattr", table).Output()
	if word, _, _ := strings.Cut(string(flags), " "); err != nil || !strings.Contains(word, "C") {
		t.Errorf("lsattr says %q (%v), want C", flags, err)
	}
}

func TestAPodCantGoRoundItsQuota(t *testing.T) {
	options := pooltest.Options(t, 1024)
	p := pooltest.Open(t, options)
	site := makeVolume(t, p, pool.Wanted{ID: "site", AtLeast: 16 * mebibyte})
	shown := showToNobody(t, site)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { p.Keep(ctx); close(ended) }()
	t.Cleanup(func() { stop(); <-ended })
	// What a customer's program can do with an ioctl; one inside the other, and one beside.
	for _, path := range []string{"way", "way/round", "another"} {
		command := exec.Command("btrfs", "subvolume", "create", filepath.Join(shown, path))
		command.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		if said, err := command.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, said)
		}
	}
	// Full, so that removing has to find room first.
	if _, err := fillUp(t, site); !errors.Is(err, syscall.EDQUOT) {
		t.Fatal(err)
	}
	awaitGone(t, filepath.Join(site.Path, "*", "*"))
	awaitGone(t, filepath.Join(site.Path, "[^f]*"))
	if err := p.Remove(t.Context(), "site"); !errors.Is(err, pool.ErrInUse) {
		t.Errorf("removing a volume that is mounted = %v, want %v", err, pool.ErrInUse)
	}
}

func awaitGone(t *testing.T, pattern string) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	for tick := time.Tick(50 * time.Millisecond); ; {
		left, err := filepath.Glob(pattern)
		if err == nil && len(left) == 0 {
			return
		}
		select {
		case <-deadline:
			t.Fatalf("%v is still there (%v)", left, err)
		case <-tick:
		}
	}
}

// nobody is an ordinary user.
const nobody = 65534

// showToNobody mounts a volume where an ordinary user may write to it, as kubelet does for a pod.
func showToNobody(t *testing.T, volume pool.Volume) string {
	t.Helper()
	if err := os.Chown(volume.Path, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	// The mount namespace is the test's own.
	if err := syscall.Mount("test", "/mnt", "tmpfs", 0, ""); err != nil {
		t.Fatal(err)
	}
	target := "/mnt/volume"
	if err := errors.Join(os.Mkdir(target, 0o755), syscall.Mount(volume.Path, target, "", syscall.MS_BIND, "")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(syscall.Unmount(target, syscall.MNT_DETACH), syscall.Unmount("/mnt", syscall.MNT_DETACH)); err != nil {
			t.Error(err)
		}
	})
	return target
}

func TestRemovingAVolumeRemovesAllInIt(t *testing.T) {
	p := pooltest.Open(t, pooltest.Options(t, 1024))
	site := makeVolume(t, p, pool.Wanted{ID: "site", AtLeast: 16 * mebibyte})
	for _, path := range []string{"way", "way/round"} {
		if said, err := exec.Command("btrfs", "subvolume", "create", filepath.Join(site.Path, path)).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, said)
		}
	}
	if _, err := fillUp(t, site); !errors.Is(err, syscall.EDQUOT) {
		t.Fatal(err)
	}
	if err := p.Remove(t.Context(), "site"); err != nil {
		t.Fatal(err)
	}
	if err := p.Remove(t.Context(), "site"); err != nil {
		t.Errorf("removing a removed volume = %v, want nil", err)
	}
	said, err := exec.Command("btrfs", "subvolume", "list", p.Mount).Output()
	if err != nil || len(said) > 0 {
		t.Errorf("subvolumes left: %s (%v)", said, err)
	}
}

func TestThePoolGrowsWithWhatIsInIt(t *testing.T) {
	options := pooltest.Options(t, 256)
	p := pooltest.Open(t, options)
	if err := p.Unmount(); err != nil {
		t.Fatal(err)
	}
	options.Limit = 768 * mebibyte
	p, err := pool.Open(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { p.Keep(ctx); close(ended) }()
	t.Cleanup(func() { stop(); <-ended })
	volume := makeVolume(t, p, pool.Wanted{ID: "site", AtLeast: 400 * mebibyte})
	if err := os.WriteFile(filepath.Join(volume.Path, "file"), make([]byte, 390*mebibyte), 0o600); err != nil {
		t.Error(err)
	}
	var stat syscall.Stat_t
	if err := syscall.Stat(options.File, &stat); err != nil {
		t.Fatal(err)
	}
	if stat.Size != options.Limit || stat.Blocks*512 < stat.Size {
		t.Errorf("the file has %d bytes, %d of them on the disk, want all of %d", stat.Size, stat.Blocks*512, options.Limit)
	}
	_, err = p.Make(t.Context(), pool.Wanted{ID: "large", AtLeast: 1 << 40})
	if large, ok := errors.AsType[*pool.TooLarge](err); !ok || large.Asked != 1<<40 || large.Most > options.Limit || large.Most < options.Limit/2 {
		t.Errorf("a volume larger than the pool can be = %v, want one that says what can be had", err)
	}
}

func TestADiskThatHoldsSomethingIsLeftAlone(t *testing.T) {
	options := pooltest.Options(t, 256)
	file, err := os.Create(options.File)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := file.Truncate(256 * mebibyte); err != nil {
		t.Fatal(err)
	}
	if said, err := exec.Command("mkfs.ext4", "-q", options.File).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	device, err := exec.Command("losetup", "--find", "--show", options.File).Output()
	if err != nil {
		t.Fatal(err)
	}
	options.Device = strings.TrimSpace(string(device))
	t.Cleanup(func() {
		if err := exec.Command("losetup", "--detach", options.Device).Run(); err != nil {
			t.Error(err)
		}
	})
	if _, err := pool.Open(t.Context(), options); err == nil || !strings.Contains(err.Error(), "wipefs") {
		t.Errorf("a device with ext4 = %v, want a refusal that names the mend", err)
	}
	if said, err := exec.Command("wipefs", "--all", options.Device).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	p := pooltest.Open(t, options)
	makeVolume(t, p, pool.Wanted{ID: "site", AtLeast: 16 * mebibyte})
}

func TestSnapshotsAndClonesGoTheirOwnWay(t *testing.T) {
	p := pooltest.Open(t, pooltest.Options(t, 1024))
	site := makeVolume(t, p, pool.Wanted{ID: "site", AtLeast: 64 * mebibyte})
	write := func(volume pool.Volume, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(volume.Path, "page"), []byte(text), 0o640); err != nil {
			t.Fatal(err)
		}
	}
	read := func(volume pool.Volume) string {
		t.Helper()
		text, err := os.ReadFile(filepath.Join(volume.Path, "page"))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	write(site, "then")
	snapshot, err := p.Snap(t.Context(), "before", "site")
	if err != nil {
		t.Fatal(err)
	}
	if snapshot.Size != site.Size || time.Since(snapshot.Made).Abs() > time.Minute {
		t.Errorf("snapshot = %+v, want size %d and made now", snapshot, site.Size)
	}
	write(site, "now")
	restored := makeVolume(t, p, pool.Wanted{ID: "restored", AtLeast: 128 * mebibyte, From: snapshot.ID})
	clone := makeVolume(t, p, pool.Wanted{ID: "clone", AtLeast: 64 * mebibyte, From: "site"})
	write(clone, "elsewhere")
	for volume, want := range map[pool.Volume]string{site: "now", restored: "then", clone: "elsewhere"} {
		if got := read(volume); got != want {
			t.Errorf("%s holds %q, want %q", volume.ID, got, want)
		}
	}
	if written, err := fillUp(t, restored); !errors.Is(err, syscall.EDQUOT) || written < 120*mebibyte {
		t.Errorf("%d bytes fit into a restored volume of 128 MiB (%v)", written, err)
	}
	if err := p.Remove(t.Context(), "site"); err != nil {
		t.Fatal(err)
	}
	if again := makeVolume(t, p, pool.Wanted{ID: "late", AtLeast: 64 * mebibyte, From: snapshot.ID}); read(again) != "then" {
		t.Error("a snapshot did not outlive its volume")
	}
	if _, err := p.Make(t.Context(), pool.Wanted{ID: "clone", AtLeast: 64 * mebibyte}); !errors.Is(err, pool.ErrDiffers) {
		t.Errorf("another volume of the same name = %v, want %v", err, pool.ErrDiffers)
	}
}
