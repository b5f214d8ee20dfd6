package wordpress

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Settings are the parts of wordpress.json that concern files. The rest is
// read by PHP.
type Settings struct {
	Locale string `json:"locale"`
}

// ReadSettings reads wordpress.json. A missing file is the default.
func ReadSettings(path string) (Settings, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Settings{}, nil
	}
	if err != nil {
		return Settings{}, fmt.Errorf("read the settings: %w", err)
	}
	return ParseSettings(text)
}

// ParseSettings decodes wordpress.json.
func ParseSettings(text []byte) (Settings, error) {
	var s Settings
	if err := json.Unmarshal(text, &s); err != nil {
		return Settings{}, fmt.Errorf("read the settings: %w", err)
	}
	return s, nil
}
