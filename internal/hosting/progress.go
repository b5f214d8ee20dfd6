package hosting

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// State says how far a step is.
type State string

// States of a step.
const (
	StateWaiting State = "waiting" // for another step
	StateRunning State = "running"
	StateDone    State = "done"
	StateStalled State = "stalled" // only a person can help
)

// Step is one condition of a site, as a person reads it.
type Step struct {
	Condition string
	Title     string
	State     State
	Message   string
	Since     time.Time // when the condition last changed
}

// titles says what a condition is about, in which order people read them, and which
// every site has. A condition that is not listed comes after, under its own name.
var titles = []struct {
	condition, title string
	always           bool
}{
	{v1alpha1.ConditionNamespaceReady, "namespace", true},
	{v1alpha1.ConditionPVCReady, "volume", true},
	{v1alpha1.ConditionConfigMapReady, "configuration", true},
	{v1alpha1.ConditionDatabaseReady, "database server", true},
	{v1alpha1.ConditionDatabaseProvisioned, "database", true},
	{v1alpha1.ConditionDeploymentReady, "pod", true},
	{v1alpha1.ConditionServiceReady, "service", true},
	{v1alpha1.ConditionSFTPServiceReady, "SFTP service", true},
	{v1alpha1.ConditionSFTPReady, "SFTP", true},
	{v1alpha1.ConditionIngressReady, "route", true},
	{v1alpha1.ConditionCertificateReady, "certificate", true},
	{v1alpha1.ConditionCronJobsReady, "cron jobs", false},
	{v1alpha1.ConditionDKIMReady, "DKIM", false},
	{v1alpha1.ConditionBackupPVCReady, "backup volume", false},
	{v1alpha1.ConditionDNSReady, "DNS", false},
}

// Steps returns the steps of a site, in the order in which people read them.
func Steps(d *v1alpha1.Domain) []Step {
	stall := meta.FindStatusCondition(d.Status.Conditions, v1alpha1.ConditionStalled)
	steps := make([]Step, 0, len(d.Status.Conditions))
	for _, c := range d.Status.Conditions {
		switch c.Type {
		case v1alpha1.ConditionReady, v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled:
			continue
		}
		if stale(d, c) && !d.DeletionTimestamp.IsZero() {
			continue // of the time before the deletion
		}
		steps = append(steps, Step{
			Condition: c.Type, Title: title(c.Type), State: state(d, c, stall),
			Message: plain(c), Since: c.LastTransitionTime.Time,
		})
	}
	slices.SortStableFunc(steps, byPlace)
	return steps
}

// Foreseen returns the steps of a site with those that the operator has not told of
// yet, so that nothing comes in between later. Of a deletion none is foreseen.
func Foreseen(d *v1alpha1.Domain) []Step {
	steps := Steps(d)
	if !d.DeletionTimestamp.IsZero() {
		return steps
	}
	for _, t := range titles {
		known := slices.ContainsFunc(steps, func(s Step) bool { return s.Condition == t.condition })
		if !known && (t.always || t.condition == v1alpha1.ConditionCronJobsReady && len(d.Spec.CronJobs) > 0) {
			steps = append(steps, Step{Condition: t.condition, Title: t.title, State: StateWaiting})
		}
	}
	slices.SortStableFunc(steps, byPlace)
	return steps
}

// making is how long a site may take to be made, seen generously: what moves in one
// that nobody changed, later than that, began by itself.
const making = time.Hour

// Began is when what goes on with a site began: its making, a change, what happened to it
// by itself, or its deletion. It is zero where nothing goes on, and until the operator has
// looked at a change.
func Began(d *v1alpha1.Domain) time.Time {
	if t := d.DeletionTimestamp; t != nil {
		return t.Time
	}
	created, since := d.CreationTimestamp.Time, time.Time{}
	c := meta.FindStatusCondition(d.Status.Conditions, v1alpha1.ConditionReconciling)
	if c != nil && c.Status == metav1.ConditionTrue && !stale(d, *c) {
		since = c.LastTransitionTime.Time
	}
	if d.Generation <= 1 && (since.IsZero() || since.Sub(created) < making) {
		return created
	}
	return since
}

func byPlace(a, b Step) int { return place(a.Condition) - place(b.Condition) }

func state(d *v1alpha1.Domain, c metav1.Condition, stall *metav1.Condition) State {
	deleting := !d.DeletionTimestamp.IsZero()
	switch {
	case stale(d, c):
		return StateWaiting // what it says is about an earlier wish
	case stall != nil && stall.Status == metav1.ConditionTrue && c.Status != metav1.ConditionTrue &&
		c.Reason == stall.Reason && c.Message == stall.Message:
		return StateStalled
	case d.Spec.Suspended && c.Reason == reasonSuspended:
		return StateDone // not serving is what was asked for
	case c.Status == metav1.ConditionTrue && !deleting, deleting && slices.Contains(reasonsGone(), c.Reason):
		return StateDone
	case c.Status == metav1.ConditionUnknown:
		return StateWaiting
	}
	return StateRunning
}

// reasonSuspended is the operator's of a step that rests because the site does.
const reasonSuspended = "Suspended"

// reasonsGone are those of a step of a deletion that has nothing left to do. Its
// condition is False then: what it spoke of is not there any more.
func reasonsGone() []string {
	return []string{"Satisfied", "Deleted", "Disabled", "NotOurs", "Released"}
}

// plain says what a step waits for in the words that people read, where the
// operator names conditions.
func plain(c metav1.Condition) string {
	if c.Status != metav1.ConditionUnknown {
		return c.Message
	}
	pairs := make([]string, 0, 2*len(titles))
	for _, t := range titles {
		pairs = append(pairs, t.condition, "the "+t.title)
	}
	return strings.NewReplacer(pairs...).Replace(c.Message)
}

// stale tells whether a condition speaks of an older spec. While a site is
// deleted its generation has moved on once without a change of the spec.
func stale(d *v1alpha1.Domain, c metav1.Condition) bool {
	return c.ObservedGeneration < d.Generation
}

func place(condition string) int {
	for i, t := range titles {
		if t.condition == condition {
			return i
		}
	}
	return len(titles)
}

func title(condition string) string {
	if i := place(condition); i < len(titles) {
		return titles[i].title
	}
	return strings.TrimSuffix(condition, "Ready")
}

// Live tells whether a site is what its spec asks for, now. A suspended site
// that was asked to be suspended is.
func Live(d *v1alpha1.Domain) bool {
	if d.Status.ObservedGeneration < d.Generation || !d.DeletionTimestamp.IsZero() {
		return false
	}
	if d.Status.RestartedAt != d.Annotations[v1alpha1.AnnotationRestartedAt] {
		return false // what answers is the pod that is to go
	}
	if d.Spec.Suspended && d.Status.Phase == v1alpha1.DomainSuspended {
		return true
	}
	ready := meta.FindStatusCondition(d.Status.Conditions, v1alpha1.ConditionReady)
	return ready != nil && ready.Status == metav1.ConditionTrue && !stale(d, *ready)
}

// StallOf returns the error of a site that only a person can help, or nil.
func StallOf(d *v1alpha1.Domain) error {
	c := meta.FindStatusCondition(d.Status.Conditions, v1alpha1.ConditionStalled)
	if c == nil || c.Status != metav1.ConditionTrue || stale(d, *c) {
		return nil
	}
	name := ShowBoth(d.Spec.DomainName)
	e := &Error{Code: Stalled, Message: fmt.Sprintf("The site %s is stuck: %s", name, c.Message),
		Mend: fmt.Sprintf("It goes on by itself when the cause is gone. Look at it with: kubepanel site show %s", d.Spec.DomainName)}
	steps := Steps(d)
	if i := slices.IndexFunc(steps, func(s Step) bool { return s.State == StateStalled }); i >= 0 {
		e.Message = fmt.Sprintf("The site %s is stuck at %s: %s", name, "its "+steps[i].Title, c.Message)
	}
	return e
}

// Unfinished says in one sentence what a site still waits for.
func Unfinished(d *v1alpha1.Domain) string {
	waits := ""
	for _, s := range Steps(d) {
		if s.State == StateRunning || s.State == StateStalled {
			return fmt.Sprintf("the %s is not done: %s", s.Title, s.Message)
		}
		if s.State == StateWaiting && waits == "" {
			waits = fmt.Sprintf("the %s is not done: %s", s.Title, s.Message)
		}
	}
	if waits != "" {
		return waits
	}
	if len(d.Status.Conditions) == 0 {
		return "the operator has not looked at it yet; see how it is with: kubepanel platform status"
	}
	return "the operator has not summed it up yet"
}
