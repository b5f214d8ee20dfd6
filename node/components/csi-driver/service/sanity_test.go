package service

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/kubernetes-csi/csi-test/v5/pkg/sanity"

	"kubepanel.io/kubepanel/node/components/csi-driver/pool/pooltest"
)

func TestMain(m *testing.M) { os.Exit(pooltest.Main(m)) }

// TestSanity is the suite that every CSI driver is held to.
func TestSanity(t *testing.T) {
	options := pooltest.Options(t, 2048)
	s := &Service{Pool: pooltest.Open(t, options), Node: "one", Log: options.Log}
	folder := t.TempDir()
	socket := filepath.Join(folder, "csi.sock")
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- s.Serve(ctx, socket) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	config := sanity.NewTestConfig()
	config.Address = socket
	config.TargetPath, config.StagingPath = filepath.Join(folder, "target"), filepath.Join(folder, "staging")
	config.TestVolumeSize, config.TestVolumeExpandSize = 100<<20, 200<<20
	sanity.Test(t, config)
}
