package phase

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

const (
	// roomBytes is what the controllers beside the CSI driver write on a claim that the pool has no room for: how many
	// bytes could be had (components/csi-controllers/room.go).
	roomBytes = "kubepanel.io/room-bytes"
	// poolSpare is what the pool's file leaves free on the disk (components/csi-driver/main.go).
	poolSpare = 2 * gibibyte
)

// wanted is the largest volume that the platform itself asks for, in bytes.
type wanted struct {
	For   string
	Bytes uint64
}

// largestClaim reads the chart's values.
func largestClaim(values []byte) (wanted, error) {
	var parts map[string]yaml.Node
	if err := yaml.Unmarshal(values, &parts); err != nil {
		return wanted{}, fmt.Errorf("read the chart's values: %w", err)
	}
	var largest wanted
	for _, name := range sortedKeys(parts) {
		node := parts[name]
		var part struct{ Storage string }
		if node.Kind != yaml.MappingNode || node.Decode(&part) != nil || part.Storage == "" {
			continue // not a part with a volume
		}
		bytes, err := parseSize(part.Storage)
		if err != nil {
			return wanted{}, fmt.Errorf("read the chart's values: %s.storage: %w", name, err)
		}
		if bytes > largest.Bytes {
			largest = wanted{For: name, Bytes: bytes}
		}
	}
	return largest, nil
}

// parseSize reads a size in the forms that the chart uses, of all those that Kubernetes knows.
func parseSize(text string) (uint64, error) {
	for suffix, shift := range map[string]int{"Mi": 20, "Gi": 30, "Ti": 40} {
		number, ok := strings.CutSuffix(text, suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(number, 10, 20)
		if err != nil {
			break
		}
		return n << shift, nil
	}
	return 0, fmt.Errorf("%q is no size such as 512Mi or 10Gi", text)
}

// firstVolume is what a machine on which nothing ever ran will be asked for first; of another one the cluster knows
// better. Without the sources there is no chart to read, which a later phase says.
func (n *Node) firstVolume() (wanted, error) {
	if n.options.NodeOnly {
		return wanted{}, nil
	}
	if _, err := os.Stat(n.machine.Kubeconfig()); !errors.Is(err, fs.ErrNotExist) {
		return wanted{}, err
	}
	folder, err := findAbove(n.options.Root, chart)
	if err != nil {
		return wanted{}, nil //nolint:nilerr // said by the phase that needs them
	}
	values, err := os.ReadFile(filepath.Join(folder, "values.yaml"))
	if err != nil {
		return wanted{}, nil //nolint:nilerr // the same
	}
	return largestClaim(values)
}

// roomFacts reads what tells whether the first volume can be had.
func (n *Node) roomFacts(f *facts) (err error) {
	if f.VolumeDisk, err = freeDisk(n.path(volumeFolder)); err != nil {
		return err
	}
	if f.First, err = n.firstVolume(); err != nil {
		return err
	}
	pool, err := n.poolWanted()
	f.PoolLimit, f.PoolDevice = uint64(pool.GiB)*gibibyte, pool.Device != ""
	return err
}

// roomless says why the pool will refuse the first volume; "" is that it may do. A file system takes some for itself.
func (f facts) roomless() string {
	switch {
	case f.First.Bytes == 0:
		return ""
	case f.PoolLimit > 0 && f.PoolLimit <= f.First.Bytes:
		return fmt.Sprintf("Volumes may have %s together (--pool-size) and %s asks for one of %s: give --pool-size %d at least.",
			size(f.PoolLimit), f.First.For, size(f.First.Bytes), f.First.Bytes/gibibyte+2)
	case !f.PoolDevice && f.VolumeDisk <= f.First.Bytes+poolSpare:
		return fmt.Sprintf("%s are free where volumes are to lie, %s of it have to stay free, and %s asks for a volume of %s: free some, or give a disk of its own with --pool-device.",
			size(f.VolumeDisk), size(poolSpare), f.First.For, size(f.First.Bytes))
	}
	return ""
}

// claim is what of a PersistentVolumeClaim tells whether it can be had.
type claim struct {
	Metadata struct {
		Name        string
		Annotations map[string]string
	}
	Spec struct {
		Resources struct{ Requests struct{ Storage string } }
	}
	Status struct{ Phase string }
}

// refused tells how many bytes could be had at most, if the pool has no room for a claim.
func (c claim) refused() (room uint64, is bool) {
	room, err := strconv.ParseUint(c.Metadata.Annotations[roomBytes], 10, 64)
	return room, err == nil && c.Status.Phase == "Pending"
}

func (n *Node) claims(ctx context.Context, namespace string) ([]claim, error) {
	list, err := read[struct{ Items []claim }](ctx, n.api, "/api/v1/namespaces/"+namespace+"/persistentvolumeclaims")
	return list.Items, err
}

// askAgain forgets what an earlier run was told about room; that claims change lets the controllers look at once.
func (n *Node) askAgain(ctx context.Context, namespace string) error {
	all, err := n.claims(ctx, namespace)
	if err != nil {
		return err
	}
	for _, c := range all {
		if _, is := c.refused(); !is {
			continue
		}
		if _, err := n.tool(ctx, nil, "kubectl", "annotate", "persistentvolumeclaim", "--namespace", namespace, c.Metadata.Name, roomBytes+"-"); err != nil {
			return err
		}
	}
	return nil
}

// noRoom is an error about the first claim of a namespace that the pool has no room for. Waiting does not mend it.
func (n *Node) noRoom(ctx context.Context, namespace string) error {
	all, err := n.claims(ctx, namespace)
	if err != nil {
		return err
	}
	for _, c := range all {
		if room, is := c.refused(); is {
			return lasting{fmt.Errorf("volume %s asks for %s and %s can be had at most: free room on the disk below %s or raise --pool-size, and run this again",
				c.Metadata.Name, c.Spec.Resources.Requests.Storage, size(room), n.path(volumeFolder))}
		}
	}
	return nil
}
