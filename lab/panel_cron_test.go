package lab

import (
	"fmt"
	"testing"
	"time"
)

// TestPanelRunsCommandsAtSetTimes: a customer makes a cron job by a form that says
// what is wrong with it, has it run at once, and reads what it wrote.
func TestPanelRunsCommandsAtSetTimes(t *testing.T) {
	c := openCluster(t)
	s := c.expectSite(t, "punctual.localhost")
	p := &panelJourney{t: t, cluster: c, url: c.settings.Edge.URL(panelHost), axe: axe(t), run: fmt.Sprint(time.Now().Unix())}
	ada := newBrowser(t, "panel-cron", c.ca)
	p.administrator(ada)
	p.makesAProgram(ada, s)
	s.deposit(t, map[string]string{"cron.php": `<?php echo 'counted ', 6 * 7, ' for ', $argv[1], "\n";`})

	at := p.url + "/sites/" + s.name + "/cron"
	ada.open(at)
	p.check(ada, "no-cron-job")
	ada.write("#name", "count")
	ada.write("#schedule", "61 * * * *")
	ada.write("#line", `php html/cron.php "$USERS"; echo done`)
	ada.click("form.form button[type=submit]")
	ada.sees("#schedule-fault")
	p.check(ada, "cron-refused")
	ada.until("the field is empty", `(document.querySelector('#schedule').value = '', true)`)
	ada.write("#schedule", "30 4 * * *")
	ada.click("form.form button[type=submit]")
	ada.until("the cron job is in the list", `document.querySelector('#jobs td a')?.innerText === 'count'`)
	s.becomes(t, "CronJobsReady", "True", time.Minute)
	s.becomes(t, "Ready", "True", 2*time.Minute)

	ada.open(at + "/count")
	ada.click(`form[action$="/run"] button`)
	ada.until("the run has succeeded", `document.querySelector('#jobs .badge.good')`)
	p.check(ada, "cron-job")
	ada.click(`#jobs td a`)
	ada.until("its output is shown", `document.querySelector('#lines').innerText.includes('counted 42 for') && document.querySelector('#lines').innerText.includes('done')`)
	p.check(ada, "cron-output")
	ada.click(`form[action$="/delete"] button`)
	ada.until("there is no cron job any more", `document.querySelector('#jobs .empty')`)
}
