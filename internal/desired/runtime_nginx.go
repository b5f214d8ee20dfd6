package desired

import (
	"fmt"
	"html"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// Settings of the catalogue that the web server itself acts on, in any runtime
// that has them.
const (
	settingStaticURL  = "staticURL"
	settingStaticRoot = "staticRoot"
	settingBuffering  = "buffering"
	settingTimeout    = "timeout"
	settingSinglePage = "singlePage"
)

// programTimeout is nginx' patience with a program that has no timeout of its
// own, in seconds: open WebSockets and streams are silent for long.
const programTimeout = 3600

// nginxProgram hands everything to the program, but for files that its settings
// let nginx serve.
func (s Site) nginxProgram(w *nginxWriter, root string) {
	url, folder := s.text(settingStaticURL), s.text(settingStaticRoot)
	if url != "" && folder != "" {
		w.block("location", []any{nginxCode("^~"), url}, func() {
			w.line("alias", root+"/"+folder+"/")
			w.line("expires", nginxCode("$site_expires"))
		})
	}
	w.block("location", []any{"/"}, func() {
		s.nginxPass(w)
		s.nginxCacheUse(w)
	})
}

// nginxStatic serves files and nothing else. A site without a front page says
// how to get one.
func (s Site) nginxStatic(w *nginxWriter) {
	last := nginxCode("=404")
	if settings, _ := s.settings(); settings[settingSinglePage] == true {
		last = "/index.html"
	}
	w.line("index", "index.html", "index.htm")
	w.line("error_page", 404, "/404.html")
	w.block("location", []any{"/"}, func() {
		w.line("try_files", nginxCode("$uri"), nginxCode("$uri/"), last)
	})
	w.block("location", []any{nginxCode("~*"), nginxCode(staticFiles)}, func() {
		w.line("expires", nginxCode("$site_expires"))
		w.line("try_files", nginxCode("$uri"), nginxCode("=404"))
	})
	w.block("location", []any{nginxCode("="), "/404.html"}, func() { w.line("internal") })
	w.block("location", []any{nginxCode("="), "/"}, func() {
		w.line("try_files", "/index.html", "/index.htm", nginxCode("@welcome"))
	})
	w.block("location", []any{nginxCode("@welcome")}, func() {
		w.line("default_type", "text/html")
		w.line("return", 200, s.welcome())
	})
}

// welcome is the page of a static site that has none of its own yet.
func (s Site) welcome() string {
	name := html.EscapeString(s.name())
	return "<!doctype html><meta charset=utf-8><title>" + name + "</title>" +
		"<body style='font:1.1rem/1.5 system-ui;max-width:40rem;margin:4rem auto;padding:0 1rem'>" +
		"<h1>" + name + "</h1><p>This site has no content yet. Upload an <code>index.html</code> " +
		"into the folder <code>html</code> by SFTP, and it appears here at once.</p>"
}

// nginxToHTTP passes a request on by HTTP. What the headers say comes from the
// edge: nginx took the visitor's address from it.
func (s Site) nginxToHTTP(w *nginxWriter) {
	w.line("proxy_pass", fmt.Sprintf("http://127.0.0.1:%d", s.port()))
	w.line("proxy_http_version", "1.1")
	for _, h := range [][2]nginxCode{
		{"Host", "$http_host"}, {"X-Forwarded-For", "$remote_addr"}, {"X-Forwarded-Proto", "$http_x_forwarded_proto"},
		{"X-Forwarded-Host", "$http_host"}, {"X-Real-IP", "$remote_addr"},
		{"Upgrade", "$http_upgrade"}, {"Connection", "$http_connection"}, {"Proxy", ""},
	} {
		w.line("proxy_set_header", h[0], h[1])
	}
	settings, _ := s.settings()
	if on, known := settings[settingBuffering].(bool); known && !on {
		w.line("proxy_buffering", "off")
	}
	w.line("proxy_read_timeout", s.programTimeout())
	w.line("proxy_send_timeout", s.programTimeout())
}

// nginxToUWSGI passes a request on by uWSGI's own protocol.
func (s Site) nginxToUWSGI(w *nginxWriter) {
	w.line("uwsgi_pass", fmt.Sprintf("127.0.0.1:%d", s.port()))
	for _, p := range fastCGIParams {
		if p[0] == "SCRIPT_NAME" || p[0] == "SCRIPT_FILENAME" {
			continue // the program answers from the root: all of the path is PATH_INFO
		}
		w.line("uwsgi_param", p[0], p[1])
	}
	w.line("uwsgi_param", "PATH_INFO", nginxCode("$document_uri"))
	w.line("uwsgi_param", "HTTPS", nginxCode("$site_https"), "if_not_empty")
	w.line("uwsgi_param", "UWSGI_SCHEME", nginxCode("$http_x_forwarded_proto"))
	w.line("uwsgi_read_timeout", s.programTimeout())
	w.line("uwsgi_send_timeout", s.programTimeout())
}

// programTimeout is how long nginx waits, in seconds. A program that gives up
// by itself does so first, so that the visitor sees its answer.
func (s Site) programTimeout() string {
	settings, _ := s.settings()
	if n, _ := settings[settingTimeout].(int64); n > 0 && s.mode() == v1alpha1.ProxyUWSGI {
		return fmt.Sprintf("%ds", n+5)
	}
	return fmt.Sprintf("%ds", programTimeout)
}

// nginxAnswers lets the kubelet know whether the program answers at all: any
// answer of its own will do, and only one that nginx makes for a program that
// can't be reached won't.
func (s Site) nginxAnswers(w *nginxWriter) {
	if s.static() {
		w.line("return", 204)
		return
	}
	kind := "proxy"
	if s.mode() == v1alpha1.ProxyUWSGI {
		kind = "uwsgi"
	}
	w.line(kind+"_intercept_errors", "on")
	w.line("error_page", 301, 302, 303, 307, 308, 400, 401, 403, 404, 405, 406, 410, 418, 421, 422, 426, 429, 500, 501, 503, nginxCode("=204"), pathReady)
	s.nginxPass(w)
}
