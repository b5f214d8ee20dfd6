package cli

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
)

// element begins the structured data of the panel's messages (RFC 5424 section 6.3).
const element = "[kubepanel@32473 "

// maxMessage bounds a line of a log server's file, in octets.
const maxMessage = 1 << 20

// checkReceived recalculates the entries in what a log server received, a message a line.
// Lines without a number of the trail's are others': refusals, other programs.
func (e *Env) checkReceived(from io.Reader) error {
	var trail hosting.TrailForwards
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, maxMessage)
	for n := 1; lines.Scan(); n++ {
		entry, err := parseMessage(lines.Text())
		if err != nil {
			return &hosting.Error{Code: hosting.Invalid, Err: err, Message: fmt.Sprintf("Line %d is no whole entry of an audit trail.", n),
				Mend: "Let the log server keep messages as they came, and as long as 64 kB."}
		}
		if entry == nil {
			continue
		}
		if err := trail.See(*entry); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return &hosting.Error{Code: hosting.Invalid, Message: "The file can't be read to its end.", Err: err}
	}
	first, last, hash, err := trail.End()
	if err != nil {
		return err
	}
	if first == 0 {
		return &hosting.Error{Code: hosting.Invalid, Message: "The file has no entry of an audit trail.", Mend: "Name an export as JSON, or what a log server wrote down as it came."}
	}
	return e.done(map[string]any{"first": first, "entries": last - first + 1, "hash": hash}, "Entries %d to %d are as they were written; the newest has the hash\n%s", first, last, hash)
}

// parseMessage reads the entry out of a message; nil for one that has none.
func parseMessage(line string) (*hosting.Entry, error) {
	head, data, ours := strings.Cut(line, element)
	if !ours {
		return nil, nil
	}
	values, err := parseElement(data)
	if err != nil || values["seq"] == "" {
		return nil, err
	}
	e := &hosting.Entry{Actor: hosting.ID(values["actor"]), Behind: hosting.ID(values["behind"]), ActorName: values["actorName"], BehindName: values["behindName"], Address: values["address"],
		Did: values["did"], Object: values["object"], Owner: hosting.ID(values["owner"]), Reseller: hosting.ID(values["reseller"]), Before: values["before"], After: values["after"], Hash: values["hash"]}
	if e.Seq, err = strconv.ParseInt(values["seq"], 10, 64); err != nil || e.Seq < 1 {
		return nil, fmt.Errorf("the number %q is none", values["seq"])
	}
	for word := range strings.FieldsSeq(head) {
		if e.At, err = time.Parse(time.RFC3339Nano, word); err == nil {
			return e, nil
		}
	}
	return nil, fmt.Errorf("entry %d has no time", e.Seq)
}

// parseElement reads the parameters behind the name of an element (RFC 5424 section 6.3.3).
func parseElement(data string) (map[string]string, error) {
	values := map[string]string{}
	for {
		data = strings.TrimLeft(data, " ")
		if strings.HasPrefix(data, "]") {
			return values, nil
		}
		name, rest, ok := strings.Cut(data, `="`)
		if !ok {
			return nil, fmt.Errorf("the structured data breaks off at %.20q", data)
		}
		var value strings.Builder
		end := -1
		for i := 0; i < len(rest) && end < 0; i++ {
			switch c := rest[i]; {
			case c == '"':
				end = i
			case c == '\\' && i+1 < len(rest) && strings.IndexByte(`"\]`, rest[i+1]) >= 0:
				i++
				value.WriteByte(rest[i])
			default:
				value.WriteByte(c)
			}
		}
		if end < 0 {
			return nil, fmt.Errorf("the value of %.20q has no end", name)
		}
		values[name], data = value.String(), rest[end+1:]
	}
}
