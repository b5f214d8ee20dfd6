package lab

import (
	"context"
	"errors"
	"strings"
	"testing"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// programPage tells who runs it.
const programPage = `def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    try:
        import uwsgi
        return [b"steady Python by uWSGI"]
    except ImportError:
        return [b"steady Python by HTTP"]
`

// programChanges are changes of the program itself.
func programChanges(p place) []fieldChange {
	return append(phpChanges(p), []fieldChange{
		{name: "workload.type", fields: []string{"workload.customConfig", "workload.image", "workload.settings", "workload.type", "workload.version"}, effect: anotherPod,
			edit: func(s *v1alpha1.DomainSpec) { s.Workload = v1alpha1.WorkloadSpec{Type: "python", Version: "3.13"} },
			seen: func(t testing.TB, tr tour) {
				tr.deposit(t, map[string]string{"app.py": programPage})
				shown("/", "Python by HTTP")(t, tr)
			}},
		{name: "workload.port", fields: []string{"workload.port"}, effect: samePod,
			edit: func(s *v1alpha1.DomainSpec) { s.Workload.Port = 8200 },
			seen: func(t testing.TB, tr tour) {
				shown("/", "Python by HTTP")(t, tr)
				// 8200 in hexadecimal, listening.
				soon("it listens at 8200", func(ctx context.Context, tr tour) error {
					out, err := tr.execute(ctx, tr.pod(t), "app", nil, "cat", "/proc/net/tcp")
					if err == nil && !strings.Contains(out, "0100007F:2008 00000000:0000 0A") {
						err = errors.New(out)
					}
					return err
				})(t, tr)
			}},
		{name: "workload.proxyMode", fields: []string{"workload.proxyMode"}, effect: samePod,
			edit: func(s *v1alpha1.DomainSpec) { s.Workload.ProxyMode = v1alpha1.ProxyUWSGI },
			seen: shown("/", "Python by uWSGI")},
		{name: "wordpress", effect: anotherPod,
			fields: []string{"webserver.documentRoot", "wordpress.adminEmail", "wordpress.adminUser", "wordpress.locale", "wordpress.preinstall", "wordpress.title",
				"workload.port", "workload.proxyMode", "workload.type", "workload.version"},
			edit: func(s *v1alpha1.DomainSpec) {
				s.Workload = v1alpha1.WorkloadSpec{Type: "php", Version: "8.4"}
				s.Webserver.DocumentRoot = "blog"
				s.WordPress = v1alpha1.WordPressSpec{
					Preinstall: true, Title: "Ein Laden", AdminUser: "greta", AdminEmail: "greta@fields.localhost", Locale: "de_DE",
				}
			},
			seen: func(t testing.TB, tr tour) {
				front := tr.visitor.must(t, tr.url()+"/").body
				for _, want := range []string{"<title>Ein Laden", `<html lang="de`} {
					if !strings.Contains(front, want) {
						t.Errorf("the front page lacks %q: %.400s", want, front)
					}
				}
				if s := tr.secret(t, "wordpress-admin"); s["username"] != "greta" || s["email"] != "greta@fields.localhost" {
					t.Errorf("the administrator is %s with %s", s["username"], s["email"])
				}
			}},
	}...)
}

// phpChanges are changes of PHP and of the container it runs in.
func phpChanges(p place) []fieldChange {
	return []fieldChange{
		{name: "workload.settings", fields: []string{"workload.settings"},
			edit: func(s *v1alpha1.DomainSpec) {
				s.Workload.Settings = map[string]v1alpha1.Setting{"memoryLimit": "192M"}
			},
			seen: answers("/probe.php", "memory_limit=192M\n")},
		{name: "workload.customConfig", fields: []string{"workload.customConfig"},
			edit: func(s *v1alpha1.DomainSpec) { s.Workload.CustomConfig = "user_agent = \"fields\"\n" },
			seen: answers("/probe.php", "user_agent=fields\n")},
		{name: "workload.env", fields: []string{"workload.env[].name", "workload.env[].value"}, effect: anotherPod,
			edit: func(s *v1alpha1.DomainSpec) {
				s.Workload.Env = []v1alpha1.EnvVar{{Name: "COLOUR", Value: "blue $(HOME) $$"}}
			},
			seen: answers("/probe.php", "colour=blue $(HOME) $$\n")},
		{name: "workload.version", fields: []string{"workload.version"}, effect: anotherPod,
			edit: func(s *v1alpha1.DomainSpec) { s.Workload.Version = "8.2" },
			seen: answers("/probe.php", "version=8.2\n")},
		{name: "workload.image", fields: []string{"workload.image"}, effect: anotherPod,
			edit: func(s *v1alpha1.DomainSpec) { s.Workload.Image = p.image },
			seen: answers("/probe.php", "version=8.4\n")},
		{name: "workload.command and args", fields: []string{"workload.args", "workload.command"}, effect: anotherPod,
			edit: func(s *v1alpha1.DomainSpec) {
				s.Workload.Command = []string{"/usr/sbin/php-fpm"}
				s.Workload.Args = []string{"-F", "-O", "-y", "/etc/kubepanel/app/www.conf", "-d", "default_socket_timeout=7"}
			},
			seen: answers("/probe.php", "default_socket_timeout=7\n")},
		{name: "workload.settings of a command of his own", fields: []string{"workload.settings"}, effect: anotherPod,
			edit: func(s *v1alpha1.DomainSpec) {
				s.Workload.Settings = map[string]v1alpha1.Setting{"memoryLimit": "160M"}
			},
			seen: answers("/probe.php", "memory_limit=160M\n")},
		{name: "no workload.env, image, command and args", effect: anotherPod,
			fields: []string{"workload.args", "workload.command", "workload.env[].name", "workload.env[].value", "workload.image"},
			edit: func(s *v1alpha1.DomainSpec) {
				s.Workload.Command, s.Workload.Args, s.Workload.Image, s.Workload.Env = nil, nil, p.otherImage, nil
			},
			seen: answers("/probe.php", "version=8.2\n")},
	}
}
