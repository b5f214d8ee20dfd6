package lab

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// poolVolumes is where the node's CSI driver keeps volumes (docs/node/storage.md).
const poolVolumes = "/var/lib/kubepanel-volumes/pool/volumes/"

// fillScript writes until it is refused and prints how many MiB that were.
const fillScript = `<?php
$file = fopen('/var/www/html/fill-' . $argv[1], 'w');
$block = random_bytes(1 << 20);
for ($n = 0; $n < 4096 && @fwrite($file, $block) === 1 << 20; $n++);
echo $n;`

// TestAFullVolumeStopsItsOwnSiteAlone: what is sold is what can be written; the neighbour writes on, the kubelet tells
// how full the volume is, and a larger size helps at once, without a restart.
func TestAFullVolumeStopsItsOwnSiteAlone(t *testing.T) {
	c := openCluster(t)
	full := c.newSite(t, "brimful.localhost", "--storage", "1Gi")
	neighbour := c.newSite(t, "roomy.localhost", "--storage", "1Gi")
	before := full.pod(t)

	if written := full.fill(t, "first"); written < 950 || written > 1024 {
		t.Errorf("%d MiB fit into a volume of 1 GiB", written)
	}
	if written := neighbour.php(t, `<?php echo file_put_contents('/var/www/html/beside', str_repeat('x', 8 << 20));`); written != strconv.Itoa(8*mebibyte) {
		t.Errorf("the neighbour wrote %s bytes, want %d", written, 8*mebibyte)
	}
	eventually(t, "the kubelet tells that the volume is full", settleLimit, func(ctx context.Context) error {
		used, size, err := full.volumeUsage(ctx)
		if err == nil && (size != 1024*mebibyte || used < 950*mebibyte) {
			err = fmt.Errorf("%d of %d bytes are used", used, size)
		}
		return err
	})

	c.kubepanel(t, "site", "set", full.name, "--storage", "2Gi").must(t)
	full.hasCapacity(t, "2Gi")
	if written := full.fill(t, "second"); written < 950 || written > 1024 {
		t.Errorf("%d MiB more fit after growing by 1 GiB", written)
	}
	after := full.pod(t)
	if after.UID != before.UID || restarts(after) != restarts(before) {
		t.Errorf("growing restarted the site: pod %s with %d restarts became %s with %d", before.Name, restarts(before), after.Name, restarts(after))
	}
	full.php(t, `<?php array_map('unlink', glob('/var/www/html/fill-*')) || exit(1);`)
	full.put(t, "after.txt", "there is room again")
}

// TestAVolumeThatFillsUpIsTold: the status says so before anything fails of it, says
// when it is full, and falls back.
func TestAVolumeThatFillsUpIsTold(t *testing.T) {
	c := openCluster(t)
	s := c.newSite(t, "filling.localhost", "--storage", "1Gi")
	s.tellsOfItsVolume(t, "True", "Satisfied", 0, 64)

	s.php(t, `<?php $f = fopen('/var/www/html/fill-most', 'w'); $b = random_bytes(1 << 20); for ($n = 0; $n < 970; $n++) fwrite($f, $b) === 1 << 20 || exit(1);`)
	s.tellsOfItsVolume(t, "True", "VolumeNearlyFull", 960, 1000)
	s.becomes(t, v1alpha1.ConditionReady, "True", settleLimit)
	s.fill(t, "rest")
	s.tellsOfItsVolume(t, "False", "VolumeFull", 1000, 1024)
	s.becomes(t, v1alpha1.ConditionReady, "False", settleLimit)
	s.php(t, `<?php array_map('unlink', glob('/var/www/html/fill-*')) || exit(1);`)
	s.tellsOfItsVolume(t, "True", "Satisfied", 0, 64)
	s.becomes(t, v1alpha1.ConditionReady, "True", settleLimit)
}

// TestAVolumeWithoutRoomIsToldAtOnce: more than the disk could hold is refused with what
// can be had, at the site and on the claim, and the site can go again.
func TestAVolumeWithoutRoomIsToldAtOnce(t *testing.T) {
	c := openCluster(t)
	s := c.expectSite(t, "immense.localhost")
	c.kubepanel(t, "site", "create", s.name, "--storage", "60000Gi").must(t)
	eventually(t, s.name+" says that there is no room", settleLimit, func(ctx context.Context) error {
		d, err := s.domain(ctx)
		if err != nil {
			return err
		}
		have := meta.FindStatusCondition(d.Status.Conditions, v1alpha1.ConditionPVCReady)
		if have == nil || have.Reason != "NoRoom" || !strings.Contains(have.Message, "asks for 60000Gi and there is room for ") {
			return fmt.Errorf("it says otherwise: %s", summary(d))
		}
		return nil
	})
	namespace := s.namespace(t)
	eventually(t, "the claim has an event", settleLimit, func(ctx context.Context) error {
		var events corev1.EventList
		if err := c.List(ctx, &events, client.InNamespace(namespace), client.MatchingFields{"reason": "ProvisioningFailed"}); err != nil {
			return err
		}
		for _, e := range events.Items {
			if strings.Contains(e.Message, "60000.0 GiB are asked for and ") {
				return nil
			}
		}
		return fmt.Errorf("none of %d events tells of it", len(events.Items))
	})
}

// tellsOfItsVolume waits for a condition and for what is used, in MiB. btrfs counts
// what has reached the disk, and the driver looks every quarter of a minute.
func (s site) tellsOfItsVolume(t testing.TB, status metav1.ConditionStatus, reason string, least, most int64) {
	t.Helper()
	eventually(t, s.name+" tells how full its volume is", settleLimit, func(ctx context.Context) error {
		d, err := s.domain(ctx)
		if err != nil {
			return err
		}
		have, storage := meta.FindStatusCondition(d.Status.Conditions, v1alpha1.ConditionPVCReady), d.Status.Storage
		if have == nil || storage == nil {
			return fmt.Errorf("it says nothing yet: %s", summary(d))
		}
		used, err := resource.ParseQuantity(storage.Used)
		if err != nil || have.Status != status || have.Reason != reason || used.Value() < least*mebibyte || used.Value() > most*mebibyte {
			return fmt.Errorf("PVCReady is %s (%s: %s) with %q used of %s", have.Status, have.Reason, have.Message, storage.Used, storage.Size)
		}
		return nil
	})
}

// fill writes a file until the volume is full and gives its size in MiB.
func (s site) fill(t testing.TB, name string) int {
	t.Helper()
	said := s.php(t, fillScript, name)
	written, err := strconv.Atoi(strings.TrimSpace(said))
	if err != nil {
		t.Fatalf("fill the volume: %q: %v", said, err)
	}
	return written
}

// hasCapacity waits until the site's claim has been granted a size.
func (s site) hasCapacity(t testing.TB, size string) {
	t.Helper()
	want := resource.MustParse(size)
	eventually(t, "the volume has "+size, settleLimit, func(ctx context.Context) error {
		var claim corev1.PersistentVolumeClaim
		if err := s.Get(ctx, client.ObjectKey{Namespace: s.namespace(t), Name: "data"}, &claim); err != nil {
			return err
		}
		if have := claim.Status.Capacity[corev1.ResourceStorage]; have.Cmp(want) != 0 {
			return fmt.Errorf("it has %s", have.String())
		}
		return nil
	})
}

// volumeUsage asks the kubelet, whose figures are those of every monitoring.
func (s site) volumeUsage(ctx context.Context) (used, size int64, err error) {
	d, err := s.domain(ctx)
	if err != nil {
		return 0, 0, err
	}
	text, err := s.clientset.CoreV1().RESTClient().Get().AbsPath("/api/v1/nodes/" + s.node + "/proxy/stats/summary").DoRaw(ctx)
	if err != nil {
		return 0, 0, err
	}
	var summary struct {
		Pods []struct {
			Volume []struct {
				UsedBytes, CapacityBytes int64
				PVCRef                   struct{ Namespace, Name string }
			}
		}
	}
	if err := json.Unmarshal(text, &summary); err != nil {
		return 0, 0, err
	}
	for _, pod := range summary.Pods {
		for _, volume := range pod.Volume {
			if volume.PVCRef.Namespace == d.Status.Namespace && volume.PVCRef.Name == "data" {
				return volume.UsedBytes, volume.CapacityBytes, nil
			}
		}
	}
	return 0, 0, fmt.Errorf("the kubelet says nothing about the volume of %s", s.name)
}

func restarts(pod *corev1.Pod) int {
	count := 0
	for _, container := range pod.Status.ContainerStatuses {
		count += int(container.RestartCount)
	}
	return count
}
