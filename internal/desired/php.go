package desired

import (
	"fmt"
	"strconv"

	"kubepanel.io/kubepanel/api/platform"
)

// Keys of the ConfigMap app-config.
const (
	keyPHPIni = "zz-kubepanel.ini"
	// keyCustomIni holds the customer's own lines; PHP reads it after ours.
	keyCustomIni = "zzz-custom.ini"
	keyFPM       = "www.conf"
	keyMSMTP     = "msmtprc"
	keyWordPress = "wordpress.json"
)

// stderr of the container: a path, since FPM and PHP open their logs by name.
const stderrPath = "/proc/self/fd/2"

// fpmConfig returns the whole configuration of a site's PHP-FPM: one pool, on a
// socket that only this pod has, with no process while nobody asks.
func (s Site) fpmConfig() (string, error) {
	php, _ := readPHPSettings(s.Domain.Spec.Workload.Settings)
	w := &iniWriter{}
	w.comment("Written by Kubepanel from the Domain; a change made here is undone.")
	w.section("global")
	w.set("daemonize", "no")
	w.set("pid", "/tmp/php-fpm.pid")
	w.set("error_log", stderrPath)
	w.set("log_limit", 8192)
	w.set("emergency_restart_threshold", 3)
	w.set("emergency_restart_interval", "60s")
	w.comment("A change of configuration cuts no request short.")
	w.set("process_control_timeout", s.timeout())
	w.section("www")
	w.set("listen", s.fpmListen())
	w.set("listen.mode", "0660")
	w.set("listen.backlog", 511)
	w.set("pm", "ondemand")
	w.set("pm.max_children", php.MaxChildren)
	w.set("pm.process_idle_timeout", strconv.Itoa(php.ProcessIdleTimeout)+"s")
	w.set("pm.max_requests", 1000)
	w.set("ping.path", pathPing)
	w.set("request_terminate_timeout", s.timeout())
	w.set("catch_workers_output", "yes")
	w.set("decorate_workers_output", "no")
	w.set("clear_env", "no")
	w.set("env["+envTimezone+"]", s.timezone())
	w.set("security.limit_extensions", ".php")
	return w.b.String(), w.err
}

// fpmListen is the socket itself, or the name by which FPM knows the one that its
// keeper holds.
func (s Site) fpmListen() string {
	if s.keptApp() {
		return pathPHPSocket + ".fpm"
	}
	return pathPHPSocket
}

// phpIni returns the settings that are read after the image's own.
func (s Site) phpIni() (string, error) {
	php, _ := readPHPSettings(s.Domain.Spec.Workload.Settings)
	w := &iniWriter{}
	w.comment("Written by Kubepanel from the Domain; a change made here is undone.")
	w.set("memory_limit", php.MemoryLimit)
	w.set("max_execution_time", php.MaxExecutionTime)
	w.set("upload_max_filesize", php.UploadMaxFilesize)
	w.set("post_max_size", php.PostMaxSize)
	w.set("max_input_vars", 5000)
	w.set("date.timezone", s.timezone())
	w.set("expose_php", false)
	w.set("display_errors", false)
	w.set("log_errors", true)
	w.set("error_log", stderrPath)
	w.set("cgi.fix_pathinfo", false)
	w.set("sys_temp_dir", "/tmp")
	w.set("upload_tmp_dir", "/tmp")
	w.set("session.save_path", "/tmp")
	w.set("session.cookie_httponly", true)
	w.set("session.use_strict_mode", true)
	w.set("sendmail_path", "/usr/bin/msmtp -C "+pathAppConfig+"/"+keyMSMTP+" -t")
	w.set("realpath_cache_size", "4096K")
	w.set("opcache.enable", true)
	w.set("opcache.memory_consumption", 64)
	w.set("opcache.interned_strings_buffer", 8)
	w.set("opcache.max_accelerated_files", 10000)
	w.set("opcache.revalidate_freq", 2)
	return w.b.String(), w.err
}

// msmtprc says where mail() goes. Without a relay the account has no host: msmtp
// ends with an error and mail() with false, instead of discarding the mail.
func (s Site) msmtprc() string {
	m, domain := s.Platform.Mail, s.Domain.Spec.DomainName
	if m.RelayHost == "" {
		return "# This platform has no mail relay (setting mail.relayHost), so mail() fails.\n" +
			"account default\n"
	}
	return mailRelay(m, domain)
}

func mailRelay(m platform.Mail, domain string) string {
	// Host, port and domain are checked patterns without spaces or quotes.
	return fmt.Sprintf("account default\nhost %s\nport %d\ndomain %s\nfrom www@%s\ntls off\nauth off\ntimeout 15\n",
		m.RelayHost, m.RelayPort, domain, domain)
}

// timeout is how many seconds a request may take: PHP's own limit counts only its
// own work, so waiting gets the same again, at least half a minute.
func (s Site) timeout() string {
	php, _ := readPHPSettings(s.Domain.Spec.Workload.Settings)
	if php.MaxExecutionTime == 0 {
		return "86400s"
	}
	return strconv.Itoa(php.MaxExecutionTime+max(php.MaxExecutionTime, 30)) + "s"
}
