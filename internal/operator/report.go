package operator

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Conditions of the loop itself, beside those that the steps own. Reconciling and
// Stalled exist only while they are true, as kstatus reads them.
const (
	ConditionReady       = "Ready"
	ConditionReconciling = "Reconciling"
	ConditionStalled     = "Stalled"
)

// report writes the conditions from what the steps answered, and the events of
// what changed.
func (l *Loop[T]) report(ctx context.Context, obj, before T, results []result) {
	deleting := !obj.GetDeletionTimestamp().IsZero()
	for _, r := range results {
		set(obj, r.condition, status(r.class, deleting), r.reason, r.message)
	}
	w := worst(results)
	ready := metav1.Condition{Status: metav1.ConditionTrue, Reason: "Satisfied", Message: "Everything that was asked for is there and answers."}
	if w.class != done {
		ready.Status, ready.Reason, ready.Message = metav1.ConditionFalse, w.reason, w.message
	}
	if deleting {
		ready = metav1.Condition{Status: metav1.ConditionFalse, Reason: "Terminating", Message: w.message}
	}
	set(obj, ConditionReady, ready.Status, ready.Reason, ready.Message)
	mark(obj, ConditionStalled, w.class == stalled, w.reason, w.message)
	mark(obj, ConditionReconciling, deleting || w.class == blocked || w.class >= waiting && w.class < stalled, w.reason, w.message)
	if !deleting {
		obj.Observed(obj.GetGeneration())
	}
	if l.Summarize != nil {
		l.Summarize(ctx, obj, before, Summary{
			Ready:    !deleting && w.class == done,
			Paused:   w.class == paused,
			Stalled:  w.class == stalled,
			Troubled: w.class == trouble || w.class == failed,
			Deleting: deleting, Message: ready.Message,
		})
	}
	l.tell(obj, before, results, deleting)
}

// status of a step's condition. While an object is deleted, satisfied means gone.
func status(c class, deleting bool) metav1.ConditionStatus {
	switch {
	case c == blocked:
		return metav1.ConditionUnknown
	case c == done && !deleting:
		return metav1.ConditionTrue
	default:
		return metav1.ConditionFalse
	}
}

// tell writes an event for each change that a person would want to know: Ready in
// both directions, and every new trouble. Steps on the way up are no news.
func (l *Loop[T]) tell(obj, before T, results []result, deleting bool) {
	if l.Recorder == nil {
		return
	}
	for _, r := range results {
		if r.class >= trouble && changed(obj, before, r.condition) {
			l.Recorder.Eventf(obj, nil, corev1.EventTypeWarning, r.reason, r.condition, "%s", r.message)
		}
	}
	was := meta.IsStatusConditionTrue(*before.Conditions(), ConditionReady)
	is := meta.FindStatusCondition(*obj.Conditions(), ConditionReady)
	switch {
	case is.Status == metav1.ConditionTrue && !was:
		l.Recorder.Eventf(obj, nil, corev1.EventTypeNormal, ConditionReady, ConditionReady, "%s", is.Message)
	case deleting && was:
		l.Recorder.Eventf(obj, nil, corev1.EventTypeNormal, "Terminating", ConditionReady, "%s", is.Message)
	case is.Status != metav1.ConditionTrue && was:
		l.Recorder.Eventf(obj, nil, corev1.EventTypeWarning, "NotReady", ConditionReady, "%s", is.Message)
	}
}

func changed(obj, before Object, condition string) bool {
	was := meta.FindStatusCondition(*before.Conditions(), condition)
	is := meta.FindStatusCondition(*obj.Conditions(), condition)
	return was == nil || was.Status != is.Status || was.Reason != is.Reason
}

func set(obj Object, typ string, status metav1.ConditionStatus, reason, message string) {
	meta.SetStatusCondition(obj.Conditions(), metav1.Condition{
		Type: typ, Status: status, Reason: reason, Message: clip(message),
		ObservedGeneration: obj.GetGeneration(),
	})
}

// clip keeps a message within what a person reads; the API allows 32 KiB, which
// a tenant's own log line could fill.
func clip(message string) string {
	const limit = 1024
	if len(message) <= limit {
		return message
	}
	cut := limit
	for cut > 0 && message[cut]&0xC0 == 0x80 { // never inside a rune
		cut--
	}
	return message[:cut] + "…"
}

// mark keeps a condition that means "abnormal" only while it is true.
func mark(obj Object, typ string, on bool, reason, message string) {
	if !on {
		remove(obj, typ)
		return
	}
	set(obj, typ, metav1.ConditionTrue, reason, message)
}

// remove takes a condition away. meta.RemoveStatusCondition makes a new list even where
// there is none to take away, at every look.
func remove(obj Object, typ string) {
	if meta.FindStatusCondition(*obj.Conditions(), typ) != nil {
		meta.RemoveStatusCondition(obj.Conditions(), typ)
	}
}
