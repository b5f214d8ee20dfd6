package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"time"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/auth"
	"kubepanel.io/kubepanel/internal/panel/visit"
)

func (s *Server) siteActions() {
	handle(s, operation{method: http.MethodGet, path: "/sites/{site}/progress", id: "getSiteProgress", summary: "Show how far a site's making, change or deletion is",
		scope: hosting.RightSiteView, says: "The steps are the real ones, and go on whether somebody looks or not. A deleted site answers 404 once nothing of it is left."}, s.getProgress)
	handle(s, operation{method: http.MethodPost, path: "/sites/{site}/plan", id: "planSite", summary: "Tell what a change would do", scope: hosting.RightSiteChange, secret: true}, s.planSite)
	handle(s, operation{method: http.MethodPost, path: "/sites/{site}/plan-spec", id: "planSiteSpec", summary: "Tell what a whole spec would do to a site, or to a new one", scope: hosting.RightSiteChange, secret: true,
		says: "The spec is that of a Domain, and what it leaves out goes back to its default. Of a name that none of your sites has, it tells what making that site for you would do. Some of what it can say no operation changes: who may write Domains does."}, s.planSpec)
	handle(s, operation{method: http.MethodPost, path: "/sites/{site}/plan-deletion", id: "planSiteDeletion", summary: "Tell what a deletion would do", scope: hosting.RightSiteDelete, secret: true}, s.planDeletion)
	handle(s, operation{method: http.MethodPost, path: "/sites/{site}/restart", id: "restartSite", summary: "Replace a site's pod", scope: hosting.RightSiteRestart,
		status: http.StatusAccepted}, s.restartSite)
	handle(s, operation{method: http.MethodPost, path: "/sites/{site}/purge-cache", id: "purgeSiteCache", summary: "Empty a site's page cache", scope: hosting.RightSiteRestart,
		status: http.StatusNoContent, says: "It takes effect within seconds. A site without one answers 422."}, s.purgeCache)
	handle(s, operation{method: http.MethodPost, path: "/sites/{site}/credentials", id: "getSiteCredentials", summary: "Show one of a site's accounts with its password",
		scope: hosting.RightSitePassword, secret: true, says: "That it was shown stands in the audit trail."}, s.getCredentials)
	handle(s, operation{method: http.MethodPost, path: "/sites/{site}/database/visits", id: "visitDatabase", summary: "Open phpMyAdmin for a site's database",
		scope: hosting.RightSiteDatabase, status: http.StatusCreated, secret: true,
		says: "The answer is an address that is good once and for a minute: a browser that opens it is signed in at this one database. The visit ends with the token, when the right is gone, 20 minutes after its last use, and after four hours."}, s.visitDatabase)
	handle(s, operation{method: http.MethodPost, path: "/sites/{site}/database/renew-password", id: "renewDatabasePassword", summary: "Give a site's database another password",
		scope: hosting.RightSiteChange, status: http.StatusNoContent,
		says: "It is made within seconds, and in the site's files within two minutes; the one before it is good for ten. Asked again before that, another one is made when they are over."}, s.renewDatabasePassword)
	handle(s, operation{method: http.MethodPut, path: "/sites/{site}/owner", id: "assignSite", summary: "Give a site to another account", scope: hosting.RightSiteAssign, also: hosting.RightUserView,
		status: http.StatusNoContent}, s.assignSite)
}

// Progress is a long operation on a site: what Kubernetes has done of what was asked.
type Progress struct {
	Site    string        `json:"site"`
	Kind    ProgressKind  `json:"kind" enum:"create,change,delete"`
	State   ProgressState `json:"state" enum:"running,done,stalled" doc:"stalled: only a person can help; the message says how."`
	Message string        `json:"message,omitempty"`
	Began   *time.Time    `json:"began,omitempty" doc:"When it began; of a change, when the operator first looked at it. Left out where nothing goes on."`
	Steps   []Step        `json:"steps"`
}

// ProgressKind says what is going on.
type ProgressKind string

// ProgressState says how far it is.
type ProgressState string

// Kinds and states of progress.
const (
	KindCreate ProgressKind = "create"
	KindChange ProgressKind = "change"
	KindDelete ProgressKind = "delete"

	ProgressRunning ProgressState = "running"
	ProgressDone    ProgressState = "done"
	ProgressStalled ProgressState = "stalled"
)

// Step is one part of it.
type Step struct {
	Name    string        `json:"name" doc:"The condition that it is."`
	Title   string        `json:"title"`
	State   hosting.State `json:"state" enum:"waiting,running,done,stalled"`
	Message string        `json:"message,omitempty"`
	Since   *time.Time    `json:"since,omitempty"`
}

func progressOf(site *hosting.OwnedSite) Progress {
	p := Progress{Site: site.Name, Kind: KindCreate, State: ProgressRunning, Steps: []Step{}}
	d := site.Domain
	state := hosting.StandingOf(site)
	if state == hosting.StandingDeleting {
		p.Kind = KindDelete
	}
	if d == nil {
		return p
	}
	p.Began = moment(hosting.Began(d))
	for _, step := range hosting.Steps(d) {
		p.Steps = append(p.Steps, Step{Name: step.Condition, Title: step.Title, State: step.State, Message: step.Message, Since: moment(step.Since)})
	}
	if p.Kind != KindDelete && d.Generation > 1 {
		p.Kind = KindChange
	}
	if err := hosting.StallOf(d); err != nil {
		p.State, p.Message = ProgressStalled, err.Error()
	} else if hosting.Live(d) {
		p.State = ProgressDone
	} else {
		p.Message = hosting.Unfinished(d)
	}
	return p
}

// moment is a time that may be missing.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func (s *Server) getProgress(ctx context.Context, a hosting.Actor, in *SitePath) (*answer[Progress], error) {
	found, err := s.Rules.Site(ctx, a, in.Site)
	if err != nil {
		return nil, err
	}
	return &answer[Progress]{progressOf(found)}, nil
}

func (s *Server) planSite(ctx context.Context, a hosting.Actor, in *struct {
	SitePath
	Body SiteChange
}) (*answer[hosting.Plan], error) {
	plan, err := s.Rules.PlanChange(ctx, a, in.Site, in.Body.request())
	if err != nil {
		return nil, err
	}
	return &answer[hosting.Plan]{*plan}, nil
}

func (s *Server) planSpec(ctx context.Context, a hosting.Actor, in *struct {
	SitePath
	Body struct {
		Spec map[string]any `json:"spec" doc:"The spec of a Domain, whole."`
	}
}) (*answer[hosting.Plan], error) {
	spec, err := specOf(in.Body.Spec)
	if err != nil {
		return nil, err
	}
	plan, err := s.Rules.PlanSpec(ctx, a, in.Site, spec)
	if err != nil {
		return nil, err
	}
	return &answer[hosting.Plan]{*plan}, nil
}

// specOf reads the spec of a Domain. A field that does not exist is a mistake and not a
// wish to be ignored.
func specOf(fields map[string]any) (*v1alpha1.DomainSpec, error) {
	text, err := json.Marshal(fields)
	if err != nil {
		return nil, err
	}
	spec := &v1alpha1.DomainSpec{}
	strict := json.NewDecoder(bytes.NewReader(text))
	strict.DisallowUnknownFields()
	if err := strict.Decode(spec); err != nil {
		return nil, &hosting.Error{Code: hosting.Invalid, Err: err, Fields: []hosting.Field{{Name: "spec", Message: "That is no spec of a Domain: " + err.Error() + "."}}}
	}
	return spec, nil
}

func (s *Server) planDeletion(ctx context.Context, a hosting.Actor, in *SitePath) (*answer[hosting.Plan], error) {
	plan, err := s.Rules.PlanDelete(ctx, a, in.Site)
	if err != nil {
		return nil, err
	}
	return &answer[hosting.Plan]{*plan}, nil
}

// restartSite asks at the moment when the request came first: the same request once more
// is the same restart.
func (s *Server) restartSite(ctx context.Context, a hosting.Actor, in *SitePath) (*answer[Progress], error) {
	if err := s.rules(ctx).RestartSite(ctx, a, in.Site, s.askedAt(ctx)); err != nil {
		return nil, err
	}
	found, err := s.Rules.SiteFor(ctx, a, hosting.RightSiteRestart, in.Site)
	if err != nil {
		return nil, err
	}
	return &answer[Progress]{progressOf(found)}, nil
}

// askedAt is when a request came, the first time if it came more than once.
func (s *Server) askedAt(ctx context.Context) time.Time {
	if o, ok := ctx.Value(onceKey{}).(*hosting.Once); ok {
		return o.FirstAt
	}
	return s.Now()
}

// renewDatabasePassword is once too when it comes twice, as restartSite is.
func (s *Server) renewDatabasePassword(ctx context.Context, a hosting.Actor, in *SitePath) (*struct{}, error) {
	return nil, s.rules(ctx).RenewDatabasePassword(ctx, a, in.Site, s.askedAt(ctx))
}

func (s *Server) purgeCache(ctx context.Context, a hosting.Actor, in *SitePath) (*struct{}, error) {
	return nil, s.rules(ctx).PurgeCache(ctx, a, in.Site)
}

func (s *Server) getCredentials(ctx context.Context, a hosting.Actor, in *struct {
	SitePath
	Body struct {
		For hosting.Purpose `json:"for" enum:"wordpress,sftp,database" doc:"Which account is meant."`
	}
}) (*answer[hosting.Credential], error) {
	found, err := s.Rules.Password(ctx, a, in.Site, in.Body.For)
	if err != nil {
		return nil, err
	}
	return &answer[hosting.Credential]{*found}, nil
}

func (s *Server) assignSite(ctx context.Context, a hosting.Actor, in *struct {
	SitePath
	Condition
	Body struct {
		Owner hosting.ID `json:"owner" maxLength:"64" doc:"The account that it is to belong to."`
	}
}) (*struct{}, error) {
	return nil, s.Rules.If(in.version()).AssignSite(ctx, a, in.Site, in.Body.Owner)
}

// DatabaseVisit is the way into phpMyAdmin.
type DatabaseVisit struct {
	URL   string    `json:"url" doc:"Whoever opens it first has the visit." example:"https://panel.example.com/visit#…"`
	Until time.Time `json:"until" doc:"When the address ends."`
}

func (s *Server) visitDatabase(ctx context.Context, a hosting.Actor, in *SitePath) (*answer[DatabaseVisit], error) {
	if s.Databases == nil {
		return nil, visit.None()
	}
	address, until, err := s.Databases.Address(ctx, a, auth.SessionOf(ctx), in.Site)
	if err != nil {
		return nil, err
	}
	return &answer[DatabaseVisit]{DatabaseVisit{URL: address, Until: until}}, nil
}
