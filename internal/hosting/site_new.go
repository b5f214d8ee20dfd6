package hosting

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kubepanel.io/kubepanel/api/platform"
	"kubepanel.io/kubepanel/api/v1alpha1"
)

// What a site asks the scheduler for at most: many sites sleep most of the time,
// so a site may use its limits but reserves little.
const (
	requestCPUm     = 50
	requestMemoryMi = 128
)

const (
	maxTitle   = 255
	maxAliases = 100
	maxMailbox = 254 // RFC 5321 section 4.5.3.1.3
)

var (
	// loginName is what WordPress takes as the name of a user without changing it.
	loginName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9 _.@-]{0,58}[A-Za-z0-9])?$`)
	// localeName is a WordPress locale: en_US, de_DE_formal, ckb.
	localeName = regexp.MustCompile(`^[a-z]{2,3}(_[A-Z]{2})?(_[a-z0-9]{1,20})?$`)
	// mailbox keeps out what is legal in RFC 5321 but no web form takes.
	mailbox = regexp.MustCompile("^[A-Za-z0-9.!#$%&*+/=?^_{|}~-]{1,64}@[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$")
)

// NewSite is a request for a site, as a person wrote it.
type NewSite struct {
	Name    string
	Title   string
	Aliases []string
	// Runtime is TYPE or TYPE:VERSION, PHP a version of PHP; at most one of them.
	// Without both it is PHP of the platform's default version.
	Runtime, PHP string
	// Settings of the runtime, each KEY=VALUE.
	Settings []string
	// Env are variables of the program, each NAME=VALUE.
	Env                  []string
	Storage, CPU, Memory string
	// WordPress is nil for an empty site.
	WordPress  *NewWordPress
	Redis      bool
	NoDatabase bool
}

// NewWordPress says how WordPress is to be installed; what is empty gets the
// operator's default.
type NewWordPress struct{ AdminUser, AdminEmail, Locale string }

// Check returns Invalid with every fault that can be found without the cluster.
func (r NewSite) Check() error {
	var f faults
	name, err := ParseNewName(r.Name)
	f.check("name", err)
	checkAliases(r.Aliases, nil, name, &f)
	r.checkTitle(&f)
	_, err = ParseStorage(r.Storage)
	f.check("storage", err)
	_, err = ParseCPU(r.CPU)
	f.check("cpu", err)
	_, err = ParseMemory(r.Memory)
	f.check("memory", err)
	kind, _, err := r.runtime()
	f.check("runtime", err)
	f.check("env", setVariables(&v1alpha1.DomainSpec{Workload: v1alpha1.WorkloadSpec{Type: kind}}, r.Env))
	if r.WordPress != nil {
		r.WordPress.check(&f)
		if err == nil && kind != PHP {
			f.add("runtime", "WordPress runs on PHP; leave out --runtime or --wordpress")
		}
		if r.NoDatabase {
			f.add("no-database", "WordPress needs a database; leave out --no-database or --wordpress")
		}
	}
	return f.err()
}

// checkAliases judges the aliases that a site is to have, beside its own name; had are
// those that it has.
func checkAliases(aliases []string, had []v1alpha1.DomainAlias, name string, f *faults) {
	if len(aliases) > maxAliases {
		f.add("alias", fmt.Sprintf("%d aliases are too many; a site has at most %d", len(aliases), maxAliases))
	}
	seen := []string{name}
	for _, input := range aliases {
		alias, err := ParseName(input)
		if err == nil && !slices.ContainsFunc(had, func(a v1alpha1.DomainAlias) bool { return a.Name == alias }) {
			err = checkScripts(alias)
		}
		switch {
		case !f.check("alias", err):
		case alias == name:
			f.add("alias", fmt.Sprintf("%q is the site's own name; leave it out of the aliases", input))
		case slices.Contains(seen, alias):
			f.add("alias", fmt.Sprintf("%q is named twice; leave one out", input))
		default:
			seen = append(seen, alias)
		}
	}
}

func (r NewSite) checkTitle(f *faults) {
	if utf8.RuneCountInString(r.Title) > maxTitle || !utf8.ValidString(r.Title) || strings.ContainsFunc(r.Title, unicode.IsControl) {
		f.add("title", fmt.Sprintf("the title must be one line of at most %d characters; shorten it", maxTitle))
	}
}

func (w NewWordPress) check(f *faults) {
	if w.AdminUser != "" && !loginName.MatchString(w.AdminUser) {
		f.add("admin-user", fmt.Sprintf("%q can't be the administrator's name; use up to 60 letters, digits and . _ - @, with a letter or digit at both ends", w.AdminUser))
	}
	if w.AdminEmail != "" && !isMailbox(w.AdminEmail) {
		f.add("admin-email", fmt.Sprintf("%q is not a mail address; write it like admin@shop.example", w.AdminEmail))
	}
	if w.Locale != "" && !localeName.MatchString(w.Locale) {
		f.add("locale", fmt.Sprintf("%q is not a locale; write it like en_US or de_DE", w.Locale))
	}
}

// isMailbox tells whether a text is a mail address whose host can be one.
func isMailbox(text string) bool {
	if len(text) > maxMailbox || !mailbox.MatchString(text) {
		return false
	}
	_, host, _ := strings.Cut(text, "@")
	for label := range strings.SplitSeq(host, ".") {
		if label == "" || len(label) > maxLabel || strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-") {
			return false
		}
	}
	return true
}

// domain builds the object of a request that Check found no fault in.
func (r NewSite) domain(settings *platform.Settings) (*v1alpha1.Domain, error) {
	var f faults
	kind, version, err := r.runtime()
	if err != nil {
		return nil, err
	}
	runs, err := choose(settings, kind, version)
	if !f.check(r.runtimeFlag(), err) {
		return nil, f.err()
	}
	name, err := ParseName(r.Name)
	if err != nil {
		return nil, err
	}
	d := &v1alpha1.Domain{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "Domain"},
		ObjectMeta: metav1.ObjectMeta{Name: name},
	}
	d.Spec.DomainName = name
	for _, input := range r.Aliases {
		alias, err := ParseName(input)
		if err != nil {
			return nil, err
		}
		d.Spec.Aliases = append(d.Spec.Aliases, v1alpha1.DomainAlias{Name: alias})
	}
	d.Spec.Title = r.Title
	runs.into(&d.Spec.Workload)
	if !f.check("setting", set(settings, &d.Spec.Workload, r.Settings)) {
		return nil, f.err()
	}
	if err := setVariables(&d.Spec, r.Env); err != nil {
		return nil, err
	}
	if d.Spec.Resources, err = r.resources(); err != nil {
		return nil, err
	}
	if r.NoDatabase {
		d.Spec.Database.Enabled = new(bool)
	}
	d.Spec.Redis.Enabled = r.Redis
	if w := r.WordPress; w != nil {
		d.Spec.WordPress = v1alpha1.WordPressSpec{
			Preinstall: true, AdminUser: w.AdminUser, AdminEmail: w.AdminEmail, Locale: w.Locale,
		}
	}
	return d, nil
}

// runtime is what is asked for, in either way.
func (r NewSite) runtime() (kind, version string, err error) {
	if r.Runtime == "" {
		return PHP, r.PHP, nil
	}
	if r.PHP != "" {
		return "", "", fmt.Errorf("--php %s is short for --runtime php:%s; give one of the two", r.PHP, r.PHP)
	}
	return parseRuntime(r.Runtime)
}

// runtimeFlag is the field that a fault of the runtime belongs to.
func (r NewSite) runtimeFlag() string {
	if r.Runtime == "" {
		return "php"
	}
	return "runtime"
}

func (r NewSite) resources() (v1alpha1.ResourcesSpec, error) {
	storage, err := ParseStorage(r.Storage)
	if err != nil {
		return v1alpha1.ResourcesSpec{}, err
	}
	cpu, err := ParseCPU(r.CPU)
	if err != nil {
		return v1alpha1.ResourcesSpec{}, err
	}
	memory, err := ParseMemory(r.Memory)
	if err != nil {
		return v1alpha1.ResourcesSpec{}, err
	}
	return v1alpha1.ResourcesSpec{
		Storage:  fmt.Sprintf("%dGi", storage),
		Requests: v1alpha1.RequestsSpec{CPU: fmt.Sprintf("%dm", min(cpu, requestCPUm)), Memory: fmt.Sprintf("%dMi", min(memory, requestMemoryMi))},
		Limits:   v1alpha1.LimitsSpec{CPU: fmt.Sprintf("%dm", cpu), Memory: fmt.Sprintf("%dMi", memory)},
	}, nil
}
