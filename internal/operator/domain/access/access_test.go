package access

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

func TestAnAccessEndsWithinFourHours(t *testing.T) {
	made := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for asked, want := range map[time.Duration]time.Duration{
		time.Minute: time.Minute, 4 * time.Hour: 4 * time.Hour, 4*time.Hour + time.Second: 4 * time.Hour, 1000 * time.Hour: 4 * time.Hour, -time.Hour: -time.Hour,
	} {
		a := &v1alpha1.DatabaseAccess{ObjectMeta: metav1.ObjectMeta{CreationTimestamp: metav1.NewTime(made)},
			Spec: v1alpha1.DatabaseAccessSpec{ExpiresAt: metav1.NewTime(made.Add(asked))}}
		if got := end(a); !got.Equal(made.Add(want)) {
			t.Errorf("end of what asks for %s = %s after its creation, want %s", asked, got.Sub(made), want)
		}
	}
}
