package platform

import (
	settings "kubepanel.io/kubepanel/api/platform"
	"kubepanel.io/kubepanel/internal/operator"
)

// newGateway returns the SSH gateway's keys: the one that it shows to customers,
// and the one by which it vouches for them to sites.
func newGateway() (map[string][]byte, error) {
	hostKey, hostKeyPublic, err := operator.NewSSHKey()
	if err != nil {
		return nil, err
	}
	authority, authorityPublic, err := operator.NewSSHKey()
	return map[string][]byte{
		settings.KeyGatewayHost: hostKey, settings.KeyGatewayHostPublic: hostKeyPublic,
		settings.KeyGatewayAuthority: authority, settings.KeyGatewayAuthorityPublic: authorityPublic,
	}, err
}
