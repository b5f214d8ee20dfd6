package main

import (
	"testing"

	"github.com/chromedp/chromedp"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/lab/axe"
)

// The pages of a site's cron jobs stand still and fit as all others do, and so does what is
// asked before one is deleted: its button wakes when the job's name is typed.
func TestPagesOfCronJobsStandStillAndFit(t *testing.T) {
	town := newTown(t)
	town.grow(8)
	var d v1alpha1.Domain
	must(t, cluster.Client.Get(t.Context(), client.ObjectKey{Name: townSite(7)}, &d))
	d.Spec.CronJobs = []v1alpha1.CronJob{
		{Name: "send-mail", Schedule: "*/5 * * * *", Shell: "php html/wp-cron.php >>/var/www/mail.log", TimeoutSeconds: 600},
		{Name: "report", Schedule: "30 4 * * 1", Timezone: "Europe/Berlin", Command: []string{"php", "report.php", "--all"}, TimeoutSeconds: 3600, Suspended: true},
	}
	must(t, cluster.Client.Update(t.Context(), &d))
	o := town.open()
	o.signIn()
	w, script := o.window(), axe.Script(t)
	jobs := "/sites/" + townSite(7) + "/cron"
	for _, d := range dresses() {
		w.dress(d.width, d.height, d.theme, d.language)
		w.stands(jobs, script, d)
		w.stands(jobs+"/send-mail", script, d)
		const asleep = `String(document.querySelector("form[action$='/delete'] button").disabled)`
		if got := w.read(asleep); got != "true" {
			t.Errorf("in %s the button that deletes the cron job is asleep: %s, want true before the name is typed", d.name, got)
		}
		w.do(chromedp.SendKeys("#delete-confirm", "send-mail", chromedp.ByQuery))
		if got := w.read(asleep); got != "false" {
			t.Errorf("in %s the button that deletes the cron job is asleep: %s, want false once the name is typed", d.name, got)
		}
		w.do(chromedp.Evaluate(`document.querySelector("form[action$='/delete']").scrollIntoView({ block: "center", behavior: "instant" })`, nil))
		w.fits(script, "sites-site-cron-send-mail-delete", d)
	}
}
