package gateway

import (
	"strings"

	"kubepanel.io/kubepanel/internal/desired"
)

// login is the name that somebody signs in with, taken apart.
type login struct {
	// user at the site's own server.
	user string
	// domain of the site; "" leaves it to the key.
	domain string
}

// parseLogin reads USER@DOMAIN, DOMAIN, or USER alone, which has no dot.
func parseLogin(name string) login {
	at := strings.LastIndexByte(name, '@')
	user, domain := desired.SFTPUser, name
	switch {
	case at >= 0:
		user, domain = name[:at], name[at+1:]
	case !strings.Contains(name, "."):
		user, domain = name, ""
	}
	return login{user: user, domain: strings.ToLower(domain)}
}
