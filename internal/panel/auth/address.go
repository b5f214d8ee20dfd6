package auth

import (
	"context"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// addressOf returns who really sent a request: the peer of the connection, unless
// that is a proxy of ours. Then it is the last address in X-Forwarded-For that no
// proxy of ours has: what stands before it was written by strangers.
func addressOf(r *http.Request, proxies []netip.Prefix) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	at := peer.Addr().Unmap().WithZone("")
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && trusted(at, proxies); i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		at = hop.Unmap().WithZone("")
	}
	return at
}

func trusted(at netip.Addr, proxies []netip.Prefix) bool {
	return slices.ContainsFunc(proxies, func(p netip.Prefix) bool { return p.Contains(at) })
}

// neighbourhood is what one visitor may well have all addresses of: one IPv4
// address, or a /64 of IPv6 (RFC 6177).
func neighbourhood(at netip.Addr) string {
	if !at.Is6() {
		return at.String()
	}
	net, err := at.Prefix(64)
	if err != nil {
		return at.String()
	}
	return net.String()
}

// Neighbourhood returns what of a request's address tries are counted by.
func Neighbourhood(ctx context.Context) string { return neighbourhood(AddressOf(ctx)) }
