package lab

import (
	"strings"
	"testing"
)

func TestCPUGroupInBothHierarchies(t *testing.T) {
	tests := map[string]struct{ lines, want string }{
		"version 1":        {"3:cpuset:/a\n2:cpu,cpuacct:/machine/inside\n0::/b\n", "/sys/fs/cgroup/cpu/machine/inside"},
		"version 2":        {"0::/machine/inside\n", "/sys/fs/cgroup/machine/inside"},
		"cpuset is not it": {"3:cpuset:/a\n0::/b\n", "/sys/fs/cgroup/b"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got, err := cpuGroup(tt.lines); got != tt.want || err != nil {
				t.Errorf("cpuGroup = %s, %v, want %s", got, err, tt.want)
			}
		})
	}
	if got, err := cpuGroup("3:cpuset:/a\n"); err == nil {
		t.Errorf("cpuGroup = %s, want an error", got)
	}
}

func TestPlainNginxListensWhereItIsAsked(t *testing.T) {
	text := plainNginx("192.0.2.1", "18443", "shop.example")
	for _, want := range []string{"listen 192.0.2.1:18443 ssl;", "server_name shop.example;"} {
		if !strings.Contains(text, want) {
			t.Errorf("the configuration lacks %q", want)
		}
	}
}
