package lab

import (
	"net/http"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// TestPHPVersionChangesWhileFilesStay takes a running site through every version
// that the platform offers, by what its visitors see.
func TestPHPVersionChangesWhileFilesStay(t *testing.T) {
	t.Parallel()
	c := openCluster(t)
	s := c.newSite(t, "versions.localhost", "--php", "8.4")
	s.put(t, "index.php", `<?php
foreach (['mysqli', 'gd', 'curl', 'mbstring', 'intl', 'zip', 'exif', 'xml', 'openssl', 'fileinfo'] as $name)
	if (!extension_loaded($name)) echo "lacks $name ";
if (!(imagetypes() & IMG_WEBP)) echo 'lacks WebP ';
echo 'PHP ' . PHP_MAJOR_VERSION . '.' . PHP_MINOR_VERSION . ' mail=' . (@mail('a@example.com', 's', 'b') ? 'taken' : 'refused');`)
	s.put(t, "kept.txt", "written under 8.4")
	visitor := c.newVisitor(t, "127.0.0.1")

	for _, version := range []string{"8.4", "8.2", "7.4", "8.4"} {
		c.kubepanel(t, "site", "set", s.name, "--php", version, "--wait").must(t)
		// The command said that it is live, so one look must do.
		got := visitor.must(t, s.url()+"/").body
		// With no relay mail() says no; it never pretends.
		mail := "refused"
		if c.settings.Mail.RelayHost != "" {
			mail = "taken"
		}
		if want := "PHP " + version + " mail=" + mail; got != want {
			t.Errorf("after --php %s the site says %q, want %q", version, got, want)
		}
		if kept := visitor.must(t, s.url()+"/kept.txt").body; kept != "written under 8.4" {
			t.Errorf("after --php %s the file reads %q", version, kept)
		}
	}
}

// TestSettingsReachPHP changes what php.ini and nginx hold on a running site.
func TestSettingsReachPHP(t *testing.T) {
	t.Parallel()
	c := openCluster(t)
	s := c.newSite(t, "settings.localhost")
	s.put(t, "index.php", `<?php echo ini_get('memory_limit') . ' ' . date_default_timezone_get();`)
	s.change(t, func(d *v1alpha1.Domain) {
		d.Spec.Timezone = "Europe/Berlin"
		d.Spec.Workload.Settings = map[string]v1alpha1.Setting{"memoryLimit": "192M"}
		d.Spec.Webserver.ClientMaxBodySize = "1m"
	})
	// Ready says that all of it is in force, PHP's part and nginx' alike, so one look must do.
	s.becomes(t, v1alpha1.ConditionReady, metav1.ConditionTrue, settleLimit)
	visitor := c.newVisitor(t, "127.0.0.1")
	if got := visitor.must(t, s.url()+"/").body; got != "192M Europe/Berlin" {
		t.Errorf("the site says %q", got)
	}
	if got, err := upload(t.Context(), visitor, s.url()+"/", 2<<20); err != nil || got.status != http.StatusRequestEntityTooLarge {
		t.Errorf("an upload of 2 MiB = %d (%v), want 413", got.status, err)
	}
}
