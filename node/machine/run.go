package machine

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strings"
)

// run executes a program and gives what it said as the error when it fails.
func run(ctx context.Context, input string, name string, args ...string) error {
	command := exec.CommandContext(ctx, name, args...)
	var said bytes.Buffer
	command.Stdin, command.Stdout, command.Stderr = strings.NewReader(input), &said, &said
	if err := command.Run(); err != nil {
		return fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, strings.TrimSpace(said.String()))
	}
	return nil
}
