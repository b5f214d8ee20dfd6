package shell

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
)

// branch is the one whose push is put in place; the customer may name another.
const branch = "main"

// MakeRepository makes a folder a repository that a push deploys to, unless it is
// one. Git itself puts the files in place when the branch is pushed, and refuses
// when one was changed on the server since (receive.denyCurrentBranch in
// git-config(1)). What is in the repository is the customer's own from then on.
func MakeRepository(ctx context.Context, project string) error {
	repository := filepath.Join(project, ".git")
	// HEAD comes last, so a start that was cut off is made whole by the next.
	if _, err := os.Lstat(filepath.Join(repository, "HEAD")); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(repository, 0o755); err != nil {
		return fmt.Errorf("make the repository: %w", err)
	}
	for _, args := range [][]string{
		{"config", "--file", filepath.Join(repository, "config"), "receive.denyCurrentBranch", "updateInstead"},
		{"init", "--quiet", "--initial-branch=" + branch, project},
	} {
		if out, err := exec.CommandContext(ctx, "git", args...).CombinedOutput(); err != nil {
			return fmt.Errorf("make the repository: git %s: %w: %s", args[0], err, out)
		}
	}
	return nil
}
