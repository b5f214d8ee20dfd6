package kubetest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

// controllers is a kube-controller-manager that does what deletion needs:
// it empties namespaces and removes what an owner left. Nothing rolls out.
type controllers struct {
	process *exec.Cmd
}

func startControllers(program, kubeconfig string) (*controllers, error) {
	process := exec.Command(program,
		"--kubeconfig", kubeconfig,
		"--controllers", "namespace-controller,garbage-collector-controller",
		"--leader-elect=false",
		"--secure-port=0",
	)
	// It ends with the tests, however they end.
	process.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if os.Getenv("KUBEBUILDER_ATTACH_CONTROL_PLANE_OUTPUT") == "true" {
		process.Stdout, process.Stderr = os.Stdout, os.Stderr
	}
	if err := process.Start(); err != nil {
		return nil, fmt.Errorf("start kube-controller-manager: %w", err)
	}
	return &controllers{process: process}, nil
}

// stop kills the process: it keeps nothing that a tidy end would save.
func (c *controllers) stop() error {
	if c == nil {
		return nil
	}
	if err := c.process.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop kube-controller-manager: %w", err)
	}
	// Wait tells that it was killed, which is what we wanted.
	_ = c.process.Wait()
	return nil
}
