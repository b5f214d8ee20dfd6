package edge_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"kubepanel.io/kubepanel/internal/kubetest"
)

// grant gives user what the chart gives the edge, and returns its name.
func (s *stage) grant() (user string) {
	s.t.Helper()
	user = "edge-of-" + s.name
	subjects := []rbacv1.Subject{{Kind: rbacv1.UserKind, Name: user}}
	meta := metav1.ObjectMeta{Name: user}
	ctx, opts := context.Background(), metav1.CreateOptions{}
	rbac := s.client.RbacV1()
	if _, err := rbac.ClusterRoles().Create(ctx, &rbacv1.ClusterRole{ObjectMeta: meta, Rules: s.chartRules("ClusterRole")}, opts); err != nil {
		s.t.Fatal(err)
	}
	if _, err := rbac.ClusterRoleBindings().Create(ctx, &rbacv1.ClusterRoleBinding{ObjectMeta: meta, Subjects: subjects,
		RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: user}}, opts); err != nil {
		s.t.Fatal(err)
	}
	if _, err := rbac.Roles(s.name).Create(ctx, &rbacv1.Role{ObjectMeta: meta, Rules: s.chartRules("Role")}, opts); err != nil {
		s.t.Fatal(err)
	}
	if _, err := rbac.RoleBindings(s.name).Create(ctx, &rbacv1.RoleBinding{ObjectMeta: meta, Subjects: subjects,
		RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: user}}, opts); err != nil {
		s.t.Fatal(err)
	}
	return user
}

// chartRules reads the rules of the chart's template. They hold nothing that Helm
// fills in.
func (s *stage) chartRules(kind string) []rbacv1.PolicyRule {
	s.t.Helper()
	root, err := kubetest.Root()
	if err != nil {
		s.t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(root, "deploy/kubepanel/templates/edge.yaml"))
	if err != nil {
		s.t.Fatal(err)
	}
	for document := range strings.SplitSeq(string(text), "\n---\n") {
		if !strings.Contains(document, "\nkind: "+kind+"\n") {
			continue
		}
		var role struct{ Rules []rbacv1.PolicyRule }
		_, rules, _ := strings.Cut(document, "\nrules:")
		if err := yaml.UnmarshalStrict([]byte("rules:"+rules), &role); err != nil {
			s.t.Fatal(err)
		}
		return role.Rules
	}
	s.t.Fatalf("the chart's edge has no %s", kind)
	return nil
}
