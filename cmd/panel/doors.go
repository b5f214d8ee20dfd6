package main

import (
	"fmt"
	"slices"

	"github.com/spf13/pflag"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/auth"
	"kubepanel.io/kubepanel/internal/panel/mail"
)

// doorOptions say how people come in.
type doorOptions struct {
	mail       string
	factorsFor []string
}

func (o *doorOptions) addFlags(flags *pflag.FlagSet) {
	flags.StringSliceVar(&o.factorsFor, "second-factor-for", nil, "`role` that must have a second factor (may be repeated)")
	flags.StringVar(&o.mail, "mail", "", "`folder` with the files url and from, and ca.crt for a private authority: where mail is handed in; empty: the panel sends none")
}

// open prepares the panel's doors, which know it by its brand.
func (o *doorOptions) open(ways auth.Options, brand string) (*auth.Auth, error) {
	if o.mail != "" {
		var err error
		if ways.Mailer, err = mail.New(o.mail, brand, ways.URL.Hostname()); err != nil {
			return nil, err
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
