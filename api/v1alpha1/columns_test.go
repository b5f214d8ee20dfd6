package v1alpha1_test

import (
	"os/exec"
	"strings"
	"testing"

	"kubepanel.io/kubepanel/internal/kubetest"
)

// kubectl is what an operator looks with, so kubectl is what is asked.
func TestKubectlShowsWhatAnOperatorWants(t *testing.T) {
	tests := map[string]struct{ short, header string }{
		"domain":           {"dom", "NAME PHASE READY TYPE VERSION URL AGE MESSAGE"},
		"backup":           {"bak", "NAME DOMAIN TYPE PHASE SIZE COMPLETED AGE MESSAGE"},
		"databaseaccess":   {"dba", "NAME DOMAIN READONLY PHASE EXPIRES AGE MESSAGE"},
		"restore":          {"rst", "NAME DOMAIN TYPE BACKUP PHASE COMPLETED AGE MESSAGE"},
		"dnszone":          {"dz", "NAME ZONE PROVIDER PHASE RECORDS SYNCED AGE MESSAGE"},
		"globalwaf":        {"gwaf", "NAME ENABLED PHASE RULES SYNCED AGE MESSAGE"},
		"domainwaf":        {"dwaf", "NAME ENABLED PHASE RULES SYNCED AGE MESSAGE"},
		"globall3firewall": {"gl3f", "NAME ENABLED PHASE RULES SYNCED AGE MESSAGE"},
		"smtpfirewall":     {"smtpfw", "NAME PHASE SENDERS DOMAINS IPS LIMITS SYNCED AGE MESSAGE"},
		"nodemaintenance":  {"nm", "NAME DRAIN READY LEFT AGE MESSAGE"},
		"license":          {"lic", "NAME TIER VALID DOMAINS MAX EXPIRES AGE MESSAGE"},
	}
	program, err := kubetest.Program("kubectl")
	if err != nil {
		t.Fatal(err)
	}
	all := tables(t)
	for kind, tt := range tests {
		t.Run(kind, func(t *testing.T) {
			object := patched(t, all[kind].Base, nil)
			if err := cluster.Client.Create(t.Context(), object); err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := cluster.Client.Delete(t.Context(), object); err != nil {
					t.Error(err)
				}
			}()
			get := exec.CommandContext(t.Context(), program, "--kubeconfig", cluster.Kubeconfig, "get", tt.short, "-o", "wide")
			out, err := get.CombinedOutput()
			if err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			header, _, _ := strings.Cut(string(out), "\n")
			if got := strings.Join(strings.Fields(header), " "); got != tt.header {
				t.Errorf("kubectl get %s -o wide shows %q, want %q", tt.short, got, tt.header)
			}
		})
	}
}
