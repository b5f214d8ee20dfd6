package domain

import (
	"context"
	"errors"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// lastWarning returns what Kubernetes last complained about an object, "" when
// there is nothing. It costs a request, so only ask about what is stuck.
func (r *Reconciler) lastWarning(ctx context.Context, o client.Object) string {
	var list corev1.EventList
	err := r.Direct.List(ctx, &list, client.InNamespace(o.GetNamespace()),
		client.MatchingFields{"involvedObject.uid": string(o.GetUID()), "type": corev1.EventTypeWarning}, client.Limit(50))
	if err != nil {
		return "" // the condition says less then, and not a wrong thing
	}
	var last *corev1.Event
	for i := range list.Items {
		if e := &list.Items[i]; last == nil || seen(last).Before(seen(e)) {
			last = e
		}
	}
	if last == nil {
		return ""
	}
	return last.Message
}

// reasonOf returns Kubernetes' own words about a refusal.
func reasonOf(err error) string {
	if status := apierrors.APIStatus(nil); errors.As(err, &status) {
		return status.Status().Message
	}
	return "no reason given"
}

// seen is when an event was reported last; writers fill different fields.
func seen(e *corev1.Event) *metav1.Time {
	switch {
	case e.Series != nil:
		return &metav1.Time{Time: e.Series.LastObservedTime.Time}
	case !e.LastTimestamp.IsZero():
		return &e.LastTimestamp
	default:
		return &metav1.Time{Time: e.EventTime.Time}
	}
}
