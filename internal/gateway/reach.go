package gateway

import (
	"context"
	"errors"
	"net"
	"strconv"
	"syscall"
	"time"

	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"kubepanel.io/kubepanel/internal/desired"
)

const (
	// refusedTime is for how long a site is looked for that refuses or is nowhere: its
	// pod may be the next one, of which the API server has not told yet.
	refusedTime  = 3 * time.Second
	refusedPause = 100 * time.Millisecond
	// silentTime is how long an address may say nothing: a pod that is gone takes
	// packets without a word, and its successor has another address.
	silentTime = time.Second
)

// errNowhere says that a site has no pod.
var errNowhere = errors.New("the site has no pod")

// slice is what an EndpointSlice says of the SSH servers behind a Service.
type slice struct {
	service string
	// ending are those of pods that are being removed.
	serving, ending []string
}

// PutSlice takes what an EndpointSlice says now.
func (d *Directory) PutSlice(es *discoveryv1.EndpointSlice) {
	s := slice{service: es.Labels[discoveryv1.LabelServiceName]}
	for _, p := range es.Ports {
		if ptr.Deref(p.Name, "") != desired.PortNameSSH || p.Port == nil {
			continue
		}
		for _, e := range es.Endpoints {
			list := &s.serving
			if ptr.Deref(e.Conditions.Terminating, false) {
				list = &s.ending
			}
			for _, address := range e.Addresses {
				*list = append(*list, net.JoinHostPort(address, strconv.Itoa(int(*p.Port))))
			}
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.slices == nil {
		d.slices = map[string]map[string]slice{}
	}
	if d.slices[es.Namespace] == nil {
		d.slices[es.Namespace] = map[string]slice{}
	}
	d.slices[es.Namespace][es.Name] = s
}

// RemoveSlice forgets an EndpointSlice.
func (d *Directory) RemoveSlice(name types.NamespacedName) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.slices[name.Namespace], name.Name)
	if len(d.slices[name.Namespace]) == 0 {
		delete(d.slices, name.Namespace)
	}
}

// addresses are where a site's SSH server is, host and port: in a pod that is being
// removed only where there is no other.
func (d *Directory) addresses(domain string) []string {
	d.mu.RLock()
	defer d.mu.RUnlock()
	var all slice
	for _, s := range d.slices[desired.Namespace(domain)] {
		if s.service == desired.ServiceName(domain) {
			all.serving, all.ending = append(all.serving, s.serving...), append(all.ending, s.ending...)
		}
	}
	if len(all.serving) > 0 {
		return all.serving
	}
	return all.ending
}

// reach connects with a site's server. That it refuses, says nothing or is nowhere is
// waited out within the first seconds, wherever the site is by then; every other
// failure, and the end of ctx, is told at once.
func (d *Directory) reach(ctx context.Context, domain string) (net.Conn, error) {
	for begin := time.Now(); ; {
		conn, err := firstOf(ctx, d.addresses(domain))
		if err == nil || !passing(err) || time.Since(begin) > refusedTime {
			return conn, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(refusedPause):
		}
	}
}

// firstOf connects with the first that answers.
func firstOf(ctx context.Context, addresses []string) (net.Conn, error) {
	err := errNowhere
	for _, address := range addresses {
		var conn net.Conn
		if conn, err = (&net.Dialer{Timeout: silentTime}).DialContext(ctx, "tcp", address); err == nil {
			return conn, nil
		}
	}
	return nil, err
}

// passing tells whether err is of a site that moves or starts.
func passing(err error) bool {
	timeout, ok := errors.AsType[net.Error](err)
	return ok && timeout.Timeout() ||
		errors.Is(err, errNowhere) || errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.EHOSTUNREACH)
}
