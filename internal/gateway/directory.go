package gateway

import (
	"strings"
	"sync"

	"golang.org/x/crypto/ssh"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/sshd"
)

// Site is what the gateway knows of a site: nothing of it is secret.
type Site struct {
	Domain string
	// HostKey is what that server has to show.
	HostKey ssh.PublicKey
	// Keys may sign in.
	Keys []ssh.PublicKey
}

// siteOf reads a Domain; ok is false when nobody can sign in there.
func siteOf(o *v1alpha1.Domain) (site *Site, ok bool) {
	status := o.Status.SFTP
	if status == nil || o.Spec.SFTP.Enabled != nil && !*o.Spec.SFTP.Enabled || o.DeletionTimestamp != nil {
		return nil, false
	}
	hostKeys := sshd.ParseKeys(status.ServerKey)
	if len(hostKeys) != 1 {
		return nil, false
	}
	return &Site{
		Domain: o.Spec.DomainName, HostKey: hostKeys[0],
		Keys: sshd.ParseKeys(strings.Join(append([]string{status.PublicKey}, o.Spec.SFTP.AuthorizedKeys...), "\n")),
	}, true
}

// Directory holds all sites and where they are. The zero value is empty and works.
type Directory struct {
	mu sync.RWMutex
	// objects maps a Domain's name to its site: two Domains can ask for one domain
	// name, and only the one that has it has a status.
	objects map[string]*Site
	domains map[string]*Site
	keys    map[string][]*Site // by the key's bytes
	// slices are what the EndpointSlices say, by their namespaces and names.
	slices map[string]map[string]slice
}

// Put takes what a Domain says now.
func (d *Directory) Put(o *v1alpha1.Domain) {
	site, ok := siteOf(o)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.remove(o.Name)
	if !ok {
		return
	}
	if d.objects == nil {
		d.objects, d.domains, d.keys = map[string]*Site{}, map[string]*Site{}, map[string][]*Site{}
	}
	d.objects[o.Name], d.domains[site.Domain] = site, site
	for _, key := range site.Keys {
		bytes := string(key.Marshal())
		d.keys[bytes] = append(d.keys[bytes], site)
	}
}

// Remove forgets a Domain by its object's name.
func (d *Directory) Remove(name string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.remove(name)
}

func (d *Directory) remove(name string) {
	site, ok := d.objects[name]
	if !ok {
		return
	}
	delete(d.objects, name)
	if d.domains[site.Domain] == site {
		delete(d.domains, site.Domain)
	}
	for _, key := range site.Keys {
		bytes := string(key.Marshal())
		var rest []*Site
		for _, s := range d.keys[bytes] {
			if s != site {
				rest = append(rest, s)
			}
		}
		if d.keys[bytes] = rest; len(rest) == 0 {
			delete(d.keys, bytes)
		}
	}
}

// find returns the site of that domain name.
func (d *Directory) find(domain string) (*Site, bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	site, ok := d.domains[domain]
	return site, ok
}

// withKey returns the site that a key opens: that of the domain, or without one
// the only site there is.
func (d *Directory) withKey(domain string, key ssh.PublicKey) (*Site, bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	sites := d.keys[string(key.Marshal())]
	for _, site := range sites {
		if site.Domain == domain || domain == "" && len(sites) == 1 {
			return site, true
		}
	}
	return nil, false
}

// Len is how many sites there are.
func (d *Directory) Len() int {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return len(d.domains)
}
