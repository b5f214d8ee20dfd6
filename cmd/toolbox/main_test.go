package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestWrongUseIsExplained(t *testing.T) {
	tests := map[string]struct {
		args []string
		code int
		says string
	}{
		"nothing":            {code: exitUsage, says: "toolbox serve"},
		"unknown verb":       {args: []string{"shell"}, code: exitUsage, says: "toolbox serve"},
		"help":               {args: []string{"--help"}, says: "toolbox serve"},
		"help of a verb":     {args: []string{"serve", "--help"}, says: "-credentials"},
		"unknown flag":       {args: []string{"serve", "--nonsense"}, code: exitUsage, says: "nonsense"},
		"stray word":         {args: []string{"serve", "here"}, code: exitUsage, says: `"here"`},
		"no document root":   {args: []string{"wordpress", "files"}, code: exitUsage, says: "--to is missing"},
		"no such WordPress":  {args: []string{"wordpress", "files", "--from=/nonexistent", "--to=" + t.TempDir()}, code: exitFailed, says: "WordPress files: copy WordPress"},
		"no address":         {args: []string{"serve", "--wordpress-cron=blog", "--root=" + t.TempDir()}, code: exitFailed, says: "https://example.com"},
		"credentials absent": {args: []string{"serve", "--root=" + t.TempDir(), "--credentials=/nonexistent"}, code: exitFailed, says: "who may sign in"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var stderr bytes.Buffer
			code := run(context.Background(), test.args, &stderr)
			if code != test.code || !strings.Contains(stderr.String(), test.says) {
				t.Errorf("run(%q) = %d, %q, want %d, %q", test.args, code, stderr.String(), test.code, test.says)
			}
		})
	}
}

func TestWithoutSFTPTheRestStillRuns(t *testing.T) {
	root := t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	var stderr bytes.Buffer
	code := make(chan int, 1)
	go func() {
		code <- run(ctx, []string{"serve", "--listen=", "--root=" + root, "--credentials=" + served(t, root+"/html")}, &stderr)
	}()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if _, err := os.Stat(filepath.Join(root, "html")); err == nil {
			break
		}
		if time.Now().After(end) {
			t.Fatal("the document root is not made")
		}
	}
	cancel()
	if got := <-code; got != 0 {
		t.Errorf("run = %d, %s", got, stderr.String())
	}
}
