package auth

import (
	"context"
	"fmt"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
)

// How many tries there may be in window. A try counts before it is made, so that
// many at once are not more than many after each other.
const (
	window     = 15 * time.Minute
	perAccount = 10
	perAddress = 60
)

// count notes a try under each of the keys, or returns Limited.
func (a *Auth) count(ctx context.Context, limits map[string]int64) error {
	err := a.store.Write(ctx, func(tx hosting.Tx) error {
		for key, most := range limits {
			n, err := tx.Tries(ctx, key, a.now().Add(-window))
			if err != nil {
				return err
			}
			if n >= most {
				return &hosting.Error{Code: hosting.Limited, Message: "There were too many tries.",
					Mend: fmt.Sprintf("Wait %d minutes, or sign in with a passkey.", int(window.Minutes()))}
			}
			if err := tx.AddTry(ctx, key, a.now()); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil && hosting.CodeOf(err) == hosting.Limited {
		a.Count("limited")
	}
	return err
}

func (a *Auth) byAddress(ctx context.Context) string {
	return "address " + neighbourhood(AddressOf(ctx))
}
