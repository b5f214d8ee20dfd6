package service

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"

	"kubepanel.io/kubepanel/node/components/csi-driver/pool"
	"kubepanel.io/kubepanel/node/components/csi-driver/pool/pooltest"
)

// TestUsageIsWhatWasWritten asks over the socket, as the controllers do.
func TestUsageIsWhatWasWritten(t *testing.T) {
	const mebibyte = 1 << 20
	options := pooltest.Options(t, 2048)
	s := &Service{Pool: pooltest.Open(t, options), Node: "one", Log: options.Log}
	volume, err := s.Pool.Make(t.Context(), pool.Wanted{ID: "half", AtLeast: 64 * mebibyte})
	if err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(t.TempDir(), "csi.sock")
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- s.Serve(ctx, socket) }()
	conn, err := grpc.NewClient("unix://"+socket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		conn.Close()
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	used := func() int64 {
		answer := &structpb.Struct{}
		if err := conn.Invoke(t.Context(), UsageMethod, &emptypb.Empty{}, answer, grpc.WaitForReady(true)); err != nil {
			t.Fatal(err)
		}
		if len(answer.GetFields()) != 1 {
			t.Fatalf("usage of %v, want that of one volume", answer.GetFields())
		}
		return int64(answer.GetFields()["half"].GetNumberValue())
	}
	if n := used(); n > mebibyte {
		t.Errorf("an empty volume uses %d bytes", n)
	}
	if err := os.WriteFile(filepath.Join(volume.Path, "file"), bytes.Repeat([]byte("x"), 32*mebibyte), 0o600); err != nil {
		t.Fatal(err)
	}
	unix.Sync() // btrfs counts what has reached the disk
	if n := used(); n < 32*mebibyte || n > 34*mebibyte {
		t.Errorf("%d bytes are used after writing %d", n, 32*mebibyte)
	}
}
