package lab

import (
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestDjangoAsDebianShipsIt makes a project with django-admin, tables in MariaDB
// and an administrator, who signs in.
func TestDjangoAsDebianShipsIt(t *testing.T) {
	t.Parallel()
	c := openCluster(t)
	s := c.newSite(t, "django.localhost", "--runtime", "python:3.11", "--memory", "768Mi",
		"--setting", "prepare=manage.py migrate --noinput\nmanage.py collectstatic --noinput\nadmin.py",
		"--setting", "staticURL=/static/", "--setting", "staticRoot=collected")
	folder := t.TempDir()
	command := exec.CommandContext(t.Context(), "/usr/bin/django-admin", "startproject", "shop", folder)
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("django-admin: %v\n%s", err, out)
	}
	settings, err := os.ReadFile(filepath.Join(folder, "shop/settings.py"))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{
		"shop/settings.py": string(settings) + `
import os
from urllib.parse import unquote, urlsplit
url = urlsplit(os.environ["DATABASE_URL"])
DATABASES = {"default": {"ENGINE": "django.db.backends.mysql", "NAME": url.path[1:], "HOST": url.hostname, "PORT": url.port,
    "USER": unquote(url.username), "PASSWORD": unquote(url.password)}}
ALLOWED_HOSTS, DEBUG = ["django.localhost"], False
STATIC_URL, STATIC_ROOT = "/static/", BASE_DIR / "collected"
`,
		"admin.py": `import os, django
os.environ["DJANGO_SETTINGS_MODULE"] = "shop.settings"
django.setup()
from django.contrib.auth.models import User
User.objects.filter(username="greta").exists() or User.objects.create_superuser("greta", password="a long enough word")
`,
		"requirements.txt": "--no-index\n--find-links wheels\nDjango\nasgiref\nsqlparse\npytz\n",
	}
	for name, part := range map[string]string{"Django": "django", "asgiref": "asgiref", "sqlparse": "sqlparse", "pytz": "pytz"} {
		file, content := debianWheel(t, name, part)
		files["wheels/"+file] = content
	}
	for name, content := range files {
		write(t, filepath.Join(folder, name), content)
	}
	s.depositFolder(t, folder, "html")
	v := c.newVisitor(t, "127.0.0.25")
	s.shows(t, v, "/admin/login/", "Django administration")
	if css := v.must(t, s.url()+"/static/admin/css/base.css"); !strings.Contains(css.body, "DJANGO") {
		t.Errorf("the style sheet by nginx says %.200q", css.body)
	}
	s.signIn(t, v)
}

// signIn takes the form of Django's administration, with its token and cookie.
func (s site) signIn(t testing.TB, v visitor) {
	t.Helper()
	address := s.url() + "/admin/login/?next=/admin/"
	form := v.must(t, address)
	token := regexp.MustCompile(`name="csrfmiddlewaretoken" value="(\w+)"`).FindStringSubmatch(form.body)
	if token == nil {
		t.Fatalf("the form has no token: %.500s", form.body)
	}
	cookie, _, _ := strings.Cut(form.header.Get("Set-Cookie"), ";")
	values := url.Values{"csrfmiddlewaretoken": {token[1]}, "username": {"greta"}, "password": {"a long enough word"}}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader(values.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header = http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Cookie": {cookie}, "Referer": {address}}
	got, err := v.do(request)
	if err != nil || got.status != http.StatusFound || got.header.Get("Location") != "/admin/" {
		t.Errorf("signing in = %d to %q (%v), want 302 to /admin/: %.500s", got.status, got.header.Get("Location"), err, got.body)
	}
}

// TestFlaskAsDebianShipsIt runs the first example of Flask's own manual.
func TestFlaskAsDebianShipsIt(t *testing.T) {
	t.Parallel()
	c := openCluster(t)
	s := c.newSite(t, "flask.localhost", "--runtime", "python:3.11", "--no-database")
	files := map[string]string{
		"app.py":           "from flask import Flask\napp = Flask(__name__)\n@app.route('/')\ndef hello():\n    return '<p>Hello, World!</p>'\n",
		"requirements.txt": "--no-index\n--find-links wheels\nFlask\nWerkzeug\nJinja2\nMarkupSafe\nitsdangerous\nclick\n",
	}
	for name, part := range map[string]string{"Flask": "flask", "Werkzeug": "werkzeug", "Jinja2": "jinja2", "MarkupSafe": "markupsafe", "itsdangerous": "itsdangerous", "click": "click"} {
		file, content := debianWheel(t, name, part)
		files["wheels/"+file] = content
	}
	s.deposit(t, files)
	s.shows(t, c.newVisitor(t, "127.0.0.26"), "/", "<p>Hello, World!</p>")
}

// TestExpressAsDebianShipsIt runs the first example of Express' own manual.
func TestExpressAsDebianShipsIt(t *testing.T) {
	t.Parallel()
	c := openCluster(t)
	s := c.newSite(t, "express.localhost", "--runtime", "nodejs", "--no-database")
	folder := t.TempDir()
	write(t, filepath.Join(folder, "app.js"), `const express = require('express')
const app = express()
const port = 3000
app.get('/', (req, res) => {
  res.send('Hello World!')
})
app.listen(port, () => {
  console.log('Example app listening on port ' + port)
})
`)
	for _, module := range debianModules(t, "express") {
		to := filepath.Join(folder, "node_modules", strings.TrimPrefix(module, "/usr/share/nodejs/"))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.CommandContext(t.Context(), "cp", "-rL", module, to).CombinedOutput(); err != nil {
			t.Fatalf("copy %s: %v\n%s", module, err, out)
		}
	}
	s.depositFolder(t, folder, "html")
	s.shows(t, c.newVisitor(t, "127.0.0.27"), "/", "Hello World!")
}
