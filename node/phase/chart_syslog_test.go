package phase

import (
	"slices"
	"strings"
	"testing"
)

// The panel sends its trail where it is told to, and has the Secret that is named alone.
func TestThePanelSendsItsTrail(t *testing.T) {
	tests := map[string]struct {
		values string
		args   []string
	}{
		"nowhere":             {"", nil},
		"to a server":         {"panel: {syslog: 'logs.example.com:6514'}", []string{"--syslog=logs.example.com:6514"}},
		"to an address":       {"panel: {syslog: '[2001:db8::1]:6514'}", []string{"--syslog=[2001:db8::1]:6514"}},
		"with a certificate":  {"panel: {syslog: 'logs.example.com:6514', syslogSecret: syslog-tls}", []string{"--syslog=logs.example.com:6514", "--syslog-certificates=/etc/kubepanel-syslog"}},
		"a Secret of nothing": {"panel: {syslogSecret: syslog-tls}", nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			pod := render(t, test.values)["StatefulSet/kubepanel-panel"].Spec.Template.Spec
			var args []string
			for _, arg := range pod.Containers[0].Args {
				if strings.HasPrefix(arg, "--syslog") {
					args = append(args, arg)
				}
			}
			if !slices.Equal(args, test.args) {
				t.Errorf("args = %q, want %q", args, test.args)
			}
			mounted := slices.ContainsFunc(pod.Volumes, func(v map[string]any) bool { return v["name"] == "syslog" })
			if want := len(test.args) == 2; mounted != want {
				t.Errorf("the Secret is mounted: %t, want %t", mounted, want)
			}
		})
	}
	for _, values := range []string{"panel: {syslog: logs.example.com}", "panel: {syslog: 'tcp://logs.example.com:6514'}", "panel: {syslog: \"logs:6514\\nx\"}"} {
		if _, err := chartOf(t, values); err == nil || !strings.Contains(err.Error(), "/panel/syslog") {
			t.Errorf("%s: %v, want an error at /panel/syslog", values, err)
		}
	}
}
