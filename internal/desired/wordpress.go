package desired

import (
	"encoding/json"
	"fmt"
)

// wordPressSettings is wordpress.json: what the installer in the pod is told. It
// holds no password; those come as files of Secrets.
type wordPressSettings struct {
	URL         string `json:"url"`
	Title       string `json:"title"`
	Locale      string `json:"locale"`
	AdminUser   string `json:"adminUser"`
	AdminEmail  string `json:"adminEmail"`
	Timezone    string `json:"timezone"`
	ObjectCache bool   `json:"objectCache"`
}

// adminUser and adminEmail are the first administrator's.
func (s Site) adminUser() string { return orDefault(s.Domain.Spec.WordPress.AdminUser, "admin") }

func (s Site) adminEmail() string {
	return orDefault(s.Domain.Spec.WordPress.AdminEmail, "admin@"+s.name())
}

func (s Site) wordPressConfig() (string, error) {
	wp, d := s.Domain.Spec.WordPress, s.Domain.Spec
	out, err := json.MarshalIndent(wordPressSettings{
		URL:         s.Platform.Edge.URL(d.DomainName),
		Title:       orDefault(wp.Title, orDefault(d.Title, d.DomainName)),
		Locale:      orDefault(wp.Locale, "en_US"),
		AdminUser:   s.adminUser(),
		AdminEmail:  s.adminEmail(),
		Timezone:    s.timezone(),
		ObjectCache: d.Redis.Enabled,
	}, "", "  ")
	if err != nil {
		return "", fmt.Errorf("wordpress.json: %w", err)
	}
	return string(out) + "\n", nil
}
