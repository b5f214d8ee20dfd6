package desired

import (
	"fmt"
	"regexp"
	"strings"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// Paths inside a site's pod that more than one container knows.
const (
	pathData        = "/var/www"
	pathDefaultRoot = "/var/www/html"
	pathRun         = "/run/kubepanel"
	pathPHPSocket   = pathRun + "/php.sock"
	pathNginxConfig = "/etc/kubepanel/nginx"
	pathAppConfig   = "/etc/kubepanel/app"

	// pathStarted answers the kubelet once nginx reaches the application; pathReady
	// then answers from nginx alone, since it is asked for ever and must not keep a
	// PHP process awake. The edge passes neither on.
	pathStarted = "/.kubepanel/started"
	pathReady   = "/.kubepanel/ready"

	// pathPing is answered by PHP-FPM itself, without a script.
	pathPing = "/.kubepanel-ping"
)

// Keys of the ConfigMap nginx-config.
const (
	keyNginx  = "nginx.conf"
	keyCustom = "custom.conf"
)

// portHTTP is where a site's nginx listens.
const portHTTP = 8080

// DocumentRoot returns the folder that is served: absolute below /var/www, or
// relative to /var/www/html.
func DocumentRoot(d *v1alpha1.Domain) (string, error) {
	root := d.Spec.Webserver.DocumentRoot
	switch {
	case root == "":
		return pathDefaultRoot, nil
	case !strings.HasPrefix(root, "/"):
		root = pathDefaultRoot + "/" + root
	case root != pathData && !strings.HasPrefix(root, pathData+"/"):
		return "", fmt.Errorf("spec.webserver.documentRoot: %s is not below %s", root, pathData)
	}
	root = strings.TrimRight(regexp.MustCompile(`/+`).ReplaceAllString(root, "/"), "/")
	if strings.Contains(root+"/", "/../") || strings.Contains(root+"/", "/./") {
		return "", fmt.Errorf("spec.webserver.documentRoot: %s leads out of %s", root, pathData)
	}
	return root, nil
}

// nginxLength is more than most sites' nginx.conf has, in bytes.
const nginxLength = 6 << 10

// nginxConfig returns nginx.conf of a site.
func (s Site) nginxConfig() (string, error) {
	root, err := DocumentRoot(s.Domain)
	if err != nil {
		return "", err
	}
	w := &nginxWriter{}
	w.b.Grow(nginxLength)
	w.comment("Written by Kubepanel from the Domain; a change made here is undone.")
	w.line("worker_processes", s.nginxWorkers())
	w.line("pid", "/tmp/nginx.pid")
	w.line("error_log", nginxCode("stderr"), "warn")
	w.block("events", nil, func() { w.line("worker_connections", 1024) })
	w.block("http", nil, func() {
		s.nginxHTTP(w)
		w.block("server", nil, func() { s.nginxServer(w, root) })
	})
	if w.err != nil {
		return "", w.err
	}
	return w.b.String(), nil
}

// nginxWorkers is one per core that the site may use: more would only cost memory.
func (s Site) nginxWorkers() int {
	cores := (amount(s.Domain.Spec.Resources.Limits.CPU, "m") + 999) / 1000
	return int(min(max(cores, 1), 8))
}

func (s Site) nginxHTTP(w *nginxWriter) {
	w.line("include", "/etc/nginx/mime.types")
	w.line("default_type", "application/octet-stream")
	w.line("log_format", "site", nginxCode(`$remote_addr - $remote_user [$time_iso8601] "$request" $status $body_bytes_sent`+
		` "$http_referer" "$http_user_agent" "$host" $request_time $upstream_response_time`))
	w.comment("Many lines at once: each write wakes up the shim and containerd.")
	w.line("access_log", "/dev/stdout", "site", "buffer=16k", "flush=1s")
	w.comment("The root file system is read-only: everything temporary is in /tmp.")
	for _, kind := range []string{"client_body", "fastcgi", "proxy", "uwsgi", "scgi"} {
		w.line(kind+"_temp_path", "/tmp/"+kind)
	}
	w.line("sendfile", "on")
	w.line("tcp_nopush", "on")
	w.line("keepalive_timeout", "75s")
	w.line("server_tokens", "off")
	w.comment("Redirects of our own stay relative: only the edge knows the public scheme and port.")
	w.line("absolute_redirect", "off")
	w.line("gzip", "on")
	w.line("gzip_vary", "on")
	w.line("gzip_proxied", "any")
	w.line("gzip_min_length", 1024)
	w.line("gzip_comp_level", 4)
	w.line("gzip_types", "text/plain", "text/css", "text/xml", "application/json", "application/javascript",
		"text/javascript", "application/xml", "application/rss+xml", "image/svg+xml", "font/ttf", "application/wasm")
	w.comment("The edge is the only one who may connect, from inside the cluster.")
	for _, cidr := range s.Platform.ClusterCIDRs {
		w.line("set_real_ip_from", cidr)
	}
	w.line("real_ip_header", "X-Forwarded-For")
	w.block("map", []any{nginxCode("$http_x_forwarded_proto"), nginxCode("$site_https")}, func() {
		w.line("default", "")
		w.line("https", "on")
	})
	w.block("map", []any{nginxCode("$http_x_forwarded_proto"), nginxCode("$site_port")}, func() {
		w.line("default", 80)
		w.line("https", 443)
	})
	w.comment("A version in the address means that the content never changes under it.")
	w.block("map", []any{nginxCode("$arg_ver"), nginxCode("$site_expires")}, func() {
		w.line("default", "30d")
		w.line(`""`, "1h")
	})
	w.block("geo", []any{nginxCode("$realip_remote_addr"), nginxCode("$site_local")}, func() {
		w.line("default", 0)
		w.line("127.0.0.1", 1)
		w.line("::1", 1)
	})
	s.nginxCacheZone(w)
}

func (s Site) nginxServer(w *nginxWriter, root string) {
	w.line("listen", portHTTP, "default_server")
	w.line("listen", fmt.Sprintf("[::]:%d", portHTTP), "default_server")
	w.line("server_name", s.Domain.Spec.DomainName)
	w.line("root", root)
	w.line("client_max_body_size", s.bodySize())
	w.line("add_header", "X-Content-Type-Options", "nosniff", "always")
	w.line("add_header", "Referrer-Policy", "strict-origin-when-cross-origin", "always")
	s.nginxProbe(w, pathReady)
	s.nginxProbe(w, pathStarted)
	nginxOutcome(w, pathNginxOutcome, pathNginxStatus)
	nginxOutcome(w, pathAppOutcome, pathAppStatus)
	w.block("location", []any{nginxCode("~"), nginxCode(`/\.(?!well-known(?:/|$))`)}, func() { w.line("return", 404) })
	if s.wordPress() {
		w.block("location", []any{nginxCode("="), "/wp-cron.php"}, func() {
			w.comment("Only the scheduler beside us may start it, never a page view.")
			w.when("$site_local = 0", func() { w.line("return", 403) })
			w.line("access_log", "off")
			s.nginxPass(w)
		})
		w.block("location", []any{nginxCode("~*"), nginxCode(`^/wp-content/uploads/.*\.(?:php|phar|phtml)$`)}, func() { w.line("return", 403) })
	}
	s.nginxContent(w, root)
	if s.Domain.Spec.Webserver.CustomConfig != "" {
		w.comment("The customer's own lines. An included file can't leave this block.")
		w.line("include", keyCustom)
	}
}

// nginxOutcome shows a keeper's status file to whoever does not come by the edge.
func nginxOutcome(w *nginxWriter, path, file string) {
	w.block("location", []any{nginxCode("="), path}, func() {
		w.line("access_log", "off")
		w.when("$http_x_forwarded_for", func() { w.line("return", 404) })
		w.line("default_type", "text/plain")
		w.line("disable_symlinks", "on")
		w.line("alias", file)
	})
}

// nginxProbe answers the kubelet, who does not come by the edge.
func (s Site) nginxProbe(w *nginxWriter, path string) {
	w.block("location", []any{nginxCode("="), path}, func() {
		w.line("access_log", "off")
		w.when("$http_x_forwarded_for", func() { w.line("return", 404) })
		if path == pathReady {
			w.line("return", 204)
			return
		}
		if !s.php() {
			s.nginxAnswers(w)
			return
		}
		w.line("fastcgi_param", "REQUEST_METHOD", nginxCode("$request_method"))
		w.line("fastcgi_param", "SERVER_PROTOCOL", nginxCode("$server_protocol"))
		w.line("fastcgi_param", "SCRIPT_NAME", pathPing)
		w.line("fastcgi_param", "SCRIPT_FILENAME", pathPing)
		w.line("fastcgi_pass", "unix:"+pathPHPSocket)
	})
}
