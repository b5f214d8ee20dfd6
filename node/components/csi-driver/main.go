// Command csi-driver gives pods volumes on this node's pool, a btrfs file system: with a size that is kept, snapshots and
// clones. One runs on every node. It speaks with kubelet and with the controllers beside it, by sockets; it never
// speaks with the API server.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"golang.org/x/sync/errgroup"

	"kubepanel.io/kubepanel/node/components/csi-driver/pool"
	"kubepanel.io/kubepanel/node/components/csi-driver/service"
)

// spare is what the pool's file leaves free on the disk, in bytes: kubelet stops taking pods at half of it.
const spare = 2 << 30

type options struct {
	pool    pool.Options
	node    string
	kubelet string
}

func main() {
	var o options
	gibibytes := flag.Int64("size", 0, "most that the pool's file may grow to, in GiB (0: as far as the disk has room)")
	flag.StringVar(&o.pool.Mount, "mount", "/var/lib/kubepanel-volumes/pool", "folder where the pool is mounted")
	flag.StringVar(&o.pool.File, "file", "/var/lib/kubepanel-volumes/pool.btrfs", "file that holds the pool")
	flag.StringVar(&o.pool.Device, "device", "", "block device that holds the pool, instead of the file; an empty one is formatted")
	flag.StringVar(&o.node, "node", os.Getenv("NODE_NAME"), "name of the node this runs on")
	flag.StringVar(&o.kubelet, "kubelet", "/var/lib/kubelet", "kubelet's folder")
	flag.Parse()
	o.pool.Spare = spare
	o.pool.Limit = *gibibytes << 30
	o.pool.Log = slog.New(slog.NewTextHandler(os.Stderr, nil))
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	err := run(ctx, o)
	stop()
	if err != nil {
		o.pool.Log.Error("csi-driver ends", "error", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	if o.node == "" {
		return errors.New("-node is not given")
	}
	p, err := pool.Open(ctx, o.pool)
	if err != nil {
		return err
	}
	folder := filepath.Join(o.kubelet, "plugins", service.Name)
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return fmt.Errorf("make the driver's folder: %w", err)
	}
	socket := filepath.Join(folder, "csi.sock")
	driver := &service.Service{Pool: p, Node: o.node, Log: o.pool.Log}
	registration := &service.Registration{Endpoint: socket, Log: o.pool.Log}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { p.Keep(ctx); return nil })
	group.Go(func() error { return driver.Serve(ctx, socket) })
	group.Go(func() error {
		return registration.Serve(ctx, filepath.Join(o.kubelet, "plugins_registry", service.Name+"-reg.sock"))
	})
	return group.Wait()
}
