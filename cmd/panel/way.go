package main

import (
	"cmp"

	"github.com/spf13/pflag"

	"kubepanel.io/kubepanel/api/platform"
	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/door"
)

// wayOptions say how the panel comes to sites' files and shells.
type wayOptions struct{ gateway, keys string }

func (o *wayOptions) AddFlags(flags *pflag.FlagSet) {
	flags.StringVar(&o.gateway, "gateway", "", "`address` of the SSH gateway, the way to sites' files; empty: kubepanel-gateway in the platform's namespace")
	flags.StringVar(&o.keys, "door-keys", "/etc/kubepanel-door", "`folder` with key, which opens sites there, and gateway, the public key that the gateway shows")
}

// open returns the way into sites, or none where there is no gateway.
func (o *wayOptions) open(settings *platform.Settings) hosting.Door {
	if !settings.SFTP.Gateway() {
		return nil
	}
	return door.New(cmp.Or(o.gateway, "kubepanel-gateway."+settings.Namespace+".svc:22"),
		func() (door.Keys, error) { return door.ReadKeys(o.keys) })
}
