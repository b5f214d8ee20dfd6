package desired

import (
	"kubepanel.io/kubepanel/api/v1alpha1"
)

// staticFiles are served by nginx with a lifetime in the browser.
const staticFiles = `\.(?:css|js|mjs|map|jpe?g|png|gif|webp|avif|ico|svg|woff2?|ttf|otf|eot|mp4|webm|mp3|ogg|pdf|zip|gz)$`

// fastCGIParams is the environment of a CGI program (RFC 3875 section 4.1), with
// what PHP applications expect besides. HTTP_PROXY is emptied: it would be taken
// for an environment variable that names a proxy.
var fastCGIParams = [][2]nginxCode{
	{"QUERY_STRING", "$query_string"},
	{"REQUEST_METHOD", "$request_method"},
	{"CONTENT_TYPE", "$content_type"},
	{"CONTENT_LENGTH", "$content_length"},
	{"SCRIPT_NAME", "$fastcgi_script_name"},
	{"SCRIPT_FILENAME", "$document_root$fastcgi_script_name"},
	{"DOCUMENT_ROOT", "$document_root"},
	{"DOCUMENT_URI", "$document_uri"},
	{"REQUEST_URI", "$request_uri"},
	{"REQUEST_SCHEME", "$http_x_forwarded_proto"},
	{"SERVER_PROTOCOL", "$server_protocol"},
	{"GATEWAY_INTERFACE", "CGI/1.1"},
	{"SERVER_SOFTWARE", "nginx"},
	{"REMOTE_ADDR", "$remote_addr"},
	{"REMOTE_PORT", "$remote_port"},
	{"SERVER_ADDR", "$server_addr"},
	{"SERVER_PORT", "$site_port"},
	{"SERVER_NAME", "$host"},
	{"REDIRECT_STATUS", "200"},
	{"HTTP_PROXY", ""},
}

// nginxContent says what answers a request: a file, or the application.
func (s Site) nginxContent(w *nginxWriter, root string) {
	if s.static() {
		s.nginxStatic(w)
		return
	}
	if s.mode() != v1alpha1.ProxyFastCGI {
		s.nginxProgram(w, root)
		return
	}
	w.line("index", "index.php", "index.html")
	w.block("location", []any{"/"}, func() {
		w.line("try_files", nginxCode("$uri"), nginxCode("$uri/"), nginxCode("/index.php?$args"))
	})
	w.block("location", []any{nginxCode("~*"), nginxCode(staticFiles)}, func() {
		w.line("expires", nginxCode("$site_expires"))
		w.line("try_files", nginxCode("$uri"), nginxCode("/index.php?$args"))
	})
	w.block("location", []any{nginxCode("~"), nginxCode(`\.php$`)}, func() {
		w.comment("A name that is no file must not reach PHP, which might guess at one.")
		w.line("try_files", nginxCode("$uri"), nginxCode("=404"))
		s.nginxPass(w)
		s.nginxCacheUse(w)
	})
}

// nginxPass hands a request to the application.
func (s Site) nginxPass(w *nginxWriter) {
	switch s.mode() {
	case v1alpha1.ProxyHTTP:
		s.nginxToHTTP(w)
	case v1alpha1.ProxyUWSGI:
		s.nginxToUWSGI(w)
	default:
		w.line("fastcgi_pass", "unix:"+pathPHPSocket)
		for _, p := range fastCGIParams {
			w.line("fastcgi_param", p[0], p[1])
		}
		w.line("fastcgi_param", "HTTPS", nginxCode("$site_https"), "if_not_empty")
		w.line("fastcgi_read_timeout", s.timeout())
		w.line("fastcgi_buffer_size", "32k")
		w.line("fastcgi_buffers", 16, "16k")
	}
}

func orDefault(v, def string) string {
	if v == "" {
		return def
	}
	return v
}
