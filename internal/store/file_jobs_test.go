package store_test

import (
	"testing"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
)

// What is under way counts, what gives no more signs of life does not; how far it is, how
// it ended and that somebody wants it to end are kept apart, and all of it goes with its
// site.
func TestFileJobs(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		h := newHouse(t, address)
		jo := h.user(t, h.boss, "jo@shop.example", hosting.Customer, h.pack(t, h.boss, "Any", nil))
		h.site(t, jo, "a.example")
		h.site(t, jo, "b.example")
		ctx, now := t.Context(), time.Now().Truncate(time.Microsecond).UTC()
		write := func(do func(tx hosting.Tx) error) { t.Helper(); must(t, h.Store.Write(ctx, do)) }
		begin := func(site string, account hosting.ID, beat time.Time) hosting.FileJob {
			j := hosting.FileJob{ID: hosting.NewID(), Site: site, Account: account, Do: "pack", Paths: []string{`/a "b"`, "/ü"}, To: "/all.zip", Began: now, Beat: beat, State: hosting.JobRunning}
			write(func(tx hosting.Tx) error { return tx.InsertFileJob(ctx, &j) })
			return j
		}
		dead := begin("a.example", jo.ID, now.Add(-time.Hour))
		one, other := begin("a.example", jo.ID, now), begin("b.example", jo.ID, now)
		begin("a.example", "somebody", now)
		inSite, own, err := h.Store.CountFileJobs(ctx, "a.example", jo.ID, now.Add(-time.Minute))
		must(t, err)
		if inSite != 2 || own != 2 {
			t.Errorf("CountFileJobs = %d in the site, %d of jo, want 2 and 2: what died does not count", inSite, own)
		}
		write(func(tx hosting.Tx) error { return tx.CancelFileJob(ctx, one.ID) })
		one.Size, one.Entries, one.Beat = 1<<40, 7, now.Add(time.Second)
		write(func(tx hosting.Tx) error { return tx.UpdateFileJob(ctx, &one) })
		got, err := h.Store.FileJob(ctx, "a.example", one.ID)
		must(t, err)
		if !got.Cancel || got.Size != 1<<40 || got.Entries != 7 || !got.Beat.Equal(one.Beat) || !got.Ended.IsZero() || got.Problem != nil || len(got.Paths) != 2 || got.Paths[0] != `/a "b"` {
			t.Errorf("FileJob = %+v: how far it is and that it is to end are two things", got)
		}
		one.State, one.Ended, one.Problem = hosting.JobFailed, now, &hosting.Error{Code: hosting.OverQuota, Message: "Full.", Mend: "Make room."}
		write(func(tx hosting.Tx) error { return tx.UpdateFileJob(ctx, &one) })
		if got, err = h.Store.FileJob(ctx, "a.example", one.ID); err != nil || got.State != hosting.JobFailed || !got.Ended.Equal(now) || got.Problem == nil || got.Problem.Error() != one.Problem.Error() {
			t.Errorf("FileJob that failed = %+v, %v", got, err)
		}
		_, err = h.Store.FileJob(ctx, "b.example", one.ID)
		wantCode(t, "FileJob of another site", err, hosting.NotFound)
		all, err := h.Store.FileJobs(ctx, "a.example")
		must(t, err)
		if len(all) != 3 || all[2].ID != dead.ID {
			t.Errorf("FileJobs = %+v, want the newest first", all)
		}
		// The newest that ended stay, and what is under way.
		write(func(tx hosting.Tx) error { return tx.PruneFileJobs(ctx, "a.example", 1, now.Add(-time.Minute)) })
		if all, err = h.Store.FileJobs(ctx, "a.example"); err != nil || len(all) != 2 || all[1].ID != one.ID {
			t.Errorf("FileJobs after pruning = %+v, %v", all, err)
		}
		write(func(tx hosting.Tx) error { return tx.DeleteFileJob(ctx, one.ID) })
		_, err = h.Store.FileJob(ctx, "a.example", one.ID)
		wantCode(t, "FileJob that was forgotten", err, hosting.NotFound)
		write(func(tx hosting.Tx) error { return tx.DeleteSite(ctx, "b.example") })
		err = h.Store.Write(ctx, func(tx hosting.Tx) error { return tx.UpdateFileJob(ctx, &other) })
		wantCode(t, "UpdateFileJob of a site that is gone", err, hosting.NotFound)
		write(func(tx hosting.Tx) error { return tx.Sweep(ctx, now.Add(2*hosting.FileJobsKept)) })
		if all, err = h.Store.FileJobs(ctx, "a.example"); err != nil || len(all) != 0 {
			t.Errorf("FileJobs after two days = %+v, %v", all, err)
		}
	})
}
