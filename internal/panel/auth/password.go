package auth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"runtime"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
)

// Cost is what hashing one password costs.
type Cost struct {
	Memory  uint32 // KiB
	Passes  uint32
	Threads uint8
}

// DefaultCost is what OWASP asks for at least (Password Storage Cheat Sheet, 2024):
// about 20 ms on one core.
func DefaultCost() Cost { return Cost{Memory: 19 << 10, Passes: 2, Threads: 1} }

const (
	saltSize = 16 // bytes, RFC 9106 section 3.1
	hashSize = 32
	// hashesAtOnce bounds the memory that strangers who try passwords can make us use.
	hashesAtOnce = 2
	// Bounds of what a hash in the database may ask of us.
	maxMemory, maxPasses = 1 << 20, 16
)

// hash returns a password's argon2id hash in its usual text.
func (a *Auth) hash(password string) string {
	salt := make([]byte, saltSize)
	_, _ = rand.Read(salt) // never fails
	return text(a.Cost, salt, a.derive(a.Cost, salt, password))
}

// decoy is a hash that no password has: comparing one with it costs what comparing it
// with anybody's does. It is not derived from a password, which would make every start
// of the program wait.
func decoy(c Cost) string {
	salt, sum := make([]byte, saltSize), make([]byte, hashSize)
	_, _ = rand.Read(salt) // never fails
	_, _ = rand.Read(sum)
	return text(c, salt, sum)
}

func (a *Auth) derive(c Cost, salt []byte, password string) []byte {
	a.hashing <- struct{}{}
	defer func() { <-a.hashing }()
	// Each hash leaves its memory as garbage. Left to itself the collector runs in the
	// middle of one, takes that for what the program lives on, and lets twice of it
	// gather.
	runtime.GC()
	return argon2.IDKey([]byte(password), salt, c.Passes, c.Memory, c.Threads, hashSize)
}

func text(c Cost, salt, sum []byte) string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, c.Memory, c.Passes, c.Threads, b64.EncodeToString(salt), b64.EncodeToString(sum))
}

// parseHash reads what hash wrote.
func parseHash(hash string) (c Cost, salt, sum []byte, err error) {
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return c, nil, nil, fmt.Errorf("a password's hash is not argon2id's")
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &c.Memory, &c.Passes, &c.Threads); err != nil {
		return c, nil, nil, fmt.Errorf("read a password's hash: %w", err)
	}
	if c.Passes < 1 || c.Threads < 1 || c.Memory > maxMemory || c.Passes > maxPasses {
		return c, nil, nil, fmt.Errorf("a password's hash asks for a cost of %+v", c)
	}
	if salt, err = base64.RawStdEncoding.Strict().DecodeString(parts[4]); err != nil {
		return c, nil, nil, fmt.Errorf("read a password's salt: %w", err)
	}
	if sum, err = base64.RawStdEncoding.Strict().DecodeString(parts[5]); err != nil || len(sum) != hashSize {
		return c, nil, nil, fmt.Errorf("a password's hash has another size")
	}
	if canonical := text(c, salt, sum); canonical != hash {
		return c, nil, nil, fmt.Errorf("a password's hash is not written as usual")
	}
	return c, salt, sum, nil
}

// verify tells whether a password is the one of a hash. It takes as long for an
// account that has none, so that nobody learns which accounts there are.
func (a *Auth) verify(hash, password string) bool {
	known := hash != ""
	if !known {
		hash = a.decoy
	}
	c, salt, sum, err := parseHash(hash)
	if err != nil {
		return false
	}
	return subtle.ConstantTimeCompare(a.derive(c, salt, password), sum) == 1 && known
}

// outdated tells whether a hash was made at another cost than today's.
func (a *Auth) outdated(hash string) bool {
	c, _, _, err := parseHash(hash)
	return err != nil || c != a.Cost
}

const (
	minPassword = 12  // characters
	maxPassword = 256 // bytes; longer ones only cost us time
	// minVariety keeps out aaaaaaaaaaaa and 121212121212.
	minVariety = 5
)

// acceptable says what is wrong with a new password of somebody. One that can't be looked
// up is not taken: who attacks the look-up shall not gain by it.
func (a *Auth) acceptable(ctx context.Context, password, email, name string) error {
	if err := checkPassword(password, email, name); err != nil || a.Breached == nil {
		return err
	}
	known, err := a.Breached(ctx, password)
	switch {
	case err != nil:
		return fmt.Errorf("whether the password was stolen from some other service can't be looked up right now; try again in a moment, or tell your provider")
	case known:
		return fmt.Errorf("the password is in a list of stolen ones, so that everybody tries it; choose another, and change it wherever else you use it")
	}
	return nil
}

// checkPassword says what is wrong with a new password. There are no rules of
// composition: they make passwords worse (NIST SP 800-63B section 3.1.1.2).
func checkPassword(password, email, name string) error {
	switch {
	case !utf8.ValidString(password):
		return fmt.Errorf("the password is not valid UTF-8; type it again")
	case utf8.RuneCountInString(password) < minPassword:
		return fmt.Errorf("the password is too short; use at least %d characters, for example some words", minPassword)
	case len(password) > maxPassword:
		return fmt.Errorf("the password is too long; use at most %d bytes", maxPassword)
	}
	various := map[rune]bool{}
	for _, r := range password {
		various[r] = true
	}
	if len(various) < minVariety {
		return fmt.Errorf("the password repeats itself; use more different characters")
	}
	bare := strings.ToLower(password)
	user, _, _ := strings.Cut(strings.ToLower(email), "@")
	for _, known := range []string{user, strings.ToLower(email), strings.ToLower(name), "kubepanel"} {
		if len(known) >= 4 && len(strings.ReplaceAll(bare, known, "")) < minPassword/2 {
			return fmt.Errorf("the password is mostly a name or a word that everybody tries first; choose another")
		}
	}
	if common(password) {
		return fmt.Errorf("the password is one that everybody tries first; choose another, for example three or four words")
	}
	return nil
}
