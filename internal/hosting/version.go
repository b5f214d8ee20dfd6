package hosting

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
)

// If returns the rules with a condition: a change counts only while its object has
// this version, as Version told it to whoever decides now; "" is any. What others
// changed meanwhile is answered Changed.
func (p *Provider) If(version string) *Provider {
	q := *p
	q.expect = version
	return &q
}

// expected refuses a change of what is not any more what the actor saw.
func (p *Provider) expected(version string) error {
	if p.expect == "" || p.expect == version {
		return nil
	}
	return changedMeanwhile()
}

func changedMeanwhile() error {
	return &Error{Code: Changed, Message: "Somebody changed it since you read it.", Mend: "Read it again and decide anew."}
}

// Version names what can be changed of the account, as it is now.
func (u *User) Version() string {
	return version(string(u.ID), u.Email, u.Name, string(u.Package), fmt.Sprint(u.Suspended))
}

// Version names what can be changed of the package, as it is now.
func (p *Package) Version() string {
	parts := []string{string(p.ID), p.Name}
	for _, r := range Resources() {
		if most, ok := p.Quota[r]; ok {
			parts = append(parts, fmt.Sprintf("%s=%d", r, most))
		}
	}
	return version(parts...)
}

// Version names what the collaborator may do there, as it is now; the order of the rights
// changes nothing.
func (g *GrantedUser) Version() string {
	parts := []string{string(g.User.ID), string(g.Grant.Customer), g.Grant.Site}
	for _, right := range slices.Sorted(slices.Values(g.Grant.Rights)) {
		parts = append(parts, string(right))
	}
	return version(parts...)
}

// Version names what can be changed of the provider and be read again, as it is now.
func (i *IdentityProvider) Version() string {
	return version(append([]string{string(i.ID), i.Name, i.Issuer, i.ClientID, string(i.Role), string(i.Package), fmt.Sprint(i.AsksFactor)}, i.Domains...)...)
}

// Version names what people want of the site, as it is now. What the operator tells
// of it changes nothing here.
func (s *OwnedSite) Version() string {
	parts := []string{s.Name, string(s.Owner), fmt.Sprint(s.Held), fmt.Sprint(s.State == SiteDeleting)}
	if s.Domain != nil {
		parts = append(parts, string(s.Domain.UID), fmt.Sprint(s.Domain.Generation))
	}
	return version(parts...)
}

// WishVersion names what people want of the node, as it is now. How far that is changes
// nothing here.
func (n NodeState) WishVersion() string {
	parts := []string{n.Name}
	if m := n.Maintenance; m != nil {
		parts = append(parts, fmt.Sprint(m.Spec.Drain), fmt.Sprint(m.Spec.TakeDown), m.Spec.Reason, fmt.Sprint(m.DeletionTimestamp != nil))
	}
	return version(parts...)
}

// version is a short digest; each part goes in with its length.
func version(parts ...string) string {
	const octets = 9
	h := sha256.New()
	for _, part := range parts {
		fmt.Fprintf(h, "%d:%s,", len(part), part)
	}
	return hex.EncodeToString(h.Sum(nil)[:octets])
}
