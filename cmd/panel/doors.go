package main

import (
	"context"
	"fmt"
	"log/slog"
	"slices"

	"github.com/spf13/pflag"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/auth"
	"kubepanel.io/kubepanel/internal/panel/breach"
	"kubepanel.io/kubepanel/internal/panel/mail"
)

// doorOptions say how people come in.
type doorOptions struct {
	mail       string
	mailed     bool
	alone      bool
	breached   string
	factorsFor []string
}

func (o *doorOptions) addFlags(flags *pflag.FlagSet) {
	// Administrators and resellers hold what is other people's; customers are the provider's
	// choice, as long as a mailed code stands beside their password.
	flags.StringSliceVar(&o.factorsFor, "second-factor-for", []string{string(hosting.Administrator), string(hosting.Reseller)},
		"`role` that must have a second factor (may be repeated; none when it is empty)")
	flags.StringVar(&o.breached, "breached-passwords", "", "`list` that no new password may be in: a file of SHA-1 hashes in their order, or the https:// address of a service that is told five characters of a hash; empty: none")
	flags.BoolVar(&o.mailed, "mailed-codes", true, "mail a code to who signs in by password alone with a browser that is new to the account, where mail is sent")
	flags.BoolVar(&o.alone, "password-alone", false, "let people in by password alone where no code can be mailed; without it all of them must have a second factor there, whatever their role")
	flags.StringVar(&o.mail, "mail", "", "`folder` with the files url and from, and ca.crt for a private authority: where mail is handed in; empty: the panel sends none")
}

// open prepares the panel's doors, which know it by its brand.
func (o *doorOptions) open(ways auth.Options, brand string, log *slog.Logger) (*auth.Auth, error) {
	if o.mail != "" {
		var err error
		if ways.Mailer, err = mail.New(o.mail, brand, ways.URL.Hostname()); err != nil {
			return nil, err
		}
	}
	ways.MailedCodes, ways.PasswordAlone = o.mailed, o.alone
	if o.breached != "" {
		list, err := breach.Open(o.breached, nil)
		if err != nil {
			return nil, err
		}
		ways.Breached = func(ctx context.Context, password string) (bool, error) {
			known, err := list.Has(ctx, password)
			if err != nil {
				log.WarnContext(ctx, "look a new password up among breached ones", "err", err)
			}
			return known, err
		}
	}
	for _, name := range o.factorsFor {
		role := hosting.Role(name)
		if !slices.Contains(hosting.Roles(), role) {
			return nil, fmt.Errorf("--second-factor-for names no role %q; name some of %q", name, hosting.Roles())
		}
		ways.SecondFactorFor = append(ways.SecondFactorFor, role)
	}
	return auth.New(ways)
}
