package operator

import "crypto/rand"

// passwordLength in base32 letters and digits is 160 bits.
const passwordLength = 32

// NewPassword returns letters and digits only: it passes unquoted through
// configuration files, SQL and the command lines of customers' tools.
func NewPassword() string { return (rand.Text() + rand.Text())[:passwordLength] }
