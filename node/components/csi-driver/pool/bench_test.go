package pool_test

import (
	"strconv"
	"testing"

	"kubepanel.io/kubepanel/node/components/csi-driver/pool"
	"kubepanel.io/kubepanel/node/components/csi-driver/pool/pooltest"
)

// BenchmarkVolume makes a volume, takes a snapshot, makes a volume from it and removes all, each on the disk when it returns.
func BenchmarkVolume(b *testing.B) {
	p := pooltest.Open(b, pooltest.Options(b, 1024))
	ctx := b.Context()
	for round := 0; b.Loop(); round++ {
		id := strconv.Itoa(round)
		if _, err := p.Make(ctx, pool.Wanted{ID: id, AtLeast: 16 * mebibyte}); err != nil {
			b.Fatal(err)
		}
		snapshot, err := p.Snap(ctx, id, id)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := p.Make(ctx, pool.Wanted{ID: "from-" + id, AtLeast: 16 * mebibyte, From: snapshot.ID}); err != nil {
			b.Fatal(err)
		}
		for _, volume := range []string{id, "from-" + id} {
			if err := p.Remove(ctx, volume); err != nil {
				b.Fatal(err)
			}
		}
		if err := p.RemoveSnapshot(ctx, snapshot.ID); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkVolumes looks at how full a thousand volumes are.
func BenchmarkVolumes(b *testing.B) {
	p := pooltest.Open(b, pooltest.Options(b, 2048))
	for i := range 1000 {
		if _, err := p.Make(b.Context(), pool.Wanted{ID: strconv.Itoa(i), AtLeast: 16 * mebibyte}); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		if all, err := p.Volumes(); err != nil || len(all) != 1000 {
			b.Fatal(len(all), err)
		}
	}
}
