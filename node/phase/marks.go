package phase

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"kubepanel.io/kubepanel/node/machine"
)

// A mark says that something was done whole with certain inputs. It is written
// last, so a run killed before leaves none and the next run does it again.

func fingerprint(inputs ...string) string {
	sum := sha256.New()
	for _, input := range inputs {
		fmt.Fprintf(sum, "%d:%s", len(input), input)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

func (n *Node) markFile(name string) string {
	return filepath.Join(n.machine.Dir(), "done", strings.ReplaceAll(name, " ", "-"))
}

// marked tells whether it was done with these very inputs.
func (n *Node) marked(name string, inputs ...string) bool {
	have, err := os.ReadFile(n.markFile(name))
	return err == nil && string(have) == fingerprint(inputs...)
}

// everMarked tells whether it was done with any inputs.
func (n *Node) everMarked(name string) bool {
	_, err := os.Stat(n.markFile(name))
	return err == nil
}

func (n *Node) mark(name string, inputs ...string) error {
	return machine.WriteFile(n.markFile(name), []byte(fingerprint(inputs...)), 0o600)
}

func (n *Node) unmark(name string) error {
	if err := os.Remove(n.markFile(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("forget that %s was done: %w", name, err)
	}
	return nil
}
