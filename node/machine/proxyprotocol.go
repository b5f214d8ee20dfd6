package machine

import (
	"encoding/binary"
	"net/netip"
)

// proxyHeader tells the machine's web server who the visitor is: the PROXY
// protocol, version 2, section 2.2 (a 16-byte head, then both addresses).
func proxyHeader(visitor, server netip.AddrPort) []byte {
	from, to := visitor.Addr().Unmap(), server.Addr().Unmap()
	const (
		proxyCommand = 0x21 // version 2, command PROXY
		tcp4         = 0x11
		tcp6         = 0x21
	)
	header := []byte("\r\n\r\n\x00\r\nQUIT\n")
	family := byte(tcp4)
	if !from.Is4() || !to.Is4() {
		family = tcp6
		from, to = netip.AddrFrom16(from.As16()), netip.AddrFrom16(to.As16())
	}
	addresses := append(from.AsSlice(), to.AsSlice()...)
	header = append(header, proxyCommand, family)
	header = binary.BigEndian.AppendUint16(header, uint16(len(addresses)+4))
	header = append(header, addresses...)
	header = binary.BigEndian.AppendUint16(header, visitor.Port())
	return binary.BigEndian.AppendUint16(header, server.Port())
}
