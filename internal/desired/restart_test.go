package desired_test

import (
	"reflect"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/desired"
)

// What differs in the pod's template restarts the site; docs/operator.md has the
// same table for people.
func TestWhatRestartsASite(t *testing.T) {
	const php, wordpress, node = "testdata/site/plain-php.yaml", "testdata/site/wordpress-redis.yaml", "testdata/site/nodejs.yaml"
	tests := map[string]struct {
		site     string
		edit     func(*v1alpha1.DomainSpec)
		restarts bool
	}{
		"title":               {php, func(s *v1alpha1.DomainSpec) { s.Title = "Another" }, false},
		"aliases":             {php, func(s *v1alpha1.DomainSpec) { s.Aliases = []v1alpha1.DomainAlias{{Name: "also.example"}} }, false},
		"timezone":            {php, func(s *v1alpha1.DomainSpec) { s.Timezone = "Asia/Tokyo" }, false},
		"settings":            {php, func(s *v1alpha1.DomainSpec) { s.Workload.Settings = map[string]v1alpha1.Setting{"memoryLimit": "99M"} }, false},
		"customConfig":        {php, func(s *v1alpha1.DomainSpec) { s.Workload.CustomConfig = "user_agent = a" }, false},
		"port":                {node, func(s *v1alpha1.DomainSpec) { s.Workload.Port = 9999 }, false},
		"proxyMode":           {node, func(s *v1alpha1.DomainSpec) { s.Workload.ProxyMode = v1alpha1.ProxyUWSGI }, false},
		"documentRoot":        {php, func(s *v1alpha1.DomainSpec) { s.Webserver.DocumentRoot = "public" }, false},
		"WordPress' own root": {wordpress, func(s *v1alpha1.DomainSpec) { s.Webserver.DocumentRoot = "public" }, true},
		"a program's root":    {node, func(s *v1alpha1.DomainSpec) { s.Webserver.DocumentRoot = "/var/www/app" }, false},
		"web server's lines":  {php, func(s *v1alpha1.DomainSpec) { s.Webserver.CustomConfig = "gzip off;" }, false},
		"page cache":          {php, func(s *v1alpha1.DomainSpec) { s.Webserver.Cache.Enabled = true }, false},
		"an upload of 64 MiB": {php, func(s *v1alpha1.DomainSpec) { s.Webserver.ClientMaxBodySize = "64m" }, false},
		"an upload of 2 GiB":  {php, func(s *v1alpha1.DomainSpec) { s.Webserver.ClientMaxBodySize = "2g" }, true},
		"database":            {php, func(s *v1alpha1.DomainSpec) { s.Database.Enabled = ptr.To(false) }, false},
		"authorizedKeys":      {php, func(s *v1alpha1.DomainSpec) { s.SFTP.AuthorizedKeys = []string{"ssh-ed25519 AAAA"} }, false},
		"storage":             {php, func(s *v1alpha1.DomainSpec) { s.Resources.Storage = "99Gi" }, false},
		"sftp":                {php, func(s *v1alpha1.DomainSpec) { s.SFTP.Enabled = ptr.To(false) }, true},
		"redis":               {php, func(s *v1alpha1.DomainSpec) { s.Redis.Enabled = true }, true},
		"limits":              {php, func(s *v1alpha1.DomainSpec) { s.Resources.Limits.Memory = "999Mi" }, true},
		"env":                 {php, func(s *v1alpha1.DomainSpec) { s.Workload.Env = []v1alpha1.EnvVar{{Name: "A"}} }, true},
		"version":             {php, func(s *v1alpha1.DomainSpec) { s.Workload.Version = "7.4" }, true},
		"preferredNodes":      {php, func(s *v1alpha1.DomainSpec) { s.PreferredNodes = []string{"a"} }, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			site := cases(t)[tt.site]
			before := template(t, site)
			tt.edit(&site.Domain.Spec)
			if restarts := !reflect.DeepEqual(before, template(t, site)); restarts != tt.restarts {
				t.Errorf("the pod's template changes: %t, want %t", restarts, tt.restarts)
			}
		})
	}
}

func template(t *testing.T, s desired.Site) corev1.PodTemplateSpec {
	t.Helper()
	workload, err := s.Workload()
	if err != nil {
		t.Fatal(err)
	}
	return workload.Spec.Template
}
