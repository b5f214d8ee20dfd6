package auth

import (
	"context"
	"log/slog"

	"kubepanel.io/kubepanel/internal/hosting"
)

// Refused writes into the log that somebody who signed in was refused something, or asked
// for what is not there for them (OWASP ASVS 5.0, 16.3.2). Of all other errors it says
// nothing.
func Refused(ctx context.Context, log *slog.Logger, a hosting.Actor, doing string, err error) {
	code := hosting.CodeOf(err)
	if a.ID == "" || code != hosting.Forbidden && code != hosting.NotFound {
		return
	}
	log.WarnContext(ctx, "refused", "code", code, "doing", doing, "actor", a.ID, "behind", a.Behind, "address", a.Address)
}
