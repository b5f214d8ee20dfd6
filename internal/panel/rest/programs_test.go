package rest_test

import (
	"strings"
	"time"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/paneltest"
	"kubepanel.io/kubepanel/internal/panel/scan"
)

// programs gives jo's site programs that said something, and a cron job that ran.
func (h *house) programs() {
	h.logs = &paneltest.Logs{At: h.now().Truncate(time.Second), More: make(chan string), Said: map[string][]string{
		"app": {"PHP Warning:  a claim", "all is well", "PHP Fatal error:  out of ideas"},
		"nginx": {`192.0.2.7 - - [2026-03-01T12:00:00+00:00] "GET /lost HTTP/1.1" 404 0 "-" "-"`,
			"2026/03/01 12:00:00 [error] 7#7: upstream is away"},
		"cron": {"42 mails sent"},
	}}
	close(h.logs.More) // nothing more is said, unless a test wants it
	h.rules.Panel.Logs = h.logs
	h.door = &lazyDoor{house: h}
	h.rules.Door = h.door
	nobody, err := scan.Open("tcp://127.0.0.1:1") // uploads are taken all the same
	h.must(err)
	h.rules.Scanning = &hosting.Scanning{Scanner: nobody, Lenient: true, Every: time.Hour}
	h.must(h.rules.Store.Write(h.t.Context(), func(tx hosting.Tx) error {
		if err := tx.InsertFileJob(h.t.Context(), &hosting.FileJob{ID: "unpacked", Site: "jo.example", Account: h.jo.user.ID, Do: "unpack", Paths: []string{"/html/a.zip"}, To: "/html/a",
			Began: h.now().Add(-time.Hour), Beat: h.now(), Ended: h.now(), State: hosting.JobDone}); err != nil {
			return err
		}
		return tx.InsertFinding(h.t.Context(), &hosting.Finding{ID: "finding", Site: "jo.example", Path: []byte("/html/bad\xff.php"), Found: "Bad.Test", Sum: strings.Repeat("0", 64),
			State: hosting.FindingPresent, FoundAt: h.now()})
	}))
	h.yard = paneltest.Yard{}
	h.rules.Nodes = h.yard
	h.rules.Panel.Cron = paneltest.Runs{
		{Name: "mail-2", Job: "mail", State: hosting.RunFailed, Began: h.logs.At.Add(-time.Hour), Ended: h.logs.At.Add(-time.Hour + 5*time.Second), Asked: true},
		{Name: "mail-1", Job: "mail", State: hosting.RunSucceeded, Began: h.logs.At.Add(-2 * time.Hour), Ended: h.logs.At.Add(-2*time.Hour + time.Minute)},
	}
	h.cluster.Change("jo.example", func(d *v1alpha1.Domain) {
		d.Status.Database = &v1alpha1.DatabaseStatus{Host: "mariadb", Port: 3306, Name: "dom-jo-example", Username: "dom-jo-example"}
		d.Spec.CronJobs = []v1alpha1.CronJob{{Name: "mail", Schedule: "30 4 * * *", Shell: "php mail.php", TimeoutSeconds: 3600}}
	})
}
