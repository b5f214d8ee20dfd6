package auth

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"strings"

	"kubepanel.io/kubepanel/internal/hosting"
)

const (
	// recoveryCodes are given out together, 80 bits each.
	recoveryCodes = 10
	recoveryBytes = 10
	// fewCodes are so few that somebody should ask for new ones.
	fewCodes = 3
)

// NewRecoveryCodes makes an account's codes anew, for who used some or can't tell who has
// read them, and returns them, which nobody can be shown again. The former ones count until
// the new ones do. It asks for a mail that tells the owner, where the panel sends mail. An
// account without a second factor has none to stand in for: Conflict.
func (a *Auth) NewRecoveryCodes(ctx context.Context, language string) ([]string, error) {
	u, err := a.self(ctx)
	if err != nil {
		return nil, err
	}
	codes, hashes := recovery()
	err = a.post(ctx, func(tx hosting.Tx) error {
		login, err := tx.Login(ctx, u.ID)
		if err != nil {
			return err
		}
		keys, err := tx.Passkeys(ctx, u.ID)
		if err != nil {
			return err
		}
		if len(login.TOTP) == 0 && len(keys) == 0 {
			return &hosting.Error{Code: hosting.Conflict, Message: "Your account has no second factor that recovery codes could stand in for.", Mend: "Set one up: it brings them."}
		}
		login.Recovery = hashes
		if err := tx.PutLogin(ctx, login); err != nil {
			return err
		}
		if err := a.recordIn(ctx, tx, u, "recovery-codes.renewed"); err != nil {
			return err
		}
		return a.tell(ctx, tx, u, hosting.MailCodes, language)
	})
	if err != nil {
		return nil, err
	}
	return codes, nil
}

// recovery makes codes to be written down, with what is kept of them.
func recovery() (codes, hashes []string) {
	for range recoveryCodes {
		b := make([]byte, recoveryBytes)
		_, _ = rand.Read(b) // never fails
		text := strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b))
		hashes = append(hashes, hosting.SecretHash(text))
		codes = append(codes, text[:4]+"-"+text[4:8]+"-"+text[8:12]+"-"+text[12:])
	}
	return codes, hashes
}
