package build

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// debianSource is a repository of Debian's as this machine is set up to use it.
type debianSource struct {
	uri        string
	suffix     string // "", "-updates", "-security": what follows the suite's name
	components []string
}

// machineApt is what images need to know of this machine's apt: where Debian's
// packages come from and how to get there. Nothing of it stays in an image.
type machineApt struct {
	sources []debianSource
	acquire []string // lines of configuration
}

// readMachineApt asks apt itself, which has read every format its
// configuration may be written in.
func readMachineApt(ctx context.Context) (machineApt, error) {
	ask := command{name: "apt-get", args: []string{"indextargets",
		"--format", "$(ORIGIN)|$(REPO_URI)|$(RELEASE)|$(COMPONENT)|$(CODENAME)", "Created-By: Packages"}}
	out, err := output(ctx, ask)
	if err != nil {
		return machineApt{}, err
	}
	sources := parseIndexTargets(out)
	if len(sources) == 0 {
		// A machine that has not fetched its lists doesn't know whose they are.
		if err := run(ctx, command{name: "apt-get", args: []string{"update", "-qq"}}); err != nil {
			return machineApt{}, err
		}
		if out, err = output(ctx, ask); err != nil {
			return machineApt{}, err
		}
		sources = parseIndexTargets(out)
	}
	if len(sources) == 0 {
		return machineApt{}, errors.New("this machine's apt has no source of Debian's: add one to /etc/apt and run apt-get update")
	}
	dump, err := output(ctx, command{name: "apt-config", args: []string{"dump"}})
	if err != nil {
		return machineApt{}, err
	}
	return machineApt{sources: sources, acquire: parseAcquire(dump)}, nil
}

// suffixes are the parts of a Debian release that images take packages from.
var suffixes = []string{"", "-updates", "-security"}

// sourceURI is an address that can stand in sources.list as it is: visible
// ASCII characters without those that mean something there.
var sourceURI = regexp.MustCompile(`^[a-z][a-z0-9+.-]*:/[!$-Z\\^-~]+$`)

// parseIndexTargets reads lines of origin|uri|release|component|codename and
// keeps Debian's own, in the order apt has them. The part of Debian is told by
// what the codename has that is more than the release's own.
func parseIndexTargets(text string) []debianSource {
	var found []debianSource
	for line := range strings.Lines(text) {
		field := strings.Split(strings.TrimSpace(line), "|")
		if len(field) != 5 || field[0] != "Debian" {
			continue
		}
		uri, release, component, codename := field[1], field[2], field[3], field[4]
		name, rest, _ := strings.Cut(codename, "-")
		suffix := ""
		if rest != "" {
			suffix = "-" + rest
		}
		if name == "" || release == "" || component == "" || !sourceURI.MatchString(uri) || !slices.Contains(suffixes, suffix) {
			continue
		}
		same := slices.IndexFunc(found, func(s debianSource) bool { return s.uri == uri && s.suffix == suffix })
		if same < 0 {
			found = append(found, debianSource{uri: uri, suffix: suffix})
			same = len(found) - 1
		}
		if !slices.Contains(found[same].components, component) {
			found[same].components = append(found[same].components, component)
		}
	}
	return found
}

// forImages are the settings of how apt fetches; all others (hooks, indexes,
// languages) belong to the machine and not to an image.
var forImages = []string{"Acquire::http", "Acquire::https", "Acquire::ftp", "Acquire::Check-Valid-Until", "Acquire::Check-Date",
	"Acquire::Retries", "Acquire::ForceIPv4", "Acquire::ForceIPv6", "Acquire::Max-ValidTime"}

// parseAcquire picks such settings out of what `apt-config dump` prints. Those
// that name files of this machine are left out: the certificates are copied.
func parseAcquire(dump string) []string {
	var lines []string
	for line := range strings.Lines(dump) {
		line = strings.TrimSpace(line)
		name, value, ok := strings.Cut(line, " ")
		if !ok || value == `"";` || !strings.HasPrefix(value, `"`) || !strings.HasSuffix(value, `";`) {
			continue
		}
		wanted := slices.ContainsFunc(forImages, func(prefix string) bool {
			return name == prefix || strings.HasPrefix(name, prefix+"::")
		})
		if wanted && !strings.HasPrefix(value, `"/`) {
			lines = append(lines, line)
		}
	}
	return lines
}

// sourcesList is a sources.list for a suite. Components beyond "main" are not
// taken: everything in an image is free software that Debian looks after.
func (m machineApt) sourcesList(suite string) string {
	var b strings.Builder
	for _, s := range m.sources {
		if slices.Contains(s.components, "main") {
			fmt.Fprintf(&b, "deb %s %s%s main\n", s.uri, suite, s.suffix)
		}
	}
	return b.String()
}

// options are apt's settings for building images; caFile is where they find
// the certificates this machine trusts, empty if it has none.
func (m machineApt) options(caFile string) []string {
	own := []string{
		`APT::Install-Recommends "false";`,
		`APT::Install-Suggests "false";`,
		`APT::Keep-Downloaded-Packages "true";`,
		`Dir::Log::History "";`,
		`Dir::Log::Terminal "";`,
		`Dir::Log::Planner "";`,
		`Acquire::Languages "none";`,
		`Acquire::Retries "3";`,
		// Its own user may not look into the state folder, where all of this lies.
		`APT::Sandbox::User "root";`,
	}
	if caFile != "" {
		own = append(own, fmt.Sprintf("Acquire::https::CAInfo %q;", caFile))
	}
	return append(own, m.acquire...)
}

// machineCertificates is where Debian keeps the certificates a machine trusts, in one file.
const machineCertificates = "/etc/ssl/certs/ca-certificates.crt"

// write makes a folder that can be mounted as /etc/apt while an image is built.
func (m machineApt) write(dir, suite string) error {
	for _, sub := range []string{"apt.conf.d", "auth.conf.d", "keyrings", "preferences.d", "sources.list.d", "trusted.gpg.d"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return fmt.Errorf("prepare apt: %w", err)
		}
	}
	files := map[string]string{"sources.list": m.sourcesList(suite)}
	caFile := ""
	if text, err := os.ReadFile(machineCertificates); err == nil {
		files["ca.crt"] = string(text)
		caFile = "/etc/apt/ca.crt"
	}
	files["apt.conf.d/50-kubepanel"] = strings.Join(m.options(caFile), "\n") + "\n"
	keys, err := debianKeys()
	if err != nil {
		return fmt.Errorf("prepare apt: %w", err)
	}
	maps.Copy(files, keys)
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return fmt.Errorf("prepare apt: %w", err)
		}
	}
	return nil
}

// debianKeys are the keys by which this machine knows Debian's releases, the
// older and newer ones among them.
func debianKeys() (map[string]string, error) {
	files := map[string]string{}
	for _, pattern := range []string{"/etc/apt/trusted.gpg.d/*", "/usr/share/keyrings/debian-archive-*"} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			return nil, err
		}
		for _, path := range paths {
			name := filepath.Base(path)
			if strings.Contains(name, "removed") {
				continue
			}
			// apt reads no other endings; a .pgp file has the same format as a .gpg.
			if stem, ok := strings.CutSuffix(name, ".pgp"); ok {
				name = stem + ".gpg"
			}
			text, err := os.ReadFile(path)
			if err != nil {
				return nil, err
			}
			files["trusted.gpg.d/"+name] = string(text)
		}
	}
	return files, nil
}
