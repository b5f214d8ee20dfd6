package desired

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strings"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// nginxCacheZone declares the page cache and what never comes from it: answers to
// somebody who is signed in or has something in a basket.
func (s Site) nginxCacheZone(w *nginxWriter) {
	c := s.Domain.Spec.Webserver.Cache
	if !c.Enabled || s.static() {
		return
	}
	// Each way to the application has a zone of its own: a reload can't give one another use.
	module := s.cacheModule()
	w.line(module+"_cache_path", "/tmp/cache-"+module, "levels=1:2", "keys_zone="+module+":1m",
		"max_size="+strings.TrimSuffix(orDefault(c.Size, "512Mi"), "i"), "inactive="+orDefault(c.InactiveTime, "60m"), "use_temp_path=off")
	w.block("map", []any{nginxCode("$http_cookie"), nginxCode("$site_known")}, func() {
		w.line("default", 0)
		w.line(`"~wordpress_logged_in|wp-postpass|comment_author|woocommerce_items_in_cart|PHPSESSID|session"`, 1)
	})
	w.block("map", []any{nginxCode("$request_uri"), nginxCode("$site_bypass")}, func() {
		w.line("default", 0)
		w.line(`"~^/(?:wp-admin|wp-login\.php|wp-json|xmlrpc\.php)"`, 1)
		for _, uri := range c.BypassURIs {
			w.indent()
			w.data("~^" + regexp.QuoteMeta(uri))
			w.b.WriteString(" 1;\n")
		}
	})
}

// cacheModule is nginx' name for the way to the application.
func (s Site) cacheModule() string {
	switch s.mode() {
	case v1alpha1.ProxyHTTP:
		return "proxy"
	case v1alpha1.ProxyUWSGI:
		return "uwsgi"
	default:
		return "fastcgi"
	}
}

// nginxCacheUse has answers of the application kept.
func (s Site) nginxCacheUse(w *nginxWriter) {
	c, module := s.Domain.Spec.Webserver.Cache, s.cacheModule()
	if !c.Enabled {
		return
	}
	w.line(module+"_cache", module)
	w.line(module+"_cache_key", nginxCode(s.cacheEra()+"$http_x_forwarded_proto$request_method$host$request_uri"))
	w.line(module+"_cache_valid", 200, 301, 302, orDefault(c.ValidTime, "10m"))
	w.line(module+"_cache_bypass", nginxCode("$site_known"), nginxCode("$site_bypass"))
	w.line(module+"_no_cache", nginxCode("$site_known"), nginxCode("$site_bypass"))
	w.line(module+"_cache_use_stale", "error", "timeout", "updating", "http_500", "http_503")
	w.line(module+"_cache_lock", "on")
}

// cacheEra begins every key of the cache. Who purges the cache begins a new era:
// what was kept in former ones is never found again, and nginx drops it in time.
func (s Site) cacheEra() string {
	purged := s.Domain.Annotations[v1alpha1.AnnotationPurgeCache]
	if purged == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(purged))
	return hex.EncodeToString(sum[:6]) + " "
}
