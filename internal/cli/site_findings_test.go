package cli

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
)

// The panel gives at most 200 at once; a person wants all of them.
func TestFindingsOfAllPagesAreListed(t *testing.T) {
	o := newOffice(t)
	o.street()
	boss, err := o.rules.Store.UserByEmail(t.Context(), "boss@provider.example")
	o.must(err)
	actor, err := hosting.ActorOf(t.Context(), o.rules.Store, boss.ID)
	o.must(err)
	_, err = o.rules.CreateSite(t.Context(), actor, boss.ID, hosting.NewSite{Name: "full.example", Storage: "5Gi", CPU: "1000m", Memory: "512Mi"}, false)
	o.must(err)
	o.rules.Scanning = &hosting.Scanning{Every: time.Hour}
	const many = 201
	o.must(o.rules.Store.Write(t.Context(), func(tx hosting.Tx) error {
		for i := range many {
			f := &hosting.Finding{ID: hosting.NewID(), Site: "full.example", Path: fmt.Appendf(nil, "/html/%d.php", i), State: hosting.FindingQuarantined, FoundAt: time.Now()}
			if err := tx.InsertFinding(t.Context(), f); err != nil {
				return err
			}
		}
		return nil
	}))
	listed := o.want([]string{"/html/200.php", "/html/0.php"}, "site", "findings", "list", "full.example")
	if got := strings.Count(listed, ".php"); got != many {
		t.Errorf("%d findings are listed, want %d", got, many)
	}
	o.want([]string{`"open": 201`}, "site", "findings", "list", "full.example", "-o", "json")
}
