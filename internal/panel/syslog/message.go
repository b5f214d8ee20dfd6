package syslog

import (
	"strconv"
	"strings"
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

	maxHost = 255
	maxID   = 32
)

// appendMessage appends an entry as a message of RFC 5424. Its structured data has all
// that the hash of the entry is made of; what is empty is left out.
func appendMessage(to []byte, host string, e *hosting.Entry) []byte {
	severity := severityNotice
	if e.Refused() {
		severity = severityWarning
	}
	to = append(to, '<')
	to = strconv.AppendInt(to, facilityAudit*8+int64(severity), 10)
	to = append(to, ">1 "...)
	to = e.At.UTC().AppendFormat(to, timeFormat)
	to = append(to, ' ')
	to = append(to, plain(host, maxHost)...)
	to = append(to, " "+appName+" - "...)
	to = append(to, plain(e.Did, maxID)...)
	to = append(to, " ["+element...)
	for _, p := range params(e) {
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
	return append(to, text(e)...)
}

type param struct{ name, value string }

// params are named as the API names them. What may be long comes last, so that a server
// that cuts messages leaves the rest.
func params(e *hosting.Entry) []param {
	outcome := "done"
	if e.Refused() {
		outcome = "refused"
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
	said := e.ActorName
	if e.BehindName != "" {
		said = e.BehindName + " as " + said
	}
	said += ": " + e.Did
	if e.Object != "" {
		said += " " + e.Object
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(said, string(unicode.ReplacementChar)))
}
