package v1alpha1_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// Whatever JSON a customer writes as a setting is read, and stays what it was
// when a program of ours writes the Domain back.
func FuzzSettingKeepsWhatItRead(f *testing.F) {
	for _, seed := range []string{`"256M"`, `30`, `true`, `null`, `[1,"a"]`, `{"a":{}}`, `"\u0000"`, `-1e9`, ` 1 `} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var read v1alpha1.Setting
		err := json.Unmarshal(data, &read)
		if (err == nil) != json.Valid(data) {
			t.Fatalf("Unmarshal(%q) = %v, valid JSON: %v", data, err, json.Valid(data))
		}
		if err != nil {
			return
		}
		text, err := json.Marshal(read)
		if err != nil {
			t.Fatal(err)
		}
		var again v1alpha1.Setting
		if err := json.Unmarshal(text, &again); err != nil || again != read {
			t.Errorf("%q became %q, then %q (%v)", data, read, again, err)
		}
		if bytes.HasPrefix(data, []byte("3")) && string(read) != string(data) && bytes.Equal(bytes.TrimSpace(data), data) {
			t.Errorf("number %q became %q", data, read)
		}
	})
}
