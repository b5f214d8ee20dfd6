package pool

import (
	"slices"
	"strings"
	"testing"
)

func FuzzIDIsAFolderOfItsOwn(f *testing.F) {
	for _, name := range []string{"pvc-0a1b2c3d-0000-4000-8000-123456789abc", "", "..", "a/b", "a@b", hashed + "00", strings.Repeat("x", 128), "ä"} {
		f.Add(name, "other")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		id := ID(a)
		if !valid(id) || strings.ContainsAny(id, "/@") || strings.Trim(id, ".") == "" {
			t.Errorf("ID(%q) = %q, which is no folder's name", a, id)
		}
		if a != b && id == ID(b) {
			t.Errorf("ID(%q) = ID(%q) = %q", a, b, id)
		}
		snapshot := SnapshotID(a, ID(b))
		if name, volume, ok := splitSnapshot(snapshot); !ok || name != id || volume != ID(b) || len(snapshot) > 255 {
			t.Errorf("splitSnapshot(%q) = %q, %q, %t", snapshot, name, volume, ok)
		}
	})
}

func FuzzFindMounts(f *testing.F) {
	const table = "22 1 0:5 / /pool rw - btrfs /dev/loop0 rw\n23 1 0:5 /volumes/a /target rw - btrfs /dev/loop0 rw\n" +
		"24 1 0:6 /volumes/b /other rw - btrfs /dev/loop1 rw\n25 1 0:5 /volumes/a/sub /part rw - btrfs /dev/loop0 rw\n"
	f.Add(table)
	for folder, want := range map[string][]mountPoint{
		"/volumes/a": {{"/", "/target"}, {"/sub", "/part"}}, "/volumes/b": nil, "/volumes/aa": nil, "/volumes/": nil,
	} {
		if got, err := findMounts(strings.NewReader(table), "/pool", folder); !slices.Equal(got, want) || err != nil {
			f.Errorf("findMounts(%s) = %q, %v; want %q", folder, got, err, want)
		}
	}
	f.Fuzz(func(t *testing.T, table string) {
		got, _ := findMounts(strings.NewReader(table), "/pool", "/volumes/a")
		for _, m := range got {
			if !strings.Contains(table, m.target) {
				t.Errorf("findMounts gives %q, which the table does not hold", m.target)
			}
		}
	})
}

func TestQuotasOfSubvolumesAreRecognised(t *testing.T) {
	for name, want := range map[string]uint64{"0_256": 256, "0_5": 0, "1_300": 0, "enabled": 0, "0_": 0, "0_x": 0} {
		if got, ok := subvolumeOf(name); ok != (want > 0) || (ok && got != want) {
			t.Errorf("subvolumeOf(%q) = %d, %t; want %d", name, got, ok, want)
		}
	}
}
