package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
)

const selectFileJob = `SELECT id, site, account_id, deed, paths, target, began_at, beat_at, ended_at, state, cancel, size, entries, code, message, mend FROM file_jobs `

func scanFileJob(row scanner) (hosting.FileJob, error) {
	var j hosting.FileJob
	var paths string
	var began, beat, ended int64
	var problem hosting.Error
	err := row.Scan(&j.ID, &j.Site, &j.Account, &j.Do, &paths, &j.To, &began, &beat, &ended, &j.State, &j.Cancel, &j.Size, &j.Entries,
		&problem.Code, &problem.Message, &problem.Mend)
	if err != nil {
		return j, err
	}
	j.Began, j.Beat, j.Ended = moment(began), moment(beat), moment(ended)
	if problem.Code != "" {
		j.Problem = &problem
	}
	if err := json.Unmarshal([]byte(paths), &j.Paths); err != nil {
		return j, fmt.Errorf("read the paths of %s: %w", j.ID, err)
	}
	return j, nil
}

// FileJob implements hosting.FileJobReader.
func (q *queries) FileJob(ctx context.Context, site string, id hosting.ID) (*hosting.FileJob, error) {
	j, err := one(ctx, q, scanFileJob, selectFileJob+`WHERE site = ? AND id = ?`, site, id)
	return &j, answer("read a long change of files", err)
}

// FileJobs implements hosting.FileJobReader.
func (q *queries) FileJobs(ctx context.Context, site string) ([]hosting.FileJob, error) {
	// Their ids begin with when they were made (RFC 9562 section 5.7).
	all, err := list(ctx, q, scanFileJob, selectFileJob+`WHERE site = ? ORDER BY id DESC`, site)
	return all, answer("list long changes of files", err)
}

// CountFileJobs implements hosting.FileJobReader.
func (q *queries) CountFileJobs(ctx context.Context, site string, account hosting.ID, since time.Time) (inSite, own int64, err error) {
	const going = `SELECT COUNT(*) FROM file_jobs WHERE ended_at = 0 AND beat_at >= ? AND `
	inSite, err = q.number(ctx, going+`site = ?`, micros(since), site)
	if err == nil {
		own, err = q.number(ctx, going+`account_id = ?`, micros(since), account)
	}
	return inSite, own, answer("count long changes of files", err)
}

// InsertFileJob implements hosting.FileJobWriter.
func (q *queries) InsertFileJob(ctx context.Context, j *hosting.FileJob) error {
	paths, err := json.Marshal(j.Paths)
	if err != nil {
		return fmt.Errorf("write the paths of %s: %w", j.ID, err)
	}
	return answer("begin a long change of files", q.exec(ctx,
		`INSERT INTO file_jobs (id, site, account_id, deed, paths, target, began_at, beat_at, ended_at, state, cancel, size, entries, code, message, mend)
		VALUES (`+marks(16)+`)`,
		j.ID, j.Site, j.Account, j.Do, string(paths), j.To, micros(j.Began), micros(j.Beat), micros(j.Ended), j.State, truth(j.Cancel), j.Size, j.Entries, "", "", ""))
}

// UpdateFileJob implements hosting.FileJobWriter.
func (q *queries) UpdateFileJob(ctx context.Context, j *hosting.FileJob) error {
	var problem hosting.Error
	if j.Problem != nil {
		problem = *j.Problem
	}
	return answer("note how far a long change of files is", q.change(ctx,
		`UPDATE file_jobs SET beat_at = ?, ended_at = ?, state = ?, size = ?, entries = ?, code = ?, message = ?, mend = ? WHERE id = ?`,
		micros(j.Beat), micros(j.Ended), j.State, j.Size, j.Entries, problem.Code, problem.Message, problem.Mend, j.ID))
}

// CancelFileJob implements hosting.FileJobWriter.
func (q *queries) CancelFileJob(ctx context.Context, id hosting.ID) error {
	return answer("cancel a long change of files", q.change(ctx, `UPDATE file_jobs SET cancel = 1 WHERE id = ?`, id))
}

// DeleteFileJob implements hosting.FileJobWriter.
func (q *queries) DeleteFileJob(ctx context.Context, id hosting.ID) error {
	return answer("forget a long change of files", q.exec(ctx, `DELETE FROM file_jobs WHERE id = ?`, id))
}

// PruneFileJobs implements hosting.FileJobWriter.
func (q *queries) PruneFileJobs(ctx context.Context, site string, keep int, dead time.Time) error {
	return answer("forget long changes of files", q.exec(ctx,
		`DELETE FROM file_jobs WHERE site = ? AND (ended_at > 0 OR beat_at < ?)
		AND id NOT IN (SELECT id FROM file_jobs WHERE site = ? AND (ended_at > 0 OR beat_at < ?) ORDER BY id DESC LIMIT ?)`,
		site, micros(dead), site, micros(dead), keep))
}
