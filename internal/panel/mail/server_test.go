package mail

import (
	"strings"
	"testing"
)

func TestAddressesOfMailServers(t *testing.T) {
	tests := map[string]struct {
		want  string
		fault string
	}{
		"smtp://u:p@mail.example":         {want: "mail.example 587 false false u"},
		"smtps://u:p@mail.example":        {want: "mail.example 465 true false u"},
		"smtp://u:p@mail.example:2525":    {want: "mail.example 2525 false false u"},
		"smtp://[::1]:25?tls=off":         {want: "::1 25 false true "},
		"smtp://u:p@mail.example?tls=off": {fault: "in clear"},
		"smtps://mail.example?tls=off":    {fault: "tls=off"},
		"smtp://mail.example?tls=maybe":   {fault: "tls=maybe"},
		"http://mail.example":             {fault: "write it like"},
		"smtp://":                         {fault: "write it like"},
		"smtp://u:secret@mail.example:x":  {fault: "write it like"},
		"smtp://mail.example:70000":       {fault: "from 1 to 65535"},
	}
	for address, tt := range tests {
		s, err := parse(address)
		if tt.fault != "" {
			if err == nil || !strings.Contains(err.Error(), tt.fault) || strings.Contains(err.Error(), "secret") {
				t.Errorf("parse(%q) = %v, want an error that says %q and no password", address, err, tt.fault)
			}
			continue
		}
		if err != nil {
			t.Errorf("parse(%q) = %v", address, err)
			continue
		}
		if got := s.String(); got != tt.want {
			t.Errorf("parse(%q) = %q, want %q", address, got, tt.want)
		}
	}
}

func FuzzMailServer(f *testing.F) {
	f.Add("smtp://user:password@mail.example:587")
	f.Add("smtps://mail.example?tls=off")
	f.Fuzz(func(t *testing.T, address string) {
		s, err := parse(address)
		if err != nil {
			return
		}
		if s.host == "" || s.port < 1 || s.port > 65535 || s.plain && (s.implicit || s.username != "") {
			t.Errorf("parse(%q) = %s, which must be refused", address, s)
		}
	})
}
