package hosting

import "context"

// Usage tells what an account uses and may use; a reseller's includes that of its
// customers.
func (p *Provider) Usage(ctx context.Context, a Actor, id ID) ([]QuotaLine, error) {
	u, err := user(ctx, p.Store, a, RightUserView, id)
	if err != nil {
		return nil, err
	}
	used, err := p.Store.UsedBy(ctx, u.ID, u.Role == Reseller)
	if err != nil {
		return nil, err
	}
	quota := Quota{}
	if u.Package != "" {
		pack, err := p.Store.Package(ctx, u.Package)
		if err != nil {
			return nil, err
		}
		quota = pack.Quota
	}
	return quota.lines(used), nil
}

// UserFor returns an account for something that the actor may do to it.
func (p *Provider) UserFor(ctx context.Context, a Actor, do Right, id ID) (*User, error) {
	return user(ctx, p.Store, a, do, id)
}
