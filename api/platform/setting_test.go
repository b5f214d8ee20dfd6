package platform_test

import (
	"reflect"
	"strings"
	"testing"

	"kubepanel.io/kubepanel/api/platform"
)

// runtime is one with a setting of each type.
func runtime() platform.Runtime {
	return platform.Runtime{Settings: map[string]platform.Setting{
		"app":       {Type: platform.SettingString, Pattern: "[a-z]+:[a-z]+"},
		"buffering": {Type: platform.SettingBoolean, Default: "true"},
		"interface": {Type: platform.SettingEnum, Default: "auto", Values: []string{"auto", "wsgi"}},
		"prepare":   {Type: platform.SettingLines},
		"upload":    {Type: platform.SettingSize, Default: "64M"},
		"workers":   {Type: platform.SettingInteger, Default: "1", Minimum: new(int64(1)), Maximum: new(int64(32))},
	}}
}

func TestReadSettings(t *testing.T) {
	defaults := map[string]any{
		"app": "", "buffering": true, "interface": "auto", "prepare": "", "upload": "64M", "workers": int64(1),
	}
	tests := map[string]struct {
		give map[string]string
		want map[string]any // what differs from the defaults
		told string         // what the one fault says; "" for none
	}{
		"nothing":                {},
		"each type":              {give: map[string]string{"app": "a:b", "buffering": "false", "interface": "wsgi", "prepare": "a\nb", "upload": "1G", "workers": "32"}, want: map[string]any{"app": "a:b", "buffering": false, "interface": "wsgi", "prepare": "a\nb", "upload": "1G", "workers": int64(32)}},
		"unknown":                {give: map[string]string{"colour": "red"}, told: `colour: there is no such setting; there are: app, buffering`},
		"below the minimum":      {give: map[string]string{"workers": "0"}, told: "a whole number from 1 to 32"},
		"no number":              {give: map[string]string{"workers": "1e1"}, told: "a whole number from 1 to 32"},
		"too large for a number": {give: map[string]string{"workers": "99999999999999999999"}, told: "workers: "},
		"no boolean":             {give: map[string]string{"buffering": "yes"}, told: "true or false"},
		"none of the values":     {give: map[string]string{"interface": "cgi"}, told: "one of auto, wsgi"},
		"no size":                {give: map[string]string{"upload": "64 MB"}, told: "a size such as 64M"},
		"pattern in the middle":  {give: map[string]string{"app": "x a:b"}, told: "matches [a-z]+:[a-z]+"},
		"a second line":          {give: map[string]string{"app": "a:b\n"}, told: "app: "},
		"a control character":    {give: map[string]string{"prepare": "a\x1b[2J"}, told: "lines of text"},
		"too long":               {give: map[string]string{"prepare": strings.Repeat("a", 5000)}, told: "prepare: "},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			want := map[string]any{}
			for key, value := range defaults {
				want[key] = value
			}
			for key, value := range tt.want {
				want[key] = value
			}
			got, faults := runtime().ReadSettings(tt.give)
			if !reflect.DeepEqual(got, want) {
				t.Errorf("ReadSettings(%v) = %v, want %v", tt.give, got, want)
			}
			if told := strings.Join(faults, "\n"); (told == "") != (tt.told == "") || !strings.Contains(told, tt.told) {
				t.Errorf("ReadSettings(%v) tells %q, want %q", tt.give, told, tt.told)
			}
		})
	}
}

func TestRuntimeWithoutSettingsSaysSo(t *testing.T) {
	_, faults := platform.Runtime{}.ReadSettings(map[string]string{"a": "b"})
	if len(faults) != 1 || !strings.Contains(faults[0], "has no settings") {
		t.Errorf("faults = %q", faults)
	}
}

// FuzzReadSetting: what is refused leaves the type's zero value, and no text with
// a control character is ever taken.
func FuzzReadSetting(f *testing.F) {
	for _, value := range []string{"", "1", "-1", "a:b", "true", "64M", "a\nb", "\x00", "\u202e"} {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		for name, s := range runtime().Settings {
			got, err := s.Read(value)
			text, isText := got.(string)
			if err != nil && !reflect.ValueOf(got).IsZero() {
				t.Errorf("%s: Read(%q) = %v with %v", name, value, got, err)
			}
			if isText && strings.ContainsAny(text, "\x00\r\x1b") {
				t.Errorf("%s: Read(%q) = %q", name, value, text)
			}
		}
	})
}
