package desired_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

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
	configs, err := site.Config()
	if err != nil {
		t.Fatal(err)
	}
	if text := configs[0].Data["nginx.conf"]; !strings.Contains(text, "proxy_pass http://127.0.0.1:8123;") {
		t.Error("nginx does not learn of the port")
	}
	if text := configs[1].Data["runtime.json"]; !strings.Contains(text, `"port": 8123`) {
		t.Error("the start program does not learn of the port")
	}
	// A command of the customer's own reads no file of ours.
	site.Domain.Spec.Workload.Command = []string{"run"}
	workload, err := site.Workload()
	if err != nil {
		t.Fatal(err)
	}
	if env := workload.Spec.Template.Spec.Containers[0].Env; !slices.Contains(env, corev1.EnvVar{Name: "PORT", Value: "8123"}) {
		t.Errorf("a command of the customer's own has %v, and no port", env)
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
