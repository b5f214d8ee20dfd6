package images_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// TestNoImageOfASiteOrThePlatformRunsAsRoot looks at the last USER of each
// Containerfile: Pod Security wants a number.
func TestNoImageOfASiteOrThePlatformRunsAsRoot(t *testing.T) {
	want := map[string]string{
		"nginx": "10000:10000", "nodejs": "10000:10000", "python": "10000:10000", "php": "10000:10000", "redis": "10000:10000", "toolbox": "10000:10000", "wordpress": "10000:10000",
		"mariadb": "10001:10001", "kubepanel": "10002:10002", "phpmyadmin": "10003:10003", "clamav": "10004:10004",
	}
	line := regexp.MustCompile(`(?m)^USER (\S+)$`)
	for name, user := range want {
		text, err := os.ReadFile(filepath.Join(name, "Containerfile"))
		if err != nil {
			t.Fatal(err)
		}
		found := line.FindAllSubmatch(text, -1)
		if len(found) == 0 || string(found[len(found)-1][1]) != user {
			t.Errorf("%s: USER = %q, want %s last", name, found, user)
		}
	}
}
