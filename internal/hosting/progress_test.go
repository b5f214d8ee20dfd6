package hosting_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/hosting"
)

func condition(kind string, status metav1.ConditionStatus, reason, message string) metav1.Condition {
	return metav1.Condition{Type: kind, Status: status, Reason: reason, Message: message, ObservedGeneration: 1}
}

// seen is a site whose operator reported these conditions.
func seen(conditions ...metav1.Condition) *v1alpha1.Domain {
	d := site("shop.example", "shop.example")
	d.Status.ObservedGeneration, d.Status.Conditions = 1, conditions
	return &d
}

func TestSteps(t *testing.T) {
	ready := condition(v1alpha1.ConditionReady, "False", "RollingOut", "starting")
	pod := condition(v1alpha1.ConditionDeploymentReady, "False", "NoImage", "no such image")
	tests := map[string]struct {
		d    *v1alpha1.Domain
		want []string
	}{
		"nothing yet": {d: seen(), want: nil},
		"on the way": {d: seen(ready,
			condition(v1alpha1.ConditionCertificateReady, "Unknown", "Waiting", "Waits for IngressReady, SFTPServiceReady."),
			condition(v1alpha1.ConditionDeploymentReady, "False", "RollingOut", "starting"),
			condition(v1alpha1.ConditionNamespaceReady, "True", "Satisfied", "")),
			want: []string{"namespace done", "pod running starting", "certificate waiting Waits for the route, the SFTP service."}},
		"stuck": {d: seen(pod, condition(v1alpha1.ConditionStalled, "True", "NoImage", "no such image"),
			condition(v1alpha1.ConditionPVCReady, "False", "VolumePending", "being made")),
			want: []string{"volume running being made", "pod stalled no such image"}},
		"a condition of a newer operator": {d: seen(condition("BananaReady", "False", "Ripening", "soon"), condition(v1alpha1.ConditionDNSReady, "True", "Satisfied", "")),
			want: []string{"DNS done", "Banana running soon"}},
	}
	older := seen(condition(v1alpha1.ConditionNamespaceReady, "True", "Satisfied", ""))
	older.Generation = 2
	tests["about an earlier wish"] = struct {
		d    *v1alpha1.Domain
		want []string
	}{older, []string{"namespace waiting"}}

	leaving := seen(condition(v1alpha1.ConditionNamespaceReady, "False", "Terminating", "3 objects are left"),
		condition(v1alpha1.ConditionDatabaseProvisioned, "False", "Satisfied", ""))
	leaving.Status.Conditions = append(leaving.Status.Conditions, metav1.Condition{Type: v1alpha1.ConditionPVCReady, Status: "True", ObservedGeneration: 0})
	leaving.DeletionTimestamp = new(metav1.Now())
	tests["being deleted"] = struct {
		d    *v1alpha1.Domain
		want []string
	}{leaving, []string{"namespace running 3 objects are left", "database done"}}

	suspended := seen(condition(v1alpha1.ConditionDeploymentReady, "False", "Suspended", "The site is suspended."))
	suspended.Spec.Suspended = true
	tests["suspended as asked"] = struct {
		d    *v1alpha1.Domain
		want []string
	}{suspended, []string{"pod done The site is suspended."}}

	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, s := range hosting.Steps(tt.d) {
				got = append(got, strings.TrimSpace(fmt.Sprintf("%s %s %s", s.Title, s.State, s.Message)))
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("Steps = %q, want %q", got, tt.want)
			}
		})
	}
}

// What a site's page begins with, every later state of the site has in the same places.
// What goes on began when it did, not when the site was made.
func TestBegan(t *testing.T) {
	created := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	soon, later := created.Add(2*time.Second), created.Add(48*time.Hour)
	tests := map[string]struct {
		generation, observed int64
		reconciling          metav1.ConditionStatus
		since, want          time.Time
	}{
		"just asked for":                {generation: 1, want: created},
		"being made":                    {generation: 1, observed: 1, reconciling: "True", since: soon, want: created},
		"made":                          {generation: 1, observed: 1, reconciling: "False", since: later, want: created},
		"its pod went, long after":      {generation: 1, observed: 1, reconciling: "True", since: later, want: later},
		"changed, and not yet seen":     {generation: 2, observed: 1, reconciling: "True", since: soon},
		"being changed":                 {generation: 2, observed: 2, reconciling: "True", since: later, want: later},
		"changed":                       {generation: 2, observed: 2, reconciling: "False", since: later},
		"changed while it was made yet": {generation: 2, observed: 2, reconciling: "True", since: soon, want: soon},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			d := seen()
			d.Generation, d.CreationTimestamp = tt.generation, metav1.NewTime(created)
			if tt.reconciling != "" {
				d.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionReconciling, Status: tt.reconciling,
					ObservedGeneration: tt.observed, LastTransitionTime: metav1.NewTime(tt.since)}}
			}
			if got := hosting.Began(d); !got.Equal(tt.want) {
				t.Errorf("Began() = %s, want %s", got, tt.want)
			}
			d.DeletionTimestamp = new(metav1.NewTime(later.Add(time.Hour)))
			if got := hosting.Began(d); !got.Equal(d.DeletionTimestamp.Time) {
				t.Errorf("while it is deleted Began() = %s, want %s", got, d.DeletionTimestamp)
			}
		})
	}
}

func TestForeseen(t *testing.T) {
	places := func(d *v1alpha1.Domain) (all []string) {
		for _, s := range hosting.Foreseen(d) {
			all = append(all, s.Title)
		}
		return all
	}
	unseen := seen()
	unseen.Spec.CronJobs = []v1alpha1.CronJob{{Name: "news"}}
	want := []string{"namespace", "volume", "configuration", "database server", "database", "pod", "service", "SFTP service", "SFTP", "route", "certificate", "cron jobs"}
	if got := places(unseen); !slices.Equal(got, want) {
		t.Errorf("Foreseen of a new site = %q, want %q", got, want)
	}
	unseen.Status.Conditions = []metav1.Condition{condition(v1alpha1.ConditionCronJobsReady, "True", "Satisfied", ""), condition(v1alpha1.ConditionPVCReady, "False", "Pending", "soon")}
	if got := places(unseen); !slices.Equal(got, want) {
		t.Errorf("Foreseen of a site on its way = %q, want %q", got, want)
	}
	if got := places(seen()); !slices.Equal(got, want[:11]) {
		t.Errorf("Foreseen without cron jobs = %q, want %q", got, want[:11])
	}
	leaving := seen(condition(v1alpha1.ConditionNamespaceReady, "False", "Terminating", ""))
	leaving.DeletionTimestamp = new(metav1.Now())
	if got := places(leaving); !slices.Equal(got, want[:1]) {
		t.Errorf("Foreseen of a deletion = %q, want %q", got, want[:1])
	}
}

func TestLive(t *testing.T) {
	isReady := func() *v1alpha1.Domain { return seen(condition(v1alpha1.ConditionReady, "True", "Satisfied", "")) }
	tests := map[string]struct {
		change func(*v1alpha1.Domain)
		want   bool
	}{
		"ready":                       {func(*v1alpha1.Domain) {}, true},
		"ready for an earlier wish":   {func(d *v1alpha1.Domain) { d.Generation = 2 }, false},
		"ready, but a condition lags": {func(d *v1alpha1.Domain) { d.Generation, d.Status.ObservedGeneration = 2, 2 }, false},
		"not ready":                   {func(d *v1alpha1.Domain) { d.Status.Conditions[0].Status = "False" }, false},
		"unseen":                      {func(d *v1alpha1.Domain) { d.Status = v1alpha1.DomainStatus{} }, false},
		"being deleted":               {func(d *v1alpha1.Domain) { d.DeletionTimestamp = new(metav1.Now()) }, false},
		"suspended as asked": {func(d *v1alpha1.Domain) {
			d.Spec.Suspended, d.Status.Phase, d.Status.Conditions[0].Status = true, v1alpha1.DomainSuspended, "False"
		}, true},
		"suspended, not any more asked": {func(d *v1alpha1.Domain) {
			d.Status.Phase, d.Status.Conditions[0].Status = v1alpha1.DomainSuspended, "False"
		}, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			d := isReady()
			tt.change(d)
			if got := hosting.Live(d); got != tt.want {
				t.Errorf("Live = %v, want %v", got, tt.want)
			}
		})
	}
}

func TestStallNamesCauseAndMend(t *testing.T) {
	d := seen(condition(v1alpha1.ConditionNamespaceReady, "False", "NameTaken", "The name belongs to Domain x. Delete that."),
		condition(v1alpha1.ConditionStalled, "True", "NameTaken", "The name belongs to Domain x. Delete that."))
	err := hosting.StallOf(d)
	want := "The site shop.example is stuck at its namespace: The name belongs to Domain x. Delete that. " +
		"It goes on by itself when the cause is gone. Look at it with: kubepanel site show shop.example"
	if hosting.CodeOf(err) != hosting.Stalled || err.Error() != want { // the text is what a person reads
		t.Errorf("StallOf = %v, want %s", err, want)
	}
	d.Generation = 2 // somebody changed the spec: what stalled may be mended
	if err := hosting.StallOf(d); err != nil {
		t.Errorf("StallOf a changed site = %v, want nothing before the operator looked", err)
	}
}

func TestPasswords(t *testing.T) {
	full := site("shop.example", "shop.example")
	full.Spec.WordPress.Preinstall = true
	full.Status = v1alpha1.DomainStatus{
		Namespace: "dom-shop-example", Endpoints: &v1alpha1.EndpointsStatus{HTTPS: "https://shop.example"},
		SFTP: &v1alpha1.SFTPStatus{Host: "10.0.0.9", Port: 30022, Username: "site",
			PasswordSecretRef: &v1alpha1.SecretKeyReference{Namespace: "dom-shop-example", Name: "sftp-credentials", Key: "password"}},
	}
	f := newFake(t, full)
	f.secrets["dom-shop-example/wordpress-admin"] = map[string][]byte{"username": []byte("admin"), "password": []byte("pw1")}
	f.secrets["dom-shop-example/sftp-credentials"] = map[string][]byte{"password": []byte("pw2")}
	want := map[hosting.Purpose]hosting.Credential{
		hosting.ForWordPress: {Site: "shop.example", For: "wordpress", Address: "https://shop.example/wp-admin/", Username: "admin", Password: "pw1"},
		hosting.ForSFTP:      {Site: "shop.example", For: "sftp", Address: "sftp://site@10.0.0.9:30022", Username: "site", Password: "pw2"},
	}
	for purpose, want := range want {
		if got, err := f.panel().Password(t.Context(), &full, purpose); err != nil || *got != want {
			t.Errorf("Password(%s) = %+v, %v, want %+v", purpose, got, err, want)
		}
	}
	for purpose, code := range map[hosting.Purpose]hosting.Code{hosting.ForDatabase: hosting.NotFound, "ftp": hosting.Invalid} {
		if _, err := f.panel().Password(t.Context(), &full, purpose); hosting.CodeOf(err) != code {
			t.Errorf("Password(%s) = %v, want %s", purpose, err, code)
		}
	}
	plain := site("plain.example", "plain.example")
	if got := hosting.DefaultPurpose(&plain); got != hosting.ForSFTP {
		t.Errorf("DefaultPurpose of a plain site = %s, want sftp", got)
	}
	if _, err := f.panel().Password(t.Context(), &plain, hosting.ForWordPress); hosting.CodeOf(err) != hosting.NotFound {
		t.Errorf("Password of no WordPress = %v, want NotFound", err)
	}
}
