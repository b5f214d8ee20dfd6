package desired_test

import (
	"fmt"
	"strings"
	"testing"

	"kubepanel.io/kubepanel/internal/desired"
)

// Fault of the original: names of databases were cut to MariaDB's length, so two
// sites shared one.
func TestLongNamesShareNoDatabase(t *testing.T) {
	const longest = 64 // MariaDB's limit for a database, the lower of the two
	long := strings.Repeat("a-long-name.", 19)
	seen := map[string]string{}
	for i := range 100 {
		for _, name := range []string{fmt.Sprintf("%s%d.example", long, i), fmt.Sprintf("%d.%sexample", i, long)} {
			database := desired.DatabaseName(name)
			if other, taken := seen[database]; taken {
				t.Errorf("DatabaseName(%s) = DatabaseName(%s) = %s", name, other, database)
			}
			if len(database) > longest {
				t.Errorf("DatabaseName(%s) = %s, longer than %d", name, database, longest)
			}
			seen[database] = name
		}
	}
}

// Fault of the original: a changed port was not applied.
func TestAChangedPortReachesProgramAndWebServer(t *testing.T) {
	site := cases(t)["testdata/site/python.yaml"]
	site.Domain.Spec.Workload.Port = 8123
	objects, err := site.Objects(nil)
	if err != nil {
		t.Fatal(err)
	}
	for kind, of := range map[string]string{"Deployment": "the program", "ConfigMap": "nginx"} {
		told := false
		for i, o := range objects {
			if o.GetObjectKind().GroupVersionKind().Kind == kind {
				told = told || strings.Contains(render(t, objects[i:i+1]), "8123")
			}
		}
		if !told {
			t.Errorf("%s does not learn of the port", of)
		}
	}
}

// Fault of the original: mail() said that it had sent what nobody sent.
func TestMailWithoutARelayIsRefusedNotDiscarded(t *testing.T) {
	site := cases(t)["testdata/site/plain-php.yaml"]
	for relay, wants := range map[string]string{"": "", "mail.example": "host mail.example\n"} {
		site.Platform.Mail.RelayHost, site.Platform.Mail.RelayPort = relay, 25
		config, err := site.Config()
		if err != nil {
			t.Fatal(err)
		}
		ini, account := config[1].Data["zz-kubepanel.ini"], config[1].Data["msmtprc"]
		if !strings.Contains(ini, "sendmail_path = \"/usr/bin/msmtp ") && !strings.Contains(ini, "sendmail_path = /usr/bin/msmtp ") {
			t.Errorf("relay %q: mail() is not handed to msmtp: %s", relay, ini)
		}
		// msmtp without a host ends with an error, and mail() with false.
		if strings.Contains(account, "\nhost ") != (relay != "") || !strings.Contains(account, wants) {
			t.Errorf("relay %q: msmtp's account is %q", relay, account)
		}
	}
}
