package cli

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kubepanel.io/kubepanel/internal/client"
	"kubepanel.io/kubepanel/internal/hosting"
)

// auditExport writes the trail out, the newest entry first.
type auditExport struct {
	env                *Env
	did, object, actor string
	from, to           string
	csv                bool

	entries int64
}

func newAuditExport(env *Env) *cobra.Command {
	x := &auditExport{env: env}
	cmd := env.with(wording{names: []string{"the file"}, optional: true}, &cobra.Command{Use: "export [FILE]", Short: "Write out all of the trail that you may see",
		Long: `Write out all of the trail that you may see, the newest entry first, to a file or to
standard output: one JSON object a line, or with --csv a table. A file that is here already
is replaced once all has come. What an administrator exports as JSON without a filter holds
every entry, and "kubepanel audit verify FILE" recalculates it, today or in years. In CSV a
text that a spreadsheet would take for a formula has a ' before it.`,
		Example: "  kubepanel audit export trail.jsonl\n  kubepanel audit export --csv --from 2026-01-01 --to 2026-02-01 january.csv\n  kubepanel audit export --did site.delete | jq .object"}, x.run)
	f := cmd.Flags()
	f.StringVar(&x.did, "did", "", "only this `action`, such as site.create")
	f.StringVar(&x.object, "object", "", "only what was done to this `name`")
	f.StringVar(&x.actor, "actor", "", "only what the account with this `address` did")
	f.StringVar(&x.from, "from", "", fromUsage)
	f.StringVar(&x.to, "to", "", toUsage)
	f.BoolVar(&x.csv, "csv", false, "as comma-separated values")
	return cmd
}

func (x *auditExport) run(ctx context.Context, api *client.ClientWithResponses, args []string) error {
	q, err := x.query(ctx, api)
	if err != nil {
		return err
	}
	body, err := client.Stream(api.ExportAudit(client.Long(ctx), q))
	if err != nil {
		return err
	}
	defer body.Close() // it is read
	if len(args) == 0 || args[0] == "-" {
		out := bufio.NewWriter(x.env.Out)
		return errors.Join(x.copy(out, body), out.Flush())
	}
	from, to := io.Pipe()
	go func() {
		out := bufio.NewWriter(to)
		err := x.copy(out, body)
		_ = to.CloseWithError(errors.Join(err, out.Flush())) // it never fails
	}()
	if _, err := keep(args[0], from); err != nil {
		return errors.Join(err, from.Close()) // which ends the writer
	}
	return x.env.done(map[string]any{"file": args[0], "entries": x.entries}, "Wrote %d entries to %s.", x.entries, clean(args[0]))
}

func (x *auditExport) query(ctx context.Context, api *client.ClientWithResponses) (*client.ExportAuditParams, error) {
	q := &client.ExportAuditParams{Did: optional(x.did), Object: optional(x.object)}
	var err error
	if q.From, err = parseMoment("from", x.from); err != nil {
		return nil, err
	}
	if q.To, err = parseMoment("to", x.to); err != nil {
		return nil, err
	}
	if x.actor != "" {
		id, err := userID(ctx, api, x.actor)
		if err != nil {
			return nil, err
		}
		q.Actor = &id
	}
	return q, nil
}

// How times are told to commands, and which are meant.
const (
	fromUsage = "only from this `time` on: 2026-01-31, or 2026-01-31T12:00:00Z"
	toUsage   = "only before this `time`"
)

// parseMoment reads a day, which begins at midnight here, or a time; "" is none.
func parseMoment(flag, text string) (*time.Time, error) {
	if text == "" {
		return nil, nil //nolint:nilnil // no time is wanted
	}
	if day, err := time.ParseInLocation(time.DateOnly, text, time.Local); err == nil {
		return &day, nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return nil, &hosting.Error{Code: hosting.Invalid, Message: fmt.Sprintf("--%s %q is no time; write it like 2026-01-31 or 2026-01-31T12:00:00Z.", flag, text)}
	}
	return &at, nil
}

// exported is an entry as it stands in an export. Its JSON is kept octet by octet: the
// chain of hashes is made of it.
type exported struct {
	Seq        int64           `json:"seq"`
	At         time.Time       `json:"at"`
	Did        string          `json:"did"`
	Object     string          `json:"object"`
	Actor      hosting.ID      `json:"actor"`
	ActorName  string          `json:"actorName"`
	Behind     hosting.ID      `json:"behind"`
	BehindName string          `json:"behindName"`
	Address    string          `json:"address"`
	Owner      hosting.ID      `json:"owner"`
	Reseller   hosting.ID      `json:"reseller"`
	Before     json.RawMessage `json:"before"`
	After      json.RawMessage `json:"after"`
	Hash       string          `json:"hash"`
}

// copy writes the entries that are wanted.
func (x *auditExport) copy(to io.Writer, from io.Reader) error {
	table := csv.NewWriter(to)
	if x.csv {
		if err := table.Write(auditColumns()); err != nil {
			return err
		}
	}
	err := eachEntry(from, func(line []byte, e *exported) error {
		x.entries++
		if x.csv {
			return table.Write(e.row())
		}
		_, err := to.Write(line)
		return err
	})
	if err != nil {
		return err
	}
	table.Flush()
	return table.Error()
}

// eachEntry calls see with every line of an export and the entry in it. It ends early
// with what see returns.
func eachEntry(from io.Reader, see func(line []byte, e *exported) error) error {
	lines := bufio.NewReader(from)
	for n := 1; ; n++ {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) && len(line) == 0 {
			return nil
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return &hosting.Error{Code: hosting.Unreachable, Message: "The trail was cut while it was read.", Mend: "Try again.", Err: err}
		}
		e := &exported{}
		if err := json.Unmarshal(line, e); err != nil || e.Seq < 1 {
			return &hosting.Error{Code: hosting.Invalid, Err: err, Message: fmt.Sprintf("Line %d is no entry of an audit trail.", n),
				Mend: "What can be read is an export as JSON, one entry a line: kubepanel audit export FILE"}
		}
		if err := see(line, e); err != nil {
			return err
		}
	}
}

func auditColumns() []string {
	return []string{"seq", "at", "did", "object", "actor", "actorName", "behind", "behindName", "address", "owner", "reseller", "before", "after", "hash"}
}

// row is an entry in the order of auditColumns.
func (e *exported) row() []string {
	row := []string{strconv.FormatInt(e.Seq, 10), e.At.UTC().Format(time.RFC3339Nano), e.Did, e.Object, string(e.Actor), e.ActorName, string(e.Behind), e.BehindName,
		e.Address, string(e.Owner), string(e.Reseller), string(e.Before), string(e.After), e.Hash}
	for i := range row {
		row[i] = noFormula(row[i])
	}
	return row
}

// noFormula keeps a spreadsheet from calculating what a stranger wrote (OWASP, CSV
// Injection).
func noFormula(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r\n", rune(text[0])) {
		return "'" + text
	}
	return text
}

// checkFile recalculates what is in a file: an export, or what a log server received.
func (e *Env) checkFile(name string) error {
	file, err := os.Open(name)
	if err != nil {
		return &hosting.Error{Code: hosting.Invalid, Message: "The file can't be read: " + name + ".", Err: err}
	}
	defer file.Close() // it was only read
	lines := bufio.NewReader(file)
	if begin, _ := lines.Peek(1); len(begin) > 0 && begin[0] != '{' {
		return e.checkReceived(lines)
	}
	return e.checkExport(lines)
}

func (e *Env) checkExport(from io.Reader) error {
	var trail hosting.TrailBackwards
	err := eachEntry(from, func(_ []byte, e *exported) error {
		return trail.See(hosting.Entry{Seq: e.Seq, At: e.At, Actor: e.Actor, Behind: e.Behind, ActorName: e.ActorName, BehindName: e.BehindName, Address: e.Address,
			Did: e.Did, Object: e.Object, Owner: e.Owner, Reseller: e.Reseller, Before: string(e.Before), After: string(e.After), Hash: e.Hash})
	})
	if err != nil {
		return err
	}
	entries, hash, err := trail.End()
	if err != nil {
		return err
	}
	return e.done(map[string]any{"entries": entries, "hash": hash}, "All %d entries are as they were written; the newest has the hash\n%s", entries, hash)
}
