package main

import (
	"github.com/spf13/pflag"

	"kubepanel.io/kubepanel/internal/panel/syslog"
)

// logOptions say where the audit trail is sent.
type logOptions struct {
	server, certificates string
}

func (o *logOptions) addFlags(flags *pflag.FlagSet) {
	flags.StringVar(&o.server, "syslog", "", "`address` of a server that gets the audit trail as syslog by TLS: HOST:PORT; empty: none does")
	flags.StringVar(&o.certificates, "syslog-certificates", "", "`folder` with ca.crt for a private authority of that server, and tls.crt and tls.key where it wants a certificate; empty: neither")
}

// open prepares sending the trail; nil: it is sent nowhere.
func (o *logOptions) open(p *panel, host string) (*syslog.Sender, error) {
	if o.server == "" {
		return nil, nil
	}
	p.WatchTrail()
	return syslog.New(syslog.Options{Rules: p.rules, Server: o.server, Folder: o.certificates, Host: host, Behind: p.TrailBehind, Log: p.log})
}
