package platform

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Types of a setting's value.
const (
	SettingString  = "string"  // one line
	SettingLines   = "lines"   // any number of lines
	SettingInteger = "integer" // within Minimum and Maximum
	SettingSize    = "size"    // bytes, with K, M or G behind: 64M
	SettingBoolean = "boolean" // true or false
	SettingEnum    = "enum"    // one of Values
)

// maxSettingLength of a text, in bytes: settings reach a program's environment
// and configuration, which are no place for documents.
const maxSettingLength = 4096

var (
	settingName = regexp.MustCompile(`^[a-z][A-Za-z0-9]{0,62}$`)
	settingSize = regexp.MustCompile(`^[0-9]{1,9}[KMG]?$`)
)

// Setting says what one key of workload.settings may be.
type Setting struct {
	Type string `json:"type"`
	// Default is what a site has that doesn't say; "" is false, 0 or no text.
	Default Text `json:"default,omitempty"`
	// Minimum and Maximum bound an integer.
	Minimum *int64 `json:"minimum,omitempty"`
	Maximum *int64 `json:"maximum,omitempty"`
	// Pattern is a regular expression (RE2) that the whole of a text matches.
	Pattern string `json:"pattern,omitempty"`
	// Values of an enum.
	Values []string `json:"values,omitempty"`
	// Description is for people, in a sentence.
	Description string `json:"description,omitempty"`
}

// Text is a string that may be written as a number or a boolean in YAML.
type Text string

// UnmarshalJSON takes a text as it is, and a number or a boolean as it is written.
func (t *Text) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err == nil {
		*t = Text(text)
		return nil
	}
	if data[0] == '{' || data[0] == '[' {
		return fmt.Errorf("%s is no text, number or boolean", data)
	}
	*t = Text(data)
	return nil
}

// ReadSettings returns what the settings of a site come to, defaults included, as
// string, int64 or bool; and a sentence, which begins with the key, for each that
// is unknown or has a value that can't be: its default stands then.
func (r Runtime) ReadSettings(values map[string]string) (settings map[string]any, faults []string) {
	settings = map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(r.Settings)) {
		s := r.Settings[name]
		settings[name], _ = s.Read(string(s.Default))
		given, ok := values[name]
		if !ok {
			continue
		}
		value, err := s.Read(given)
		if err != nil {
			faults = append(faults, fmt.Sprintf("%s: %q is not a value it can have; it takes %s", name, given, s.Takes()))
			continue
		}
		settings[name] = value
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if _, ok := r.Settings[name]; !ok {
			faults = append(faults, r.unknown(name))
		}
	}
	return settings, faults
}

// unknown says of a key that there is none of that name, and which there are.
func (r Runtime) unknown(name string) string {
	if len(r.Settings) == 0 {
		return name + ": there is no such setting; this runtime has no settings"
	}
	return name + ": there is no such setting; there are: " + strings.Join(slices.Sorted(maps.Keys(r.Settings)), ", ")
}

// errSetting says that a value is not one that the setting takes.
var errSetting = errors.New("not a value of this setting")

// Read returns the value as string, int64 or bool. "" is the zero value of each type.
func (s Setting) Read(value string) (any, error) {
	switch s.Type {
	case SettingInteger:
		return s.readInteger(value)
	case SettingBoolean:
		if value != "" && value != "true" && value != "false" {
			return false, errSetting
		}
		return value == "true", nil
	case SettingEnum:
		if !slices.Contains(s.Values, value) {
			return "", errSetting
		}
	case SettingSize:
		if value != "" && !settingSize.MatchString(value) {
			return "", errSetting
		}
	default:
		if !s.isText(value) {
			return "", errSetting
		}
	}
	return value, nil
}

func (s Setting) readInteger(value string) (any, error) {
	if value == "" {
		value = "0"
	}
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil || s.Minimum != nil && n < *s.Minimum || s.Maximum != nil && n > *s.Maximum {
		return int64(0), errSetting
	}
	return n, nil
}

// isText keeps out what no configuration file and no terminal should meet.
func (s Setting) isText(value string) bool {
	control := func(r rune) bool { return unicode.IsControl(r) && (r != '\n' || s.Type != SettingLines) }
	if len(value) > maxSettingLength || !utf8.ValidString(value) || strings.ContainsFunc(value, control) {
		return false
	}
	pattern, err := s.pattern()
	return err == nil && (value == "" || pattern.MatchString(value))
}

func (s Setting) pattern() (*regexp.Regexp, error) {
	if s.Pattern == "" {
		return regexp.Compile("")
	}
	return regexp.Compile(`^(?:` + s.Pattern + `)$`)
}

// Takes says in a few words what a value may be, for messages to people.
func (s Setting) Takes() string {
	switch {
	case s.Type == SettingEnum:
		return "one of " + strings.Join(s.Values, ", ")
	case s.Type == SettingBoolean:
		return "true or false"
	case s.Type == SettingSize:
		return "a size such as 64M"
	case s.Type == SettingInteger && s.Minimum != nil && s.Maximum != nil:
		return fmt.Sprintf("a whole number from %d to %d", *s.Minimum, *s.Maximum)
	case s.Type == SettingInteger && s.Minimum != nil:
		return fmt.Sprintf("a whole number from %d on", *s.Minimum)
	case s.Type == SettingInteger:
		return "a whole number"
	case s.Type == SettingLines:
		return "lines of text"
	case s.Pattern != "":
		return "a text that matches " + s.Pattern
	}
	return "one line of text"
}

// settingFaults checks the schema itself.
func (r Runtime) settingFaults(key string) []error {
	var faults []error
	for _, name := range slices.Sorted(maps.Keys(r.Settings)) {
		s, at := r.Settings[name], key+".settings."+name
		if !settingName.MatchString(name) {
			faults = append(faults, fmt.Errorf("%s: write the name in camelCase letters and digits", at))
		}
		types := []string{SettingString, SettingLines, SettingInteger, SettingSize, SettingBoolean, SettingEnum}
		if !slices.Contains(types, s.Type) {
			faults = append(faults, fmt.Errorf("%s.type: %q is none of %s", at, s.Type, strings.Join(types, ", ")))
		}
		if _, err := s.pattern(); err != nil {
			faults = append(faults, fmt.Errorf("%s.pattern: %w", at, err))
		}
		if _, err := s.Read(string(s.Default)); err != nil {
			faults = append(faults, fmt.Errorf("%s.default: %q is not one of its own values; it takes %s", at, s.Default, s.Takes()))
		}
	}
	return faults
}
