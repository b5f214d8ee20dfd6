package lab

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/utils/ptr"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// accessChanges are changes of what stands beside the program, and of what it may
// use.
func accessChanges(p place) []fieldChange {
	changes := []fieldChange{
		{name: "database", fields: []string{"database.enabled"},
			edit: func(s *v1alpha1.DomainSpec) { s.Database.Enabled = ptr.To(true) },
			seen: shown("/database.php?add=1", "rows=1")},
		{name: "database off", fields: []string{"database.enabled"},
			edit: func(s *v1alpha1.DomainSpec) { s.Database.Enabled = ptr.To(false) },
			seen: shown("/database.php", "rows=none")},
		{name: "database on again", fields: []string{"database.enabled"},
			edit: func(s *v1alpha1.DomainSpec) { s.Database.Enabled = ptr.To(true) },
			seen: shown("/database.php", "rows=1")},
		{name: "sftp.authorizedKeys", fields: []string{"sftp.authorizedKeys"},
			edit: func(s *v1alpha1.DomainSpec) { s.SFTP.AuthorizedKeys = []string{p.key} },
			seen: soon("the customer's own key opens", func(ctx context.Context, tr tour) error {
				_, err := tr.sftp.with(tr.keys).list(ctx, ".")
				return err
			})},
		{name: "no sftp.authorizedKeys", fields: []string{"sftp.authorizedKeys"},
			edit: func(s *v1alpha1.DomainSpec) { s.SFTP.AuthorizedKeys = nil },
			seen: soon("the customer's own key opens no more", func(ctx context.Context, tr tour) error {
				return closed(tr.sftp.with(tr.keys).list(ctx, "."))
			})},
		{name: "sftp off", fields: []string{"sftp.enabled"}, effect: anotherPod,
			edit: func(s *v1alpha1.DomainSpec) { s.SFTP.Enabled = ptr.To(false) },
			seen: func(t testing.TB, tr tour) {
				if err := closed(tr.sftp.list(t.Context(), ".")); err != nil {
					t.Error(err)
				}
				if s := tr.state(t).Status.SFTP; s != nil {
					t.Errorf("status.sftp = %+v, want none", s)
				}
			}},
		{name: "sftp on", fields: []string{"sftp.enabled"}, effect: anotherPod,
			edit: func(s *v1alpha1.DomainSpec) { s.SFTP.Enabled = ptr.To(true) },
			seen: soon("the key opens again", func(ctx context.Context, tr tour) error {
				_, err := tr.sftp.list(ctx, ".")
				return err
			})},
		{name: "redis", fields: []string{"redis.enabled"}, effect: anotherPod,
			edit: func(s *v1alpha1.DomainSpec) { s.Redis.Enabled = true },
			seen: answers("/redis.php", "redis=kept")},
		{name: "no redis", fields: []string{"redis.enabled"}, effect: anotherPod,
			edit: func(s *v1alpha1.DomainSpec) { s.Redis.Enabled = false },
			seen: answers("/redis.php", "redis=none")},
		{name: "resources.storage", fields: []string{"resources.storage"},
			edit: func(s *v1alpha1.DomainSpec) { s.Resources.Storage = "2Gi" },
			seen: func(t testing.TB, tr tour) { tr.hasCapacity(t, "2Gi") }},
		{name: "resources.limits", fields: []string{"resources.limits.cpu", "resources.limits.memory"}, effect: anotherPod,
			edit: func(s *v1alpha1.DomainSpec) { s.Resources.Limits = v1alpha1.LimitsSpec{CPU: "900m", Memory: "700Mi"} },
			seen: has("limits", "900m", "700Mi", func(r corev1.ResourceRequirements) corev1.ResourceList { return r.Limits })},
		{name: "resources.requests", fields: []string{"resources.requests.cpu", "resources.requests.memory"}, effect: anotherPod,
			edit: func(s *v1alpha1.DomainSpec) {
				s.Resources.Requests = v1alpha1.RequestsSpec{CPU: "70m", Memory: "150Mi"}
			},
			seen: has("requests", "70m", "150Mi", func(r corev1.ResourceRequirements) corev1.ResourceList { return r.Requests })},
		{name: "preferredNodes", fields: []string{"preferredNodes"}, effect: anotherPod,
			edit: func(s *v1alpha1.DomainSpec) { s.PreferredNodes = []string{p.node} },
			seen: func(t testing.TB, tr tour) {
				pod := tr.pod(t)
				if a := pod.Spec.Affinity; a == nil || !strings.Contains(a.String(), p.node) || pod.Spec.NodeName != p.node {
					t.Errorf("the pod is on %s with %v, want it to prefer %s", pod.Spec.NodeName, a, p.node)
				}
			}},
		{name: "suspended", fields: []string{"suspended"}, effect: noPod,
			edit: func(s *v1alpha1.DomainSpec) { s.Suspended = true },
			seen: soon("visitors are told", func(ctx context.Context, tr tour) error {
				got, err := tr.visitor.get(ctx, tr.url()+"/steady.php")
				if err == nil && (got.status != 503 || got.header.Get("Retry-After") == "") {
					err = fmt.Errorf("they get %d with Retry-After %q", got.status, got.header.Get("Retry-After"))
				}
				return err
			})},
		{name: "not suspended", fields: []string{"suspended"}, effect: anotherPod,
			edit: func(s *v1alpha1.DomainSpec) { s.Suspended = false },
			seen: answers("/where.txt", "at the top")},
	}
	if !p.shell {
		return changes
	}
	return append(changes, shellChanges()...)
}

func shellChanges() []fieldChange {
	return []fieldChange{
		{name: "sftp.type sshgit", fields: []string{"sftp.type"}, effect: anotherPod,
			edit: func(s *v1alpha1.DomainSpec) { s.SFTP.Type = v1alpha1.SFTPGit },
			seen: func(t testing.TB, tr tour) {
				eventually(t, "there is a shell", settleLimit, func(context.Context) error {
					out, err := tr.sftp.ssh(t, "git --version; id -u")
					if err == nil && !strings.HasSuffix(strings.TrimSpace(out), "10000") {
						err = errors.New(out)
					}
					return err
				})
			}},
		{name: "sftp.type standard", fields: []string{"sftp.type"}, effect: anotherPod,
			edit: func(s *v1alpha1.DomainSpec) { s.SFTP.Type = v1alpha1.SFTPStandard },
			seen: func(t testing.TB, tr tour) {
				if out, err := tr.sftp.ssh(t, "id -u"); err == nil {
					t.Errorf("there is still a shell: %s", out)
				}
			}},
	}
}

// has looks whether all containers together have what was bought.
func has(what, cpu, memory string, of func(corev1.ResourceRequirements) corev1.ResourceList) func(testing.TB, tour) {
	return func(t testing.TB, tr tour) {
		var haveCPU, haveMemory resource.Quantity
		for _, c := range tr.pod(t).Spec.Containers {
			list := of(c.Resources)
			haveCPU.Add(list[corev1.ResourceCPU])
			haveMemory.Add(list[corev1.ResourceMemory])
		}
		if haveCPU.Cmp(resource.MustParse(cpu)) != 0 || haveMemory.Cmp(resource.MustParse(memory)) != 0 {
			t.Errorf("%s of all containers together are %s and %s, want %s and %s", what, haveCPU.String(), haveMemory.String(), cpu, memory)
		}
	}
}

// closed wants a refusal, which is told from a server that can't be reached at all
// only by a twin that gets in.
func closed(out string, err error) error {
	if err == nil {
		return fmt.Errorf("it is open: %s", out)
	}
	return nil
}

// list shows a folder.
func (c sftpClient) list(ctx context.Context, folder string) (string, error) {
	return c.batch(ctx, "publickey", "ls -1 "+folder+"\n")
}

// with is the same client with another key pair.
func (c sftpClient) with(keys string) sftpClient {
	c.keys = keys
	return c
}
