// Package axe gives tests axe-core, which finds what people with another way of seeing
// or pointing would meet on a page. It must never be imported by anything but tests.
package axe

import (
	"crypto/sha512"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// It is npm's package of exactly this content.
const (
	npmPackage = "axe-core@4.11.0"
	digest     = "09ebd01ec7e7320772eb4245a3be6e99d88a29b7eed380eaf975fcc435d1ea0dca046c46379b7b1d3589a03c7f164fe4796b3a5611b4ce50b9459b7848a36cab"
)

// Script returns the text of axe.min.js, from npm or npm's own cache. It ends with what
// a browser can give back.
func Script(t testing.TB) string {
	t.Helper()
	folder := t.TempDir()
	for _, line := range [][]string{{"npm", "pack", "--silent", "--prefer-offline", npmPackage}, {"tar", "-xzf", "axe-core-4.11.0.tgz", "package/axe.min.js"}} {
		command := exec.CommandContext(t.Context(), line[0], line[1:]...)
		command.Dir = folder
		if out, err := command.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %s", strings.Join(line, " "), err, out)
		}
	}
	text, err := os.ReadFile(filepath.Join(folder, "package/axe.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	if sum := sha512.Sum512(text); hex.EncodeToString(sum[:]) != digest {
		t.Fatalf("%s is not what it was: SHA-512 %x", npmPackage, sum)
	}
	return string(text) + "\n;true"
}

// Ask is an expression whose promise is a list of texts, one for each thing that is
// wrong with the page: contrast, labels, roles, names, sizes.
const Ask = `(async () => {
	const {violations} = await axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice']});
	return violations.flatMap(v => v.nodes.map(n => v.id + ': ' + n.target.join(' ') + ': ' + n.failureSummary.split('\n').slice(1).join('; ')));
})()`
