package web

import "time"

// formTime is how a browser's field for a time writes it.
const formTime = "2006-01-02T15:04"

// moment reads a time that was typed, in a zone; the zero one for nothing, and for what is
// no time, which is noted.
func (f faults) moment(in *frame, name, text string, zone *time.Location) time.Time {
	if text == "" {
		return time.Time{}
	}
	at, err := time.ParseInLocation(formTime, text, zone)
	if err != nil {
		f.fields[name] = in.T("Write a time such as %s.", in.now.In(zone).Format(formTime))
		return time.Time{}
	}
	return at
}

// field is one for a time.
func (f faults) field(name, label, value string) inputField {
	i := inputField{Name: name, Label: label, Type: "datetime-local", Value: value, Fault: f.Of(name), LTR: true}
	if _, err := time.Parse(formTime, value); value != "" && err != nil {
		i.Type = "text" // a browser empties a field of times that has none in it
	}
	return i
}
