package syslog

import (
	"strconv"
	"strings"
	"time"
	"unicode"

	"kubepanel.io/kubepanel/internal/hosting"
)

// Parts of a message's beginning (RFC 5424 sections 6.1 and 6.2).
const (
	facilityAudit   = 13 // log audit
	severityWarning = 4
	severityNotice  = 5

	appName = "kubepanel"
	// element names our structured data. The panel has no enterprise number of its own, so it
	// has the one that is for examples (RFC 5612).
	element = "kubepanel@32473"

	// timeFormat has microseconds, which is what the hash of an entry knows, and all that
	// RFC 5424 allows.
	timeFormat = "2006-01-02T15:04:05.000000Z07:00"

	// refused is the outcome of what was refused, and the MSGID of what stands in no trail.
	refused = "refused"

	maxHost = 255
	maxID   = 32
)

// message is one of RFC 5424, of which the rest is the same for all.
type message struct {
	at     time.Time
	id     string
	bad    bool // a warning
	params []param
	text   string
}

// entryMessage tells an entry. Its structured data has all that the entry's hash is made of.
func entryMessage(e *hosting.Entry) message {
	return message{at: e.At, id: e.Did, bad: e.Refused(), params: params(e), text: text(e)}
}

// refusalMessage tells a refusal, which has no number.
func refusalMessage(r *Refusal) message {
	params := []param{{"outcome", refused}, {"code", string(r.Code)}, {"doing", r.Doing}, {"actor", string(r.Actor.ID)}, {"actorName", r.Actor.Name},
		{"behind", string(r.Actor.Behind)}, {"behindName", r.Actor.BehindName}}
	if r.Actor.Address.IsValid() {
		params = append(params, param{"address", r.Actor.Address.String()})
	}
	return message{at: r.At, id: refused, bad: true, params: params, text: line(who(r.Actor.Name, r.Actor.BehindName) + ": refused " + r.Doing)}
}

// missedMessage tells that there were more refusals than are held.
func missedMessage(at time.Time, count int64) message {
	missed := strconv.FormatInt(count, 10)
	return message{at: at, id: refused, bad: true, params: []param{{"outcome", refused}, {"missed", missed}}, text: missed + " more refusals, which were not kept"}
}

// append appends it as it is sent; what is empty is left out.
func (m *message) append(to []byte, host string) []byte {
	severity := severityNotice
	if m.bad {
		severity = severityWarning
	}
	to = append(to, '<')
	to = strconv.AppendInt(to, facilityAudit*8+int64(severity), 10)
	to = append(to, ">1 "...)
	to = m.at.UTC().AppendFormat(to, timeFormat)
	to = append(to, ' ')
	to = append(to, plain(host, maxHost)...)
	to = append(to, " "+appName+" - "...)
	to = append(to, plain(m.id, maxID)...)
	to = append(to, " ["+element...)
	for _, p := range m.params {
		if p.value != "" {
			to = append(to, ' ')
			to = append(to, p.name...)
			to = append(to, `="`...)
			to = appendValue(to, p.value)
			to = append(to, '"')
		}
	}
	// The mark says that the text is UTF-8 (section 6.4).
	to = append(to, "] \ufeff"...)
	return append(to, m.text...)
}

type param struct{ name, value string }

// params are named as the API names them. What may be long comes last, so that a server
// that cuts messages leaves the rest.
func params(e *hosting.Entry) []param {
	outcome := "done"
	if e.Refused() {
		outcome = refused
	}
	return []param{
		{"seq", strconv.FormatInt(e.Seq, 10)}, {"hash", e.Hash}, {"did", e.Did}, {"outcome", outcome}, {"object", e.Object},
		{"actor", string(e.Actor)}, {"actorName", e.ActorName}, {"behind", string(e.Behind)}, {"behindName", e.BehindName}, {"address", e.Address},
		{"owner", string(e.Owner)}, {"reseller", string(e.Reseller)}, {"before", e.Before}, {"after", e.After},
	}
}

// appendValue appends a value as it stands between quotes (RFC 5424 section 6.3.3).
func appendValue(to []byte, value string) []byte {
	for _, r := range strings.ToValidUTF8(value, string(unicode.ReplacementChar)) {
		if r == '"' || r == '\\' || r == ']' {
			to = append(to, '\\')
		}
		to = append(to, string(r)...)
	}
	return to
}

// plain is a word of the header: visible ASCII, and - for nothing.
func plain(word string, most int) string {
	word = strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return '?'
		}
		return r
	}, word)
	if word == "" {
		return "-"
	}
	return word[:min(len(word), most)]
}

// text says on one line who did what, for people.
func text(e *hosting.Entry) string {
	said := who(e.ActorName, e.BehindName) + ": " + e.Did
	if e.Object != "" {
		said += " " + e.Object
	}
	return line(said)
}

// who is whose deed it is, behind whom support sat.
func who(name, behind string) string {
	if behind != "" {
		return behind + " as " + name
	}
	return name
}

// line is a text without what would end a line.
func line(said string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(said, string(unicode.ReplacementChar)))
}
