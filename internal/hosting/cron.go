package hosting

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// CronWish is a cron job as somebody asks for it. Where Words is set, Line is one word
// of the command a line; else it is a line for the shell of the site's image. Who has
// the words apart gives them as Command, and no Line.
type CronWish struct {
	Name, Schedule, TimeZone, Line string
	Words                          bool
	Command                        []string
	Suspended                      bool
	Timeout                        time.Duration // 0 for an hour
}

// Bounds of cron jobs.
const (
	maxCronJobs = 20
	maxCronTime = 24 * time.Hour
)

// job checks a wish and returns what the Domain says of it.
func (w CronWish) job() (v1alpha1.CronJob, error) {
	var f faults
	j := v1alpha1.CronJob{Name: CronJobName(w.Name), Schedule: strings.Join(strings.Fields(w.Schedule), " "), Timezone: strings.TrimSpace(w.TimeZone), Suspended: w.Suspended}
	if !cronName(j.Name) {
		f.add("name", fmt.Sprintf("%q can't be a cron job's name; use up to 40 lower-case letters, digits and hyphens, such as send-mail", w.Name))
	}
	_, err := ParseSchedule(j.Schedule)
	f.check("schedule", err)
	if _, err := time.LoadLocation(j.Timezone); err != nil || j.Timezone == "Local" {
		f.add("timezone", fmt.Sprintf("there is no time zone %q; give an IANA name such as Europe/Berlin, or nothing for the site's own", j.Timezone))
	}
	line := strings.TrimSpace(strings.ReplaceAll(w.Line, "\r\n", "\n"))
	switch {
	case len(w.Command) > 0 && line != "":
		f.add("line", "a cron job runs a command or a line for the shell; give one of them")
	case len(w.Command) > 0:
		j.Command = w.Command
		f.check("command", runnable(w.Command))
	case line == "":
		f.add("line", "a cron job needs something to run, such as php /var/www/html/cron.php")
	case len(line) > 4096:
		f.add("line", "that is longer than 4096 characters; put it into a file of the site and run that")
	case !sendable(line):
		f.add("line", "the command has characters that no program takes")
	case w.Words:
		j.Command = compact(strings.Split(line, "\n"))
	default:
		j.Shell = line
	}
	if w.Timeout < 0 || w.Timeout > maxCronTime {
		f.add("timeout", "a run may take one minute to one day")
	}
	j.TimeoutSeconds = int32(w.Timeout.Seconds())
	if w.Timeout == 0 {
		j.TimeoutSeconds = int32(time.Hour.Seconds())
	}
	return j, f.err()
}

// runnable says why no program can be begun with these words.
func runnable(words []string) error {
	const most = 100
	whole := strings.Join(words, " ")
	switch {
	case words[0] == "":
		return fmt.Errorf("the first word of a command is the program, such as php")
	case len(words) > most || len(whole) > 4096:
		return fmt.Errorf("that is longer than %d words or 4096 characters; put it into a file of the site and run that", most)
	case !sendable(whole):
		return fmt.Errorf("the command has characters that no program takes")
	}
	return nil
}

// CronJobName is the name that a cron job gets of what somebody typed.
func CronJobName(text string) string { return strings.TrimSpace(text) }

func cronName(name string) bool {
	return len(name) <= 40 && name != "" && !strings.HasPrefix(name, "-") && !strings.HasSuffix(name, "-") &&
		strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

// CronZone is the time zone of a cron job.
func CronZone(d *v1alpha1.Domain, j v1alpha1.CronJob) *time.Location {
	for _, name := range []string{j.Timezone, d.Spec.Timezone} {
		if zone, err := time.LoadLocation(name); err == nil && name != "" {
			return zone
		}
	}
	return time.UTC
}

// SetCronJob makes a cron job, or changes the one that is called was. It says what is
// wrong with a wish by its fields.
func (p *Provider) SetCronJob(ctx context.Context, a Actor, name, was string, wish CronWish) error {
	made := ""
	if was == "" {
		made = CronJobName(wish.Name)
	}
	return p.changeCron(ctx, a, name, made, func(all []v1alpha1.CronJob) ([]v1alpha1.CronJob, error) {
		j, err := wish.job()
		if err != nil {
			return nil, err
		}
		at := cronAt(all, was)
		if was != "" && at < 0 {
			return nil, noCronJob(was)
		}
		if other := cronAt(all, j.Name); other >= 0 && other != at {
			return nil, invalidField("name", fmt.Sprintf("There is a cron job %s already; choose another name.", j.Name), nil)
		}
		if at >= 0 {
			if err := p.expected(cronVersion(all[at])); err != nil {
				return nil, err
			}
			all[at] = j
			return all, nil
		}
		if len(all) >= maxCronJobs {
			return nil, &Error{Code: OverQuota, Message: fmt.Sprintf("A site has at most %d cron jobs.", maxCronJobs), Mend: "Delete one that is not needed any more."}
		}
		return append(all, j), nil
	})
}

// DeleteCronJob removes a cron job; a run of it that is under way ends.
func (p *Provider) DeleteCronJob(ctx context.Context, a Actor, name, job string) error {
	return p.changeCron(ctx, a, name, "", func(all []v1alpha1.CronJob) ([]v1alpha1.CronJob, error) {
		at := cronAt(all, job)
		if at < 0 {
			return nil, noCronJob(job)
		}
		if err := p.expected(cronVersion(all[at])); err != nil {
			return nil, err
		}
		return slices.Delete(all, at, at+1), nil
	})
}

func cronAt(all []v1alpha1.CronJob, name string) int {
	return slices.IndexFunc(all, func(j v1alpha1.CronJob) bool { return j.Name == name })
}

func noCronJob(name string) error {
	return &Error{Code: NotFound, Message: fmt.Sprintf("The site has no cron job %q.", name)}
}

// changeCron changes a site's cron jobs, on its newest version; made is the new one's
// name.
func (p *Provider) changeCron(ctx context.Context, a Actor, name, made string, edit func([]v1alpha1.CronJob) ([]v1alpha1.CronJob, error)) error {
	s, err := p.site(ctx, a, RightSiteCron, name)
	if err != nil {
		return err
	}
	if err := changing(s, SiteChange{}); err != nil {
		return err
	}
	if s.Domain.Spec.Workload.Type == "static" {
		return &Error{Code: Conflict, Message: "A site of static files has no program that could run.", Mend: "Make a site for PHP, Python or Node.js for it."}
	}
	wanted, err := p.tryCron(ctx, s, edit)
	if err != nil {
		return err
	}
	before, after := cronTold(s.Domain), cronTold(wanted)
	err = p.write(ctx, a, func(Tx) (change, error) {
		return change{did: RightSiteCron, object: s.Name, on: s.On(), before: before, after: after, made: made}, nil
	})
	if err != nil {
		return err
	}
	return p.Panel.edit(ctx, s.Name, func(d *v1alpha1.Domain) error {
		var err error
		d.Spec.CronJobs, err = edit(slices.Clone(d.Spec.CronJobs))
		return err
	})
}

// cronTold is what the trail holds of cron jobs: when they run. People write
// passwords into commands.
func cronTold(d *v1alpha1.Domain) map[string]string {
	told := map[string]string{}
	for _, j := range d.Spec.CronJobs {
		told[j.Name] = j.Schedule
		if j.Suspended {
			told[j.Name] += " (suspended)"
		}
	}
	return told
}

// RunCronJob asks for a run of a cron job now. It returns Conflict when it can't. What
// is to count once asks for the run of the moment at which it came first.
func (p *Provider) RunCronJob(ctx context.Context, a Actor, name, job string) error {
	s, err := p.site(ctx, a, RightSiteCron, name)
	if err != nil {
		return err
	}
	if err := changing(s, SiteChange{}); err != nil {
		return err
	}
	switch {
	case cronAt(s.Domain.Spec.CronJobs, job) < 0:
		return noCronJob(job)
	case s.Domain.Spec.Suspended:
		return &Error{Code: Conflict, Message: "The site is suspended, and its cron jobs with it.", Mend: "Resume the site first."}
	}
	if err := p.recordSite(ctx, a, RightSiteCron, s, map[string]any{"run": job}); err != nil {
		return err
	}
	at := p.Now()
	if p.once != nil {
		at = p.once.FirstAt
	}
	return p.Panel.edit(ctx, s.Name, func(d *v1alpha1.Domain) error {
		metav1.SetMetaDataAnnotation(&d.ObjectMeta, v1alpha1.AnnotationRunCron, job+" "+at.UTC().Format(time.RFC3339Nano))
		return nil
	})
}

// edit makes a change on the newest version of a site.
func (p *Panel) edit(ctx context.Context, name string, change func(*v1alpha1.Domain) error) error {
	var err error
	for range conflictTries {
		var was *v1alpha1.Domain
		if was, err = p.Site(ctx, name); err != nil {
			return err
		}
		if err = changeable(was); err != nil {
			return err
		}
		d := was.DeepCopy()
		if err = change(d); err != nil {
			return err
		}
		if err = p.Writer.ChangeDomain(ctx, was, d, false); err == nil || CodeOf(err) != Conflict {
			return err
		}
	}
	return err
}

// tryCron finds out what a change would be, and whether the operator takes it: the
// share of cron jobs may leave a small site's program too little.
func (p *Provider) tryCron(ctx context.Context, s *OwnedSite, edit func([]v1alpha1.CronJob) ([]v1alpha1.CronJob, error)) (*v1alpha1.Domain, error) {
	wanted := s.Domain.DeepCopy()
	first := len(wanted.Spec.CronJobs) == 0
	var err error
	if wanted.Spec.CronJobs, err = edit(wanted.Spec.CronJobs); err != nil || !first || p.Panel.Planner == nil {
		return wanted, err
	}
	plan, err := p.Panel.Planner.Plan(ctx, s.Domain, wanted)
	if err != nil {
		return nil, err
	}
	if len(plan.Refused) > 0 {
		return nil, &Error{Code: Conflict, Message: "The site has no room for cron jobs. " + plan.Refused[0].Message, Mend: "Give it more memory or processor time first."}
	}
	return wanted, nil
}
