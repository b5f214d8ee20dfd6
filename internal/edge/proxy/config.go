package proxy

import (
	"encoding/json"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	// The listener wrapper proxy_protocol.
	_ "github.com/caddyserver/caddy/v2/modules/caddyhttp/proxyprotocol"
	"github.com/caddyserver/caddy/v2/modules/caddytls"
	"k8s.io/utils/ptr"
)

const (
	// readHeaderTimeout bounds the TLS handshake and the reading of a request's
	// header, however slowly it comes.
	readHeaderTimeout = 15 * time.Second
	// idleTimeout is how long a silent keep-alive connection stays open.
	idleTimeout = 2 * time.Minute
	// stallTimeout ends uploads and downloads that make no progress at all, unless
	// Front has another. Slow ones may take as long as they need.
	stallTimeout = time.Minute
	// maxHeaderBytes is what nginx allows by default (4 × 8 KiB).
	maxHeaderBytes = 32 << 10
	// proxyHeaderTimeout bounds the wait for a PROXY header.
	proxyHeaderTimeout = 5 * time.Second
	// gracePeriod is the longest Caddy waits for requests when it stops. The
	// caller of Stop sets the bound that counts, which is shorter.
	gracePeriod = 10 * time.Minute
)

type object = map[string]any

// config returns the whole configuration of Caddy. name is that of our modules.
func (f *Front) config(name string) ([]byte, error) {
	_, httpPort, err := net.SplitHostPort(f.HTTPListen)
	if err != nil {
		return nil, fmt.Errorf("listen on %q: %w", f.HTTPListen, err)
	}
	port, err := strconv.Atoi(httpPort)
	if err != nil {
		return nil, fmt.Errorf("listen on %q: %w", f.HTTPListen, err)
	}
	secure := f.server(name, f.HTTPSListen)
	secure.Protocols = []string{"h1", "h2"}
	secure.TLSConnPolicies = caddytls.ConnectionPolicies{{}}
	web := caddyhttp.App{
		HTTPPort:    port,
		GracePeriod: caddy.Duration(gracePeriod),
		Servers:     map[string]*caddyhttp.Server{"http": f.server(name, f.HTTPListen), "https": secure},
	}
	return json.Marshal(caddy.Config{
		Admin: &caddy.AdminConfig{Disabled: true, Config: &caddy.ConfigSettings{Persist: ptr.To(false)}},
		Logging: &caddy.Logging{Logs: map[string]*caddy.CustomLog{"default": {
			BaseLog: caddy.BaseLog{Level: f.LogLevel.String()},
			Exclude: []string{
				"admin", // it warns that there is no admin port
				// The proxy would put every request into a line that it seldom writes:
				// costly, and with the query, which no log of ours shows.
				handlers + "." + name,
			},
		}}},
		StorageRaw: caddyconfig.JSON(object{"module": name}, nil),
		AppsRaw: caddy.ModuleMap{
			"http": caddyconfig.JSON(web, nil),
			"tls":  caddyconfig.JSON(secrets(name), nil),
		},
	})
}

func (f *Front) server(name, listen string) *caddyhttp.Server {
	// The order matters: count the socket, take the PROXY header off, then TLS.
	wrappers := []json.RawMessage{caddyconfig.JSON(object{"wrapper": name}, nil)}
	if from := f.Public.ProxyProtocolFrom; len(from) > 0 {
		wrappers = append(wrappers, caddyconfig.JSON(object{
			"wrapper": "proxy_protocol",
			"timeout": proxyHeaderTimeout.String(),
			"allow":   from,
			// From anybody else the header is not looked for, and is no HTTP.
			"fallback_policy": "SKIP",
		}, nil))
	}
	wrappers = append(wrappers, caddyconfig.JSON(object{"wrapper": "tls"}, nil))
	return &caddyhttp.Server{
		Listen:              []string{listen},
		ListenerWrappersRaw: wrappers,
		Protocols:           []string{"h1"},
		ReadHeaderTimeout:   caddy.Duration(readHeaderTimeout),
		ReadIdleTimeout:     -1, // none: boundUpload says why, and does it
		WriteIdleTimeout:    caddy.Duration(f.stall()),
		IdleTimeout:         caddy.Duration(idleTimeout),
		MaxHeaderBytes:      maxHeaderBytes,
		AutoHTTPS:           &caddyhttp.AutoHTTPSConfig{Disabled: true},
		Routes: caddyhttp.RouteList{{
			HandlersRaw: []json.RawMessage{caddyconfig.JSON(object{"handler": name}, nil)},
		}},
	}
}

// secrets is the configuration of Caddy's TLS app. Certificates come from our
// manager alone: what would be asked after it is denied, can't issue, and has
// nowhere to keep anything.
func secrets(name string) caddytls.TLS {
	return caddytls.TLS{
		DisableOCSPStapling: true,
		DisableStorageCheck: true,
		DisableStorageClean: true,
		Automation: &caddytls.AutomationConfig{
			OnDemand: &caddytls.OnDemandConfig{PermissionRaw: caddyconfig.JSON(object{"module": name}, nil)},
			Policies: []*caddytls.AutomationPolicy{{
				ManagersRaw:         []json.RawMessage{caddyconfig.JSON(object{"via": name}, nil)},
				IssuersRaw:          []json.RawMessage{caddyconfig.JSON(object{"module": name}, nil)},
				DisableOCSPStapling: true,
			}},
		},
	}
}
