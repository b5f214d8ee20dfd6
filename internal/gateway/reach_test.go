package gateway

import (
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"kubepanel.io/kubepanel/internal/desired"
	"kubepanel.io/kubepanel/internal/gateway/gatewaytest"
)

const shop = "shop.example"

// deaf returns the address of a socket of this machine that nobody else gets, and which
// refuses until listen is called.
func deaf(t *testing.T) (address string, listen func()) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(fd) })
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	at := net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: name.(*unix.SockaddrInet4).Port}
	if conn, err := net.DialTCP("tcp", nil, &at); err == nil {
		_ = conn.Close()
		t.Fatal("the address does not refuse")
	}
	return at.String(), func() { _ = unix.Listen(fd, 16) }
}

func reached(t *testing.T, d *Directory) string {
	t.Helper()
	conn, err := d.reach(t.Context(), shop)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close() // nothing was said
	return conn.RemoteAddr().String()
}

// A pod is known before its server listens.
func TestASiteThatRefusesAtFirstIsReached(t *testing.T) {
	address, listen := deaf(t)
	var d Directory
	d.PutSlice(gatewaytest.Slice(shop, address))
	time.AfterFunc(3*refusedPause, listen)
	reached(t, &d)
}

// A site's next pod has another address, and between the two the site has none.
func TestASiteIsLookedForWhereItIsByThen(t *testing.T) {
	next, listen := deaf(t)
	listen()
	for name, before := range map[string]func(*Directory){
		"it refuses": func(d *Directory) {
			address, _ := deaf(t)
			d.PutSlice(gatewaytest.Slice(shop, address))
		},
		"it has no pod": func(d *Directory) {
			es := gatewaytest.Slice(shop, next)
			es.Endpoints = nil
			d.PutSlice(es)
		},
		"it has no slice": func(d *Directory) {
			d.PutSlice(gatewaytest.Slice(shop, next))
			d.RemoveSlice(types.NamespacedName{Namespace: desired.Namespace(shop), Name: gatewaytest.Slice(shop, next).Name})
		},
	} {
		t.Run(name, func(t *testing.T) {
			var d Directory
			before(&d)
			time.AfterFunc(3*refusedPause, func() { d.PutSlice(gatewaytest.Slice(shop, next)) })
			if got := reached(t, &d); got != next {
				t.Errorf("reached %s, want %s", got, next)
			}
		})
	}
}

func TestASiteWithoutAPodIsGivenUp(t *testing.T) {
	var d Directory
	begin := time.Now()
	if _, err := d.reach(t.Context(), shop); err == nil || !strings.Contains(err.Error(), "no pod") {
		t.Errorf("reach = %v, want that the site has no pod", err)
	}
	if took := time.Since(begin); took < refusedTime {
		t.Errorf("given up after %s, want %s", took, refusedTime)
	}
}

func TestWhereASiteIs(t *testing.T) {
	first, other, stranger := gatewaytest.Slice(shop, "10.0.0.1:2222"), gatewaytest.Slice(shop, "10.0.0.2:2222"), gatewaytest.Slice(shop, "10.0.0.3:2222")
	other.Name += "2"
	other.Endpoints[0].Conditions.Terminating = ptr.To(true)
	stranger.Name, stranger.Labels = "z", map[string]string{discoveryv1.LabelServiceName: "another"}
	first.Ports = append(first.Ports, discoveryv1.EndpointPort{Name: ptr.To("http"), Port: ptr.To(int32(8080))}, discoveryv1.EndpointPort{Name: ptr.To("ssh")})
	var d Directory
	check := func(when string, want ...string) {
		t.Helper()
		if got := d.addresses(shop); !slices.Equal(got, want) {
			t.Errorf("%s it is at %q, want %q", when, got, want)
		}
	}
	check("unknown,")
	d.PutSlice(stranger)
	check("beside another Service")
	d.PutSlice(other)
	check("while its pod ends", "10.0.0.2:2222")
	d.PutSlice(first)
	check("with a next pod", "10.0.0.1:2222")
	for _, es := range []*discoveryv1.EndpointSlice{first, other, stranger} {
		d.RemoveSlice(types.NamespacedName{Namespace: es.Namespace, Name: es.Name})
	}
	check("gone,")
	if len(d.slices) > 0 {
		t.Errorf("of what is gone %v is kept", d.slices)
	}
}
