package keeper

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Verdicts of a status file.
const (
	accepted = "accepted"
	refused  = "refused"
)

// maxMessage is how many bytes of a program's complaint are passed on: a person
// reads it in a condition.
const maxMessage = 800

// tell writes the status file: the revision that was looked at, the verdict, and
// after these two lines why it was refused. A reader never sees half of it.
func (k *Keeper) tell(revision, verdict, message string) {
	text := strings.TrimSpace(revision) + "\n" + verdict + "\n" + clip(message) + "\n"
	if err := replaceFile(k.Status, text); err != nil {
		k.log("the outcome can't be told: " + err.Error())
	}
	if verdict == refused {
		k.log("configuration " + strings.TrimSpace(revision) + " is refused: " + clip(message))
	}
}

func replaceFile(path, text string) error {
	next := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".next")
	if err := os.WriteFile(next, []byte(text), 0o644); err != nil { // nginx reads it and passes it on
		return err
	}
	return os.Rename(next, path)
}

func (k *Keeper) log(text string) { _, _ = fmt.Fprintln(k.Stderr, "keeper: "+text) }

// clip makes a program's output one short text without control characters.
func clip(text string) string {
	text = strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return ' '
		}
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, strings.ToValidUTF8(strings.TrimSpace(text), "?"))
	if len(text) > maxMessage {
		text = strings.ToValidUTF8(text[:maxMessage], "") + "…"
	}
	return text
}
