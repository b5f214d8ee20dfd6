package build

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// packages is what building and running a node takes from Debian. Newer
// releases of buildah look for netavark even where the network is the host's.
var packages = []string{
	"buildah", "ca-certificates", "conntrack", "e2fsprogs", "gcc", "golang-github-containers-common", "iproute2",
	"ipset", "iptables", "kmod", "libc6-dev", "libseccomp-dev", "mmdebstrap", "mount", "netavark", "nftables", "pkg-config", "procps", "util-linux",
}

// Prerequisites installs the Debian packages that are missing and says which.
// When all are there it asks only dpkg, which takes milliseconds.
func Prerequisites(ctx context.Context, log io.Writer) error {
	missing, err := missingPackages(ctx, packages)
	if err != nil || len(missing) == 0 {
		return err
	}
	p := &progress{to: log}
	if os.Geteuid() != 0 {
		return fmt.Errorf("these Debian packages are missing: %s; run as root, or install them by apt-get install", strings.Join(missing, " "))
	}
	p.line("installing by apt: %s", strings.Join(missing, " "))
	quiet := []string{"DEBIAN_FRONTEND=noninteractive"}
	if err := run(ctx, command{name: "apt-get", args: []string{"update", "-qq"}, env: quiet}); err != nil {
		return err
	}
	args := append([]string{"install", "-y", "-qq", "--no-install-recommends"}, missing...)
	return run(ctx, command{name: "apt-get", args: args, env: quiet})
}

// missingPackages asks dpkg which of the named packages are not installed.
func missingPackages(ctx context.Context, names []string) ([]string, error) {
	// dpkg-query fails when it has never heard of one of them, which is no
	// failure here: its answer lists those it knows.
	out, err := output(ctx, command{name: "dpkg-query", args: append([]string{"-W", "-f", "${db:Status-Status} ${Package}\n"}, names...)})
	if out == "" && err != nil {
		return nil, errors.Join(errors.New("ask dpkg what is installed"), err)
	}
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		return slices.Contains(strings.Split(out, "\n"), "installed "+name)
	}), nil
}
