package domain_test

import (
	"fmt"
	"math/rand/v2"

	"k8s.io/utils/ptr"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// one returns one of several values.
func one[T any](r *rand.Rand, values ...T) T { return values[r.IntN(len(values))] }

// variations are changes that a customer may make, each of one field.
var variations = []func(*rand.Rand, *v1alpha1.DomainSpec){
	func(r *rand.Rand, s *v1alpha1.DomainSpec) { s.Title = one(r, "", "A shop", "Ein Blög") },
	func(r *rand.Rand, s *v1alpha1.DomainSpec) {
		s.Aliases = nil
		for i := range r.IntN(4) {
			s.Aliases = append(s.Aliases, v1alpha1.DomainAlias{Name: fmt.Sprintf("alias-%d.example", i)})
		}
		r.Shuffle(len(s.Aliases), func(i, j int) { s.Aliases[i], s.Aliases[j] = s.Aliases[j], s.Aliases[i] })
	},
	func(r *rand.Rand, s *v1alpha1.DomainSpec) {
		s.PreferredNodes = one(r, nil, []string{"a"}, []string{"b", "a"})
	},
	func(r *rand.Rand, s *v1alpha1.DomainSpec) { s.Suspended = r.IntN(4) == 0 },
	func(r *rand.Rand, s *v1alpha1.DomainSpec) {
		s.Timezone = one(r, "UTC", "Europe/Berlin", "Asia/Tokyo")
	},
	func(r *rand.Rand, s *v1alpha1.DomainSpec) { s.Workload.Version = one(r, "7.4", "8.2", "8.4") },
	func(r *rand.Rand, s *v1alpha1.DomainSpec) {
		s.Workload.Image = one(r, "", "registry.example/own:1", "registry.example/own:latest")
	},
	func(r *rand.Rand, s *v1alpha1.DomainSpec) { s.Workload.Port = one[int32](r, 0, 9000, 9001) },
	func(r *rand.Rand, s *v1alpha1.DomainSpec) {
		s.Workload.Command = one(r, nil, []string{"run"}, []string{"run", "--now"})
	},
	func(r *rand.Rand, s *v1alpha1.DomainSpec) { s.Workload.Args = one(r, nil, []string{"-x"}) },
	func(r *rand.Rand, s *v1alpha1.DomainSpec) {
		s.Workload.Env = nil
		for _, i := range r.Perm(4)[:r.IntN(4)] {
			s.Workload.Env = append(s.Workload.Env, v1alpha1.EnvVar{Name: fmt.Sprintf("VAR_%d", i), Value: one(r, "", "1", "secret $(VAR_0)")})
		}
	},
	func(r *rand.Rand, s *v1alpha1.DomainSpec) {
		s.Workload.Settings = one(r, nil, map[string]v1alpha1.Setting{"memoryLimit": "99M"},
			map[string]v1alpha1.Setting{"fpmMaxChildren": "7", "maxExecutionTime": "90"}, map[string]v1alpha1.Setting{"unknown": "1"})
	},
	func(r *rand.Rand, s *v1alpha1.DomainSpec) {
		s.Workload.CustomConfig = one(r, "", "max_input_time = 20\n", "display_errors = On")
	},
	func(r *rand.Rand, s *v1alpha1.DomainSpec) {
		s.WordPress.Preinstall = r.IntN(2) == 0
		s.WordPress.AdminUser, s.WordPress.Locale = one(r, "", "greta"), one(r, "", "de_DE")
	},
	func(r *rand.Rand, s *v1alpha1.DomainSpec) {
		s.Resources.Limits = v1alpha1.LimitsSpec{CPU: one(r, "400m", "1000m", "2000m"), Memory: one(r, "256Mi", "512Mi", "1024Mi")}
		s.Resources.Requests = one(r, v1alpha1.RequestsSpec{}, v1alpha1.RequestsSpec{CPU: "50m", Memory: "128Mi"})
	},
	func(r *rand.Rand, s *v1alpha1.DomainSpec) {
		var have int
		fmt.Sscanf(s.Resources.Storage, "%dGi", &have)
		s.Resources.Storage = fmt.Sprintf("%dGi", have+r.IntN(2))
	},
	func(r *rand.Rand, s *v1alpha1.DomainSpec) {
		s.Webserver.DocumentRoot = one(r, "", "public", "/var/www/html/web")
	},
	func(r *rand.Rand, s *v1alpha1.DomainSpec) {
		s.Webserver.ClientMaxBodySize = one(r, "", "7m", "1g", "64m")
	},
	func(r *rand.Rand, s *v1alpha1.DomainSpec) {
		s.Webserver.SSLRedirect = one(r, nil, ptr.To(true), ptr.To(false))
	},
	func(r *rand.Rand, s *v1alpha1.DomainSpec) {
		s.Webserver.WWWRedirect = one(r, "", v1alpha1.WWWRedirectNone, v1alpha1.WWWRedirectToRoot, v1alpha1.WWWRedirectToWWW)
	},
	func(r *rand.Rand, s *v1alpha1.DomainSpec) {
		s.Webserver.CustomConfig = one(r, "", "add_header X-A b;\n", "location /x { return 204; }")
	},
	func(r *rand.Rand, s *v1alpha1.DomainSpec) {
		s.Webserver.Cache = one(r, v1alpha1.CacheSpec{}, v1alpha1.CacheSpec{Enabled: true},
			v1alpha1.CacheSpec{Enabled: true, Size: "64Mi", BypassURIs: []string{"/wp-admin"}})
	},
	func(r *rand.Rand, s *v1alpha1.DomainSpec) {
		s.Database.Enabled = one(r, nil, ptr.To(true), ptr.To(false))
	},
	func(r *rand.Rand, s *v1alpha1.DomainSpec) {
		s.SFTP.Enabled = one(r, nil, ptr.To(true), ptr.To(false))
		s.SFTP.Type = one(r, v1alpha1.SFTPStandard, v1alpha1.SFTPGit)
	},
	func(r *rand.Rand, s *v1alpha1.DomainSpec) {
		s.SFTP.AuthorizedKeys = one(r, nil, []string{"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA me@laptop"})
	},
	func(r *rand.Rand, s *v1alpha1.DomainSpec) { s.Redis.Enabled = r.IntN(2) == 0 },
	func(r *rand.Rand, s *v1alpha1.DomainSpec) {
		s.CronJobs = nil
		for i := range r.IntN(3) {
			s.CronJobs = append(s.CronJobs, v1alpha1.CronJob{Name: fmt.Sprintf("job-%d", i), Schedule: one(r, "@hourly", "*/5 * * * *"),
				Shell: one(r, "php a.php", "echo $HOME"), Suspended: r.IntN(2) == 0, Timezone: one(r, "", "Asia/Tokyo"), TimeoutSeconds: one[int32](r, 0, 60)})
		}
	},
}

// vary makes one to four changes that the API server takes.
func vary(r *rand.Rand, d *v1alpha1.Domain) {
	for range 1 + r.IntN(4) {
		one(r, variations...)(r, &d.Spec)
	}
	if d.Spec.WordPress.Preinstall {
		d.Spec.Database.Enabled = nil
	}
	if r.IntN(8) == 0 {
		d.Labels = one(r, nil, map[string]string{v1alpha1.LabelOwner: "greta"}, map[string]string{v1alpha1.LabelOwner: "hans"})
	}
}
