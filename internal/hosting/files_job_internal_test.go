package hosting

import (
	"testing"
	"time"
)

// Three jobs are under way in a site, and of an account, at most; what has ended is seen
// for a while, and no more than jobsKept of a site.
func TestFileJobsAreBounded(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	j := &FileJobs{}
	var first []*FileJob
	for i := range jobsAtOnce {
		job := &FileJob{Began: now, account: NewID()}
		first = append(first, job)
		if err := j.begin("site", job); err != nil {
			t.Fatalf("job %d: %v", i, err)
		}
	}
	if err := j.begin("site", &FileJob{Began: now, account: "jo"}); CodeOf(err) != Limited {
		t.Errorf("a site has one more: %v", err)
	}
	for i := range jobsAtOnce {
		if err := j.begin(string(rune('a'+i)), &FileJob{Began: now, account: "jo"}); err != nil {
			t.Fatalf("job %d of an account: %v", i, err)
		}
	}
	if err := j.begin("z", &FileJob{Began: now, account: "jo"}); CodeOf(err) != Limited {
		t.Errorf("an account has one more: %v", err)
	}
	for _, job := range first {
		job.Ended = now
	}
	for range 2 * jobsKept {
		if err := j.begin("site", &FileJob{Began: now, Ended: now, account: "ann"}); err != nil {
			t.Fatal(err)
		}
	}
	if j.forget("site", now); len(j.sites["site"]) != jobsKept {
		t.Errorf("%d jobs that ended are kept", len(j.sites["site"]))
	}
	if j.forget("site", now.Add(jobKept+time.Second)); len(j.sites["site"]) != 0 {
		t.Errorf("%d jobs are kept for good", len(j.sites["site"]))
	}
	if len(j.sites) != jobsAtOnce {
		t.Errorf("jobs that are under way are forgotten: %v", j.sites)
	}
}
