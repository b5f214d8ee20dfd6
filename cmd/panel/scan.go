package main

import (
	"github.com/spf13/pflag"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/scan"
)

// scanOptions say who looks at uploads.
type scanOptions struct {
	address string
	lenient bool
}

func (o *scanOptions) addFlags(flags *pflag.FlagSet) {
	flags.StringVar(&o.address, "scanner", "", "`address` of a clamd that looks at uploads: tcp://HOST:PORT or unix:///PATH; empty: nobody does")
	flags.BoolVar(&o.lenient, "scanner-lenient", false, "take uploads that the scanner can't look at, since it is away or they are too large for it")
}

// open returns how uploads are looked at; nil: not at all.
func (o *scanOptions) open() (*hosting.Scanning, error) {
	if o.address == "" {
		return nil, nil
	}
	by, err := scan.Open(o.address)
	if err != nil {
		return nil, err
	}
	return &hosting.Scanning{Scanner: by, Lenient: o.lenient}, nil
}
