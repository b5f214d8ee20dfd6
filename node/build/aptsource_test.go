package build

import (
	"slices"
	"strings"
	"testing"
)

func TestOnlyDebiansOwnSourcesAreTakenOver(t *testing.T) {
	m := machineApt{sources: parseIndexTargets(strings.Join([]string{
		"Debian|http://mirror.example/debian/|bookworm|main|bookworm",
		"Debian|http://mirror.example/debian/|bookworm|contrib|bookworm",
		"Debian|http://mirror.example/debian/|stable-updates|main|bookworm-updates",
		"Debian|https://mirror.example/security/|bookworm-security|main|bookworm-security",
		"Debian Backports|http://mirror.example/debian/|bookworm-backports|main|bookworm-backports",
		"Debian|http://mirror.example/debian/|bookworm-backports|main|bookworm-backports",
		"Debian|http://only.example/|bookworm|non-free|bookworm",
		"Elsewhere|https://packages.example/|bookworm|main|bookworm",
		"|http://unknown.example/|bookworm|main|",
		"Debian|http://evil.example/ [trusted=yes]|bookworm|main|bookworm",
	}, "\n"))}
	want := `deb http://mirror.example/debian/ trixie main
deb http://mirror.example/debian/ trixie-updates main
deb https://mirror.example/security/ trixie-security main
`
	if got := m.sourcesList("trixie"); got != want {
		t.Errorf("sources.list =\n%s\nwant\n%s", got, want)
	}
}

func TestOnlySettingsOfFetchingAreTakenOver(t *testing.T) {
	dump := `APT "";
APT::Update::Pre-Invoke:: "touch /tmp/x";
Acquire "";
Acquire::http::Proxy "http://proxy.example:3142";
Acquire::http::Proxy::plain.example "DIRECT";
Acquire::https::CAInfo "/etc/ssl/own.pem";
Acquire::https::Verify-Peer "";
Acquire::httpsomething "x";
Acquire::Check-Valid-Until "false";
Acquire::Languages "de";
Acquire::Changelogs::URI::Origin::Debian "https://changelogs.example/";
not a setting
Acquire::http::Broken "no end
`
	want := []string{
		`Acquire::http::Proxy "http://proxy.example:3142";`,
		`Acquire::http::Proxy::plain.example "DIRECT";`,
		`Acquire::Check-Valid-Until "false";`,
	}
	if got := parseAcquire(dump); !slices.Equal(got, want) {
		t.Errorf("parseAcquire = %q, want %q", got, want)
	}
}

func TestCutLeavesFoldersAndWhatPackagesOwn(t *testing.T) {
	for name, want := range map[string]bool{
		"./etc/resolv.conf":              true,
		"./etc/hostname":                 true,
		"./etc/apt/sources.list.d/a":     true,
		"./etc/apt/sources.list.d/":      false,
		"./etc/apt/apt.conf.d/70debconf": false,
		"./var/log/btmp":                 true,
		"./var/lib/apt/lists/lock":       true,
		"./var/lib/apt/lists/partial/":   false,
		"./var/lib/dpkg/status":          false,
		"./var/lib/dpkg/status-old":      true,
		"./etc/../etc/hostname":          true,
	} {
		if got := isCut(name); got != want {
			t.Errorf("isCut(%s) = %t, want %t", name, got, want)
		}
	}
}

func FuzzIndexTargets(f *testing.F) {
	f.Add("Debian|http://mirror.example/debian/|bookworm|main|bookworm")
	f.Add("Debian|http://a b/|bookworm|main|bookworm-security")
	f.Fuzz(func(t *testing.T, text string) {
		m := machineApt{sources: parseIndexTargets(text)}
		for line := range strings.Lines(m.sourcesList("trixie")) {
			field := strings.Fields(line)
			if len(field) != 4 || field[0] != "deb" || field[3] != "main" || strings.Contains(line, "[") {
				t.Errorf("sources.list has the line %q", line)
			}
		}
	})
}

func FuzzAcquire(f *testing.F) {
	f.Add(`Acquire::http::Proxy "http://proxy.example:3142";`)
	f.Fuzz(func(t *testing.T, dump string) {
		for _, line := range parseAcquire(dump) {
			if !strings.HasPrefix(line, "Acquire::") || strings.ContainsAny(line, "\n\r") || !strings.HasSuffix(line, `";`) {
				t.Errorf("configuration has the line %q", line)
			}
		}
	})
}
