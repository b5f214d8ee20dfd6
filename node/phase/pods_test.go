package phase

import (
	"encoding/json"
	"testing"
	"time"
)

func TestOldNewsOfAPodIsNotBelieved(t *testing.T) {
	since := time.Date(2026, 1, 2, 3, 4, 5, 600, time.UTC)
	container := func(ready, started string) string {
		return `{"ready": ` + ready + `, "state": {"running": {"startedAt": "` + started + `"}}}`
	}
	waiting := `{"ready": false, "state": {"waiting": {"reason": "ContainerCreating"}}}`
	tests := map[string]struct {
		containers    string
		stale, serves bool
	}{
		"started since":          {containers: container("true", "2026-01-02T03:04:09Z"), serves: true},
		"in the same second":     {containers: container("true", "2026-01-02T03:04:05Z"), serves: true},
		"started before":         {containers: container("true", "2026-01-02T03:04:04Z"), stale: true},
		"one of two before":      {containers: container("true", "2026-01-02T03:04:09Z") + "," + container("true", "2026-01-01T00:00:00Z"), stale: true},
		"started, not ready yet": {containers: container("false", "2026-01-02T03:04:09Z")},
		"waiting":                {containers: waiting},
		"nothing known":          {},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var p pod
			if err := json.Unmarshal([]byte(`{"status": {"containerStatuses": [`+tt.containers+`]}}`), &p); err != nil {
				t.Fatal(err)
			}
			if got := p.stale(since); got != tt.stale {
				t.Errorf("stale() = %t, want %t", got, tt.stale)
			}
			if got := p.serves(since); got != tt.serves {
				t.Errorf("serves() = %t, want %t", got, tt.serves)
			}
		})
	}
}
