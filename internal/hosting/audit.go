package hosting

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Entry is one line of the audit trail: who did what to what, from where. Entries
// are only ever added, and each carries the hash of the one before, so that a line
// that was changed, removed or put in between is found.
type Entry struct {
	Seq int64
	At  time.Time
	// Actor did it; Behind really sat there when it was for support.
	Actor, Behind         ID
	ActorName, BehindName string
	Address               string
	// Did is the right that was used, or what happened to an account: sign-in.done.
	Did string
	// Object is what it was done to: a site's name, an account's address.
	Object string
	// Owner is the account whose trail this belongs to, Reseller whose customer that is.
	Owner, Reseller ID
	// Before and After are JSON without any secret; empty for what did not exist.
	Before, After string
	Hash          string
}

// Refused tells whether somebody was refused what the entry is about.
func (e *Entry) Refused() bool {
	return strings.HasSuffix(e.Did, ".refused") || e.Did == "application.replay"
}

// Chain returns the hash of an entry that follows one with the hash prev. Every
// field goes in with its length, so that no two entries have the same text.
func (e *Entry) Chain(prev string) string {
	h := sha256.New()
	for _, field := range []string{prev, strconv.FormatInt(e.Seq, 10), strconv.FormatInt(e.At.UnixMicro(), 10),
		string(e.Actor), string(e.Behind), e.ActorName, e.BehindName, e.Address, e.Did,
		e.Object, string(e.Owner), string(e.Reseller), e.Before, e.After} {
		fmt.Fprintf(h, "%d:%s,", len(field), field)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Line is an entry as it is exported, one JSON object a line: what "kubepanel audit verify"
// recalculates, so its fields are never taken away.
type Line struct {
	Seq        int64           `json:"seq"`
	At         time.Time       `json:"at"`
	Did        string          `json:"did"`
	Object     string          `json:"object"`
	Actor      ID              `json:"actor,omitempty"`
	ActorName  string          `json:"actorName"`
	Behind     ID              `json:"behind,omitempty"`
	BehindName string          `json:"behindName,omitempty"`
	Address    string          `json:"address,omitempty"`
	Owner      ID              `json:"owner,omitempty"`
	Reseller   ID              `json:"reseller,omitempty"`
	Before     json.RawMessage `json:"before,omitempty"`
	After      json.RawMessage `json:"after,omitempty"`
	Hash       string          `json:"hash"`
}

// Line returns the entry as it is exported.
func (e *Entry) Line() Line {
	return Line{Seq: e.Seq, At: e.At, Did: e.Did, Object: e.Object, Actor: e.Actor, ActorName: e.ActorName, Behind: e.Behind, BehindName: e.BehindName,
		Address: e.Address, Owner: e.Owner, Reseller: e.Reseller, Before: json.RawMessage(e.Before), After: json.RawMessage(e.After), Hash: e.Hash}
}

// AuditQuery says which entries are wanted, the newest first: of the whole trail in the order
// of their numbers, of a part in the order of their times. The two differ where the clocks of
// several panels do.
type AuditQuery struct {
	Did    string
	Object string
	Actor  ID
	// By is the address of an account, instead of its ID: only what that one did.
	By string
	// From is the first moment that is wanted and To the first that is not any more; zero for
	// no bound.
	From, To time.Time
	Before   int64 // the Seq that the page before ended with; 0 for the newest
	Limit    int

	// Owner and Reseller narrow to what the actor may see; set by rules.
	Owner, Reseller ID
}

// Narrowed tells whether not the whole trail is wanted.
func (q *AuditQuery) Narrowed() bool {
	return q.Did != "" || q.Object != "" || q.Actor != "" || !q.From.IsZero() || !q.To.IsZero() || q.Owner != "" || q.Reseller != ""
}

// change is what an entry tells beyond who and when.
type change struct {
	did           Right
	object        string
	on            Object
	before, after any
	// made is what a request made, as addresses name it; undone says that it is not there
	// after all.
	made   string
	undone bool
}

// entry makes an audit entry of a change by an actor. The store gives it its
// number and its hash.
func entry(a Actor, at time.Time, c change) (*Entry, error) {
	e := &Entry{At: at.UTC().Truncate(time.Microsecond), Actor: a.ID, ActorName: a.Name, Behind: a.Behind, BehindName: a.BehindName,
		Did: string(c.did), Object: c.object, Owner: c.on.Owner, Reseller: c.on.Reseller}
	if a.Address.IsValid() {
		e.Address = a.Address.String()
	}
	var err error
	if e.Before, err = record(c.before); err != nil {
		return nil, err
	}
	e.After, err = record(c.after)
	return e, err
}

func record(v any) (string, error) {
	if v == nil {
		return "", nil
	}
	data, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("write an audit entry: %w", err)
	}
	return string(data), nil
}
