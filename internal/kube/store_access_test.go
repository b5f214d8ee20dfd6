package kube_test

import (
	"context"
	"errors"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/hosting"
)

func TestAccessFromOpeningToEnd(t *testing.T) {
	s := newStore(t)
	const namespace = "dom-visit-example"
	ensure(t, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}})
	begin := func(name string) *v1alpha1.DatabaseAccess {
		return &v1alpha1.DatabaseAccess{
			ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace},
			Spec: v1alpha1.DatabaseAccessSpec{DomainName: "visit.example", PasswordHash: "*6BB4837EB74329105EE4568DDA7DC67ED2CA2AD9",
				ExpiresAt: metav1.NewTime(time.Now().Add(time.Hour))},
		}
	}
	a, done := begin("open"), make(chan error, 1)
	go func() { done <- s.OpenAccess(t.Context(), a) }()
	// This test is the operator.
	err := wait.PollUntilContextTimeout(t.Context(), 20*time.Millisecond, 20*time.Second, true, func(ctx context.Context) (bool, error) {
		o := &v1alpha1.DatabaseAccess{}
		if err := cluster.Client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: "open"}, o); err != nil {
			return false, client.IgnoreNotFound(err)
		}
		o.Status = v1alpha1.DatabaseAccessStatus{Phase: v1alpha1.DatabaseAccessOpen, Username: "visitor-1"}
		return true, cluster.Client.Status().Update(ctx, o)
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil || a.Status.Username != "visitor-1" {
		t.Fatalf("OpenAccess = %v with status %+v", err, a.Status)
	}

	until := time.Now().Add(2 * time.Hour).Truncate(time.Second)
	if err := s.MoveAccess(t.Context(), namespace, "open", until); err != nil {
		t.Fatal(err)
	}
	all, err := s.Accesses(t.Context())
	if err != nil || len(all) != 1 || !all[0].Spec.ExpiresAt.Time.Equal(until) {
		t.Errorf("Accesses = %v, %v, want one until %s", all, err, until)
	}
	for range 2 {
		if err := s.CloseAccess(t.Context(), namespace, "open"); err != nil {
			t.Errorf("CloseAccess = %v", err)
		}
	}
	wantCode(t, "moving the end of an access that is over", s.MoveAccess(t.Context(), namespace, "open", until), hosting.NotFound, "")

	// An operator that does not answer keeps nobody waiting for ever.
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := s.OpenAccess(ctx, begin("late")); err == nil || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("OpenAccess without an operator = %v, want it to end with its time", err)
	}
}
