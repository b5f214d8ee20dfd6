package auth

import (
	"context"
	"log/slog"

	"kubepanel.io/kubepanel/internal/hosting"
)

// Refusal is what somebody who signed in was refused.
type Refusal struct {
	Actor hosting.Actor
	Code  hosting.Code
	// Doing is the route or operation that was asked for, never an address.
	Doing string
}

// Refused writes into the log that somebody who signed in was refused something, or asked
// for what is not there for them (OWASP ASVS 5.0, 16.3.2), and tells who watches. Of all
// other errors it says nothing.
func (a *Auth) Refused(ctx context.Context, log *slog.Logger, who hosting.Actor, doing string, err error) {
	code := hosting.CodeOf(err)
	if who.ID == "" || code != hosting.Forbidden && code != hosting.NotFound {
		return
	}
	log.WarnContext(ctx, "refused", "code", code, "doing", doing, "actor", who.ID, "behind", who.Behind, "address", who.Address)
	if a.Watch != nil {
		a.Watch(Refusal{Actor: who, Code: code, Doing: doing})
	}
}
