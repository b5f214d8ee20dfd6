package pool_test

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"kubepanel.io/kubepanel/node/components/csi-driver/pool"
	"kubepanel.io/kubepanel/node/components/csi-driver/pool/pooltest"
)

// victim is the first argument of a process that makes and removes volumes until it is killed.
const victim = "make-and-remove"

func killed(args []string) bool {
	if len(args) < 4 || args[1] != victim {
		return false
	}
	ctx := context.Background()
	p, err := pool.Open(ctx, pool.Options{Mount: args[2], File: args[3], Limit: 512 << 20, Log: slog.New(slog.DiscardHandler)})
	for round := 0; err == nil; round++ {
		id := args[4] + "-" + strconv.Itoa(round)
		if _, err = p.Make(ctx, pool.Wanted{ID: id, AtLeast: 16 << 20}); err != nil {
			break
		}
		fmt.Println("made", id)
		if _, err = p.Snap(ctx, id, id); err != nil {
			break
		}
		if _, err = p.Make(ctx, pool.Wanted{ID: "clone-" + id, AtLeast: 32 << 20, From: id}); err != nil {
			break
		}
		if err = p.Remove(ctx, id); err == nil {
			fmt.Println("removed", id)
		}
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
	return true
}

func TestAKilledDriverLeavesNothingHalf(t *testing.T) {
	options := pooltest.Options(t, 512)
	for life := range 10 {
		said := killAfter(t, options, "life"+strconv.Itoa(life), time.Duration(50+rand.IntN(600))*time.Millisecond)
		p, err := pool.Open(t.Context(), options)
		if err != nil {
			t.Fatal(err)
		}
		for _, folder := range []string{"volumes", "snapshots"} {
			left, err := filepath.Glob(filepath.Join(p.Mount, folder, ".*"))
			if err != nil || len(left) > 0 {
				t.Errorf("%v is left half done (%v)", left, err)
			}
		}
		checkVolumes(t, p, said)
		if err := p.Unmount(); err != nil {
			t.Fatal(err)
		}
	}
}

func checkVolumes(t *testing.T, p *pool.Pool, said map[string]string) {
	t.Helper()
	all, err := p.Volumes()
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	for _, volume := range all {
		there[volume.ID] = true
		want := int64(16 << 20)
		if strings.HasPrefix(volume.ID, "clone-") {
			want = 32 << 20
		}
		if volume.Size != want {
			t.Errorf("volume %s has a size of %d, want %d", volume.ID, volume.Size, want)
		}
	}
	for id, word := range said {
		if word == "removed" && there[id] {
			t.Errorf("volume %s was removed and is there", id)
		}
	}
}

// killAfter lets the victim work for a while and gives its last word on each volume.
func killAfter(t *testing.T, options pool.Options, prefix string, while time.Duration) map[string]string {
	t.Helper()
	command := exec.Command("/proc/self/exe", victim, options.Mount, options.File, prefix)
	command.Stderr = os.Stderr
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	kill := time.AfterFunc(while, func() { _ = command.Process.Kill() })
	defer kill.Stop()
	said := map[string]string{}
	for lines := bufio.NewScanner(output); lines.Scan(); {
		if word, id, ok := strings.Cut(lines.Text(), " "); ok {
			said[id] = word
		}
	}
	_ = command.Wait()
	return said
}
