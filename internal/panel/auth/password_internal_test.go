package auth

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"
)

func cheap() *Auth {
	return &Auth{Options: Options{Cost: Cost{Memory: 64, Passes: 1, Threads: 1}}, hashing: make(chan struct{}, 1)}
}

func TestPasswordsAreVerified(t *testing.T) {
	a := cheap()
	a.decoy = decoy(a.Cost)
	hash := a.hash("right")
	for _, tt := range []struct {
		hash, password string
		want           bool
	}{
		{hash, "right", true}, {hash, "wrong", false}, {hash, "", false}, {"", "decoy", false}, {"", "", false}, {"nonsense", "right", false},
	} {
		if got := a.verify(tt.hash, tt.password); got != tt.want {
			t.Errorf("verify(%q, %q) = %t, want %t", tt.hash, tt.password, got, tt.want)
		}
	}
	if a.outdated(hash) {
		t.Error("outdated(a new hash) = true")
	}
	a.Cost.Passes = 2
	if !a.outdated(hash) {
		t.Error("outdated(a hash at another cost) = false")
	}
}

func TestPasswordsThatEverybodyTriesFirst(t *testing.T) {
	for password, ok := range map[string]bool{
		"correct horse battery staple": true, "пароль из слов": true, "short": false, "aaaaaaaaaaaaaaaa": false,
		"121212121212": false, "jo@shop.example": false, "password1234": false, "kubepanel2026": false,
		"qwertyuiop12": false, "leavemealone": false, "P@ssw0rd!2024": false, "dragondragon": false, "letmeinletmein1": false,
		"summer-summer": false, "Monkey123456": false, "sommerwind am see": true, "dragon eats 7 moons": true, strings.Repeat("long ", 60): false, "bad\xff bytes in it": false,
	} {
		if err := checkPassword(password, "jo@shop.example", "Jo Shop"); (err == nil) != ok {
			t.Errorf("checkPassword(%q) = %v, want ok %t", password, err, ok)
		}
	}
}

func FuzzParseHash(f *testing.F) {
	a := cheap()
	f.Add(a.hash("right"))
	f.Add("$argon2id$v=19$m=64,t=1,p=1$AAAA$AAAA")
	f.Add("$argon2id$v=19$m=99999999999,t=1,p=0$$")
	f.Fuzz(func(t *testing.T, hash string) {
		c, salt, sum, err := parseHash(hash)
		if err != nil {
			return
		}
		if again := text(c, salt, sum); again != hash {
			t.Errorf("parseHash(%q) is written as %q", hash, again)
		}
		if c.Memory > maxMemory || c.Passes > maxPasses || c.Passes == 0 || c.Threads == 0 {
			t.Errorf("parseHash(%q) = a cost of %+v", hash, c)
		}
	})
}

// Whatever stands in headers: without a trusted proxy the address is the peer's, and
// with one never the proxy's own invention of a stranger.
func FuzzAddressOf(f *testing.F) {
	f.Add("192.0.2.1:80", "203.0.113.1, 10.0.0.1")
	f.Add("10.0.0.1:80", "203.0.113.1,")
	f.Add("[::1]:80", "::ffff:10.0.0.1, fe80::1%x")
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	f.Fuzz(func(t *testing.T, remote, forwarded string) {
		r := &http.Request{RemoteAddr: remote, Header: http.Header{"X-Forwarded-For": {forwarded}}}
		peer := addressOf(&http.Request{RemoteAddr: remote, Header: http.Header{}}, nil)
		got := addressOf(r, proxies)
		if !trusted(peer, proxies) && got != peer {
			t.Errorf("addressOf(%q, %q) = %s, want the peer %s", remote, forwarded, got, peer)
		}
		_ = neighbourhood(got)
	})
}
