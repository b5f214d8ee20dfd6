package openid

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// What programs ask of the panel the edge refuses by plain HTTP, and what browsers ask it
// leads on. The chart tells it which is which.
func TestChartTellsProgramsFromBrowsers(t *testing.T) {
	chart, err := os.ReadFile(filepath.Join("..", "..", "..", "deploy", "kubepanel", "templates", "panel.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(chart), "kubepanel.io/https-only: ")
	if !found {
		t.Fatal("the chart says of no path of the panel that it is for HTTPS only")
	}
	line, _, _ := strings.Cut(rest, "\n")
	refused := func(path string) bool {
		return slices.ContainsFunc(strings.Split(line, ","), func(p string) bool {
			return path == p || strings.HasPrefix(path, p+"/")
		})
	}
	for path, want := range map[string]bool{
		"/api/v1/sites": true, pathDiscovery: true, pathKeys: true, pathToken: true, pathUserinfo: true,
		PathAuthorize: false, PathLeave: false, "/": false, "/sign-in": false,
	} {
		if got := refused(path); got != want {
			t.Errorf("plain requests for %s are refused = %v by %q, want %v", path, got, line, want)
		}
	}
}
