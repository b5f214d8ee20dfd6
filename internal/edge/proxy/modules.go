package proxy

import (
	"fmt"

	"github.com/caddyserver/caddy/v2"
)

// Name spaces of Caddy in which we have a module.
const (
	handlers     = "http.handlers"
	listeners    = "caddy.listeners"
	certificates = "tls.get_certificate"
	permissions  = "tls.permission"
	issuers      = "tls.issuance"
	storages     = "caddy.storage"
)

// module gives a type of ours its name in Caddy's registry.
type module struct {
	id  caddy.ModuleID
	new func(module) caddy.Module
}

// CaddyModule tells Caddy how to make the module.
func (m module) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: m.id, New: func() caddy.Module { return m.new(m) }}
}

// register makes the modules of this Front known to Caddy and returns the name
// that all of them have in their name spaces.
//
// Caddy's registry is one for the process and never forgets. Modules are bound to
// their Front when they are made, so that no variable of ours is global; a second
// Front in the same process (in tests) takes the next name.
func (f *Front) register() string {
	name := "kubepanel"
	for n := 2; ; n++ {
		if _, err := caddy.GetModule(handlers + "." + name); err != nil {
			break
		}
		name = fmt.Sprintf("kubepanel%d", n)
	}
	for space, make := range map[string]func(module) caddy.Module{
		handlers:     func(m module) caddy.Module { return &handler{module: m, front: f} },
		listeners:    func(m module) caddy.Module { return &counter{module: m, connections: &f.connections} },
		certificates: func(m module) caddy.Module { return &manager{module: m, front: f} },
		permissions:  func(m module) caddy.Module { return &noPermission{module: m} },
		issuers:      func(m module) caddy.Module { return &noIssuer{module: m} },
		storages:     func(m module) caddy.Module { return &noStorage{module: m} },
	} {
		caddy.RegisterModule(module{id: caddy.ModuleID(space + "." + name), new: make})
	}
	return name
}
