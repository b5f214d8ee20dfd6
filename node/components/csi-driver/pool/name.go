package pool

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strings"
)

// hashed marks an ID that stands for a name which could not stand itself.
const hashed = "sha256-"

// safe is what may be a folder's name: 80 characters, so that a snapshot's and its volume's fit one name.
var safe = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,79}$`)

// ID is the folder's name of what the caller named: the name itself where that is safe, as all of Kubernetes' are,
// else its hash. The same name always gives the same ID, two names never the same.
func ID(name string) string {
	if valid(name) && !strings.HasPrefix(name, hashed) {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	return hashed + hex.EncodeToString(sum[:])
}

// valid tells whether an ID may be part of a path.
func valid(id string) bool { return safe.MatchString(id) }

// SnapshotID joins a snapshot's name and its volume's ID, which no other folder tells once the volume is gone.
func SnapshotID(name, volume string) string { return ID(name) + "@" + volume }

// splitSnapshot is the reverse; ok is false for an ID that SnapshotID never gave.
func splitSnapshot(id string) (name, volume string, ok bool) {
	name, volume, ok = strings.Cut(id, "@")
	return name, volume, ok && valid(name) && valid(volume)
}
