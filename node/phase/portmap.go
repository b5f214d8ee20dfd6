package phase

import (
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
)

// portmapBackend chooses how host ports are made. nft of Debian 12 (1.0.6)
// crashes on reading the rules that kube-proxy's newer one has made, and
// changing a chain needs reading; iptables looks only at tables of its own.
func portmapBackend(version string) string {
	_, number, ok := strings.Cut(version, " v")
	parts := strings.SplitN(number, ".", 3)
	if !ok || len(parts) < 2 {
		return "iptables"
	}
	major, majorErr := strconv.Atoi(parts[0])
	minor, minorErr := strconv.Atoi(parts[1])
	if majorErr != nil || minorErr != nil || major < 1 || (major == 1 && minor < 1) {
		return "iptables"
	}
	return "nftables"
}

func nftVersion(ctx context.Context) (string, error) {
	output, err := exec.CommandContext(ctx, "nft", "--version").Output()
	if err != nil {
		return "", fmt.Errorf("ask nft for its version: %w", err)
	}
	return string(output), nil
}
