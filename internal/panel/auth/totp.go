package auth

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"

	"kubepanel.io/kubepanel/internal/hosting"
)

// TOTP is a new seed for an authenticator app.
type TOTP struct {
	Secret string // to be typed
	URL    string // to be shown as a QR code
}

const (
	totpStep  = 30 * time.Second // RFC 6238 section 5.2
	totpSkew  = 1                // steps that a clock may be wrong
	codeTries = 10
)

// BeginTOTP makes a seed. It counts once ConfirmTOTP got a code of it.
func (a *Auth) BeginTOTP(ctx context.Context) (TOTP, error) {
	u, err := a.self(ctx)
	if err != nil {
		return TOTP{}, err
	}
	key, err := totp.Generate(totp.GenerateOpts{Issuer: a.URL.Hostname(), AccountName: u.Email})
	if err != nil {
		return TOTP{}, fmt.Errorf("make a TOTP seed: %w", err)
	}
	a.sessions.Put(ctx, keyTOTP, key.URL())
	return TOTP{Secret: key.Secret(), URL: key.URL()}, nil
}

// PendingTOTP returns the seed that BeginTOTP made last; empty when there is none.
func (a *Auth) PendingTOTP(ctx context.Context) TOTP {
	key, err := otp.NewKeyFromURL(a.sessions.GetString(ctx, keyTOTP))
	if err != nil {
		return TOTP{}
	}
	return TOTP{Secret: key.Secret(), URL: key.URL()}
}

// ConfirmTOTP turns the seed on, when the code shows that the app has it, and returns
// the recovery codes, which nobody can be shown again.
func (a *Auth) ConfirmTOTP(ctx context.Context, code string) ([]string, error) {
	u, err := a.self(ctx)
	if err != nil {
		return nil, err
	}
	seed := a.PendingTOTP(ctx).Secret
	step, ok := matches(seed, code, a.now(), 0)
	if seed == "" || !ok {
		return nil, wrongCode()
	}
	codes, hashes := recovery()
	err = a.post(ctx, func(tx hosting.Tx) error {
		login, err := tx.Login(ctx, u.ID)
		if err != nil {
			return err
		}
		login.TOTP, login.TOTPStep, login.Recovery, login.Enrol = []byte(seed), step, hashes, false
		if err := tx.PutLogin(ctx, login); err != nil {
			return err
		}
		if err := a.recordIn(ctx, tx, u, "totp.added"); err != nil {
			return err
		}
		return a.tell(ctx, tx, u, hosting.MailAppAdded, "")
	})
	if err != nil {
		return nil, err
	}
	a.sessions.Remove(ctx, keyTOTP)
	return codes, a.enrolled(ctx, u)
}

// enrolled lets somebody on who had to set up a second factor first.
func (a *Auth) enrolled(ctx context.Context, u *hosting.User) error {
	if a.stage(ctx) != MustEnrol {
		a.sessions.Put(ctx, keyFactor, "1")
		return nil
	}
	return a.proven(ctx, u)
}

// RemoveTOTP turns the seed off, and the recovery codes unless there is a passkey. Whoever
// must have a second factor keeps it until there is one.
func (a *Auth) RemoveTOTP(ctx context.Context) error {
	u, err := a.self(ctx)
	if err != nil {
		return err
	}
	return a.post(ctx, func(tx hosting.Tx) error {
		keys, err := tx.Passkeys(ctx, u.ID)
		if err != nil {
			return err
		}
		login, err := tx.Login(ctx, u.ID)
		if err != nil {
			return err
		}
		if len(keys) == 0 && a.must(u.Role, login.PasswordHash != "") {
			return lastFactor()
		}
		had := len(login.TOTP) > 0
		login.TOTP = nil
		if len(keys) == 0 {
			login.Recovery = nil
		}
		if err := tx.PutLogin(ctx, login); err != nil {
			return err
		}
		if err := a.recordIn(ctx, tx, u, "totp.removed"); err != nil || !had {
			return err
		}
		return a.tell(ctx, tx, u, hosting.MailAppRemoved, "")
	})
}

func lastFactor() error {
	return &hosting.Error{Code: hosting.Conflict, Message: "Your account must have a second factor.", Mend: "Add another one first."}
}

// SecondFactor ends a sign-in that stands at that stage with a code of the app or a
// recovery code. Each counts once.
func (a *Auth) SecondFactor(ctx context.Context, code string) error {
	u, err := a.person(ctx, SecondFactor)
	if err != nil {
		return err
	}
	key := codeKey(u.ID)
	if err := a.count(ctx, map[string]int64{key: codeTries, a.byAddress(ctx): perAddress}); err != nil {
		return err
	}
	err = a.store.Write(ctx, func(tx hosting.Tx) error {
		login, err := tx.Login(ctx, u.ID)
		if err != nil {
			return err
		}
		did := a.spend(login, code)
		if did == "" {
			return wrongCode()
		}
		if err := tx.PutLogin(ctx, login); err != nil {
			return err
		}
		if err := tx.ClearTries(ctx, key); err != nil {
			return err
		}
		return a.recordIn(ctx, tx, u, did)
	})
	if err != nil {
		return err
	}
	return a.proven(ctx, u)
}

// codeKey counts the codes that are tried for an account.
func codeKey(user hosting.ID) string { return "code " + string(user) }

func wrongCode() error {
	return &hosting.Error{Code: hosting.SignIn, Fields: []hosting.Field{{Name: "code",
		Message: "The code is wrong or was used already; wait for the next one."}}}
}

// spend takes a code off a login and says which it was, "" for none.
func (a *Auth) spend(login *hosting.Login, code string) string {
	if step, ok := matches(string(login.TOTP), code, a.now(), login.TOTPStep); ok {
		login.TOTPStep = step
		return "totp.used"
	}
	spent := slices.Index(login.Recovery, hosting.SecretHash(plainCode(code)))
	if spent < 0 {
		return ""
	}
	login.Recovery = slices.Delete(login.Recovery, spent, spent+1)
	return "recovery-code.used"
}

// matches tells whether a code is the seed's about now, in a step after the last one
// that was used (RFC 6238 section 5.2), and in which.
func matches(seed, code string, now time.Time, last int64) (step int64, ok bool) {
	code = plainCode(code)
	if seed == "" || len(code) != otp.DigitsSix.Length() {
		return 0, false
	}
	at := now.Unix() / int64(totpStep.Seconds())
	for step := at - totpSkew; step <= at+totpSkew; step++ {
		if step <= last {
			continue
		}
		fits, err := totp.ValidateCustom(code, seed, time.Unix(step*int64(totpStep.Seconds()), 0),
			totp.ValidateOpts{Period: uint(totpStep.Seconds()), Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
		if err == nil && fits {
			return step, true
		}
	}
	return 0, false
}

// plainCode takes a code as people type it.
func plainCode(code string) string {
	return strings.ToLower(strings.NewReplacer(" ", "", "-", "").Replace(strings.TrimSpace(code)))
}

// recordIn leaves a line about somebody's own account in the trail.
func (a *Auth) recordIn(ctx context.Context, tx hosting.Tx, u *hosting.User, did string) error {
	actor := hosting.Actor{ID: u.ID, Name: u.Name, Reseller: u.Reseller, Address: AddressOf(ctx)}
	return a.recordBy(ctx, tx, actor, u, did)
}

// recordFrom leaves a line about what was asked for from an address earlier.
func (a *Auth) recordFrom(ctx context.Context, tx hosting.Tx, u *hosting.User, did, address string) error {
	actor := hosting.Actor{ID: u.ID, Name: u.Name, Reseller: u.Reseller}
	if at, err := netip.ParseAddr(address); err == nil {
		actor.Address = at
	}
	return a.recordBy(ctx, tx, actor, u, did)
}

func (a *Auth) recordBy(ctx context.Context, tx hosting.Tx, actor hosting.Actor, u *hosting.User, did string) error {
	return hosting.Record(ctx, tx, actor, a.now(), hosting.Deed{Did: did, Object: u.Email, On: u.Object()})
}
