package rest

import (
	"context"
	"net/http"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
)

func (s *Server) cron() {
	handle(s, operation{method: http.MethodGet, path: "/sites/{site}/cron", id: "listCronJobs", summary: "List a site's cron jobs", scope: hosting.RightSiteCron}, s.listCronJobs)
	handle(s, operation{method: http.MethodPost, path: "/sites/{site}/cron", id: "createCronJob", summary: "Make a cron job", scope: hosting.RightSiteCron,
		status: http.StatusCreated, says: "A site has at most 20."}, s.createCronJob)
	handle(s, operation{method: http.MethodGet, path: "/sites/{site}/cron/{job}", id: "getCronJob", summary: "Show a cron job", scope: hosting.RightSiteCron}, s.getCronJob)
	handle(s, operation{method: http.MethodPut, path: "/sites/{site}/cron/{job}", id: "changeCronJob", summary: "Replace what a cron job is", scope: hosting.RightSiteCron,
		says: "What is left out is not kept; another name renames it."}, s.changeCronJob)
	handle(s, operation{method: http.MethodDelete, path: "/sites/{site}/cron/{job}", id: "deleteCronJob", summary: "Delete a cron job", scope: hosting.RightSiteCron,
		status: http.StatusNoContent, says: "A run that is under way ends."}, s.deleteCronJob)
	handle(s, operation{method: http.MethodPost, path: "/sites/{site}/cron/{job}/run", id: "runCronJob", summary: "Run a cron job now", scope: hosting.RightSiteCron,
		status: http.StatusAccepted, says: "The run is among the job's runs within seconds, with asked set."}, s.runCronJob)
	handle(s, operation{method: http.MethodGet, path: "/sites/{site}/cron/{job}/runs", id: "listCronRuns", summary: "List a cron job's runs, the newest first",
		scope: hosting.RightSiteCron, says: "The last three of each outcome are kept."}, s.listCronRuns)
	handle(s, operation{method: http.MethodGet, path: "/sites/{site}/cron/{job}/runs/{run}/output", id: "getCronOutput", summary: "Show what a run wrote",
		scope: hosting.RightSiteCron}, s.getCronOutput)
}

// CronSettings are what a cron job is.
type CronSettings struct {
	Name           string   `json:"name" maxLength:"100" doc:"Up to 40 lower-case letters, digits and hyphens." example:"send-mail"`
	Schedule       string   `json:"schedule" maxLength:"200" doc:"As crontab has it: minute, hour, day of the month, month, day of the week; or @daily and the like." example:"30 4 * * *"`
	TimeZone       string   `json:"timeZone,omitempty" maxLength:"100" doc:"Of the schedule; the site's when left out." example:"Europe/Berlin"`
	Shell          string   `json:"shell,omitempty" maxLength:"5000" doc:"A line for the shell of the site's image." example:"php /var/www/html/cron.php"`
	Command        []string `json:"command,omitempty" maxItems:"200" doc:"In place of shell: the program and its arguments, which no shell reads."`
	TimeoutSeconds int32    `json:"timeoutSeconds,omitempty" minimum:"1" maximum:"86400" default:"3600" doc:"A run that takes longer is ended."`
	Suspended      bool     `json:"suspended,omitempty" doc:"It begins no run."`
}

func (c CronSettings) wish() hosting.CronWish {
	return hosting.CronWish{Name: c.Name, Schedule: c.Schedule, TimeZone: c.TimeZone, Line: c.Shell, Command: c.Command, Suspended: c.Suspended,
		Timeout: time.Duration(c.TimeoutSeconds) * time.Second}
}

// CronJob is one with what becomes of it.
type CronJob struct {
	CronSettings

	Zone string      `json:"zone" doc:"The time zone that counts: its own, the site's, or UTC."`
	Next []time.Time `json:"next" doc:"When it comes next; empty while it is suspended, or when it never comes."`
	Last *CronRun    `json:"last,omitempty" doc:"The newest run."`
}

// CronRun is one run of a cron job.
type CronRun struct {
	Name  string           `json:"name"`
	State hosting.RunState `json:"state" enum:"waiting,going,succeeded,failed,too-long" doc:"waiting: for room, since the runs of a site share some; too-long: ended by its timeout."`
	Began time.Time        `json:"began"`
	Ended *time.Time       `json:"ended,omitempty"`
	Asked bool             `json:"asked" doc:"Somebody asked for it out of turn."`
}

func cronRunOf(r *hosting.CronRun) CronRun {
	return CronRun{Name: r.Name, State: r.State, Began: r.Began, Ended: moment(r.Ended), Asked: r.Asked}
}

func cronJobOf(c *hosting.CronState) CronJob {
	j := CronJob{CronSettings: CronSettings{Name: c.Name, Schedule: c.Schedule, TimeZone: c.Timezone, Shell: c.Shell, Command: c.Command,
		TimeoutSeconds: c.TimeoutSeconds, Suspended: c.Suspended}, Zone: c.Zone.String(), Next: append([]time.Time{}, c.Next...)}
	if last := c.Last(); last != nil {
		run := cronRunOf(last)
		j.Last = &run
	}
	return j
}

func showCronJob(c *hosting.CronState) *versioned[CronJob] {
	return versionedAs(c.Version(), cronJobOf(c))
}

// CronPath is an operation on one cron job.
type CronPath struct {
	SitePath
	Job string `path:"job" maxLength:"100" doc:"The cron job's name."`
}

// whole is a list that needs no pages.
func whole[T, R any](items []T, represent func(*T) R) *answer[List[R]] {
	return &answer[List[R]]{listOf(hosting.Page[T]{Items: items, Total: int64(len(items))}, represent)}
}

func (s *Server) listCronJobs(ctx context.Context, a hosting.Actor, in *SitePath) (*answer[List[CronJob]], error) {
	found, err := s.Rules.CronJobs(ctx, a, in.Site)
	if err != nil {
		return nil, err
	}
	return whole(found, cronJobOf), nil
}

func (s *Server) createCronJob(ctx context.Context, a hosting.Actor, in *struct {
	SitePath
	Body CronSettings `nameHint:"NewCronJob"`
}) (*versioned[CronJob], error) {
	if err := s.rules(ctx).SetCronJob(ctx, a, in.Site, "", in.Body.wish()); err != nil {
		return nil, err
	}
	made, err := s.readCronJob(ctx, a, in.Site, in.Body)
	if err == nil {
		made.Location = Prefix + "/sites/" + in.Site + "/cron/" + made.Body.Name
	}
	return made, err
}

// readCronJob shows a cron job as it was just set.
func (s *Server) readCronJob(ctx context.Context, a hosting.Actor, site string, set CronSettings) (*versioned[CronJob], error) {
	found, err := s.Rules.CronJob(ctx, a, site, hosting.CronJobName(set.Name))
	if err != nil {
		return nil, err
	}
	return showCronJob(found), nil
}

func (s *Server) getCronJob(ctx context.Context, a hosting.Actor, in *CronPath) (*versioned[CronJob], error) {
	found, err := s.Rules.CronJob(ctx, a, in.Site, in.Job)
	if err != nil {
		return nil, err
	}
	return showCronJob(found), nil
}

func (s *Server) changeCronJob(ctx context.Context, a hosting.Actor, in *struct {
	CronPath
	Condition
	Body CronSettings
}) (*versioned[CronJob], error) {
	if err := s.Rules.If(in.version()).SetCronJob(ctx, a, in.Site, in.Job, in.Body.wish()); err != nil {
		return nil, err
	}
	return s.readCronJob(ctx, a, in.Site, in.Body)
}

func (s *Server) deleteCronJob(ctx context.Context, a hosting.Actor, in *struct {
	CronPath
	Condition
}) (*struct{}, error) {
	return nil, s.Rules.If(in.version()).DeleteCronJob(ctx, a, in.Site, in.Job)
}

func (s *Server) runCronJob(ctx context.Context, a hosting.Actor, in *CronPath) (*versioned[CronJob], error) {
	if err := s.rules(ctx).RunCronJob(ctx, a, in.Site, in.Job); err != nil {
		return nil, err
	}
	return s.getCronJob(ctx, a, in)
}

func (s *Server) listCronRuns(ctx context.Context, a hosting.Actor, in *CronPath) (*answer[List[CronRun]], error) {
	found, err := s.Rules.CronJob(ctx, a, in.Site, in.Job)
	if err != nil {
		return nil, err
	}
	return whole(found.Runs, cronRunOf), nil
}

func (s *Server) getCronOutput(ctx context.Context, a hosting.Actor, in *struct {
	CronPath
	Run string `path:"run" maxLength:"253" doc:"The run's name."`
}) (*answer[List[LogLine]], error) {
	found, err := s.Rules.CronOutput(ctx, a, in.Site, in.Job, in.Run)
	if err != nil {
		return nil, err
	}
	l := linesOfLog(found)
	l.Next = "" // what a run wrote before is not to be had
	return &answer[List[LogLine]]{l}, nil
}
