package paneltest

import "github.com/descope/virtualwebauthn"

// wholeKey is how long a P-256 key is as an authenticator tells it (RFC 9053 section
// 7.1.1): both coordinates have 32 octets, zeros in front included.
const wholeKey = 77

// NewPasskey is a key as a real authenticator makes it. The virtual one leaves zeros in
// front of a coordinate out, which one of 128 keys has, and such a key is refused.
func NewPasskey() virtualwebauthn.Credential {
	for {
		key := virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)
		if len(key.Key.AttestationData()) == wholeKey {
			return key
		}
	}
}
