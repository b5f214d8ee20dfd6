package cli

import (
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"kubepanel.io/kubepanel/internal/hosting"
)

// A full disk here is not a panel that went away.
func TestWhoEndedATransferIsTold(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close() // nothing could be written
	for name, tt := range map[string]struct {
		to   io.Writer
		from io.Reader
		want hosting.Code
	}{
		"all came":         {io.Discard, strings.NewReader("all of it"), ""},
		"cut":              {io.Discard, io.MultiReader(strings.NewReader("half"), iotest.ErrReader(io.ErrUnexpectedEOF)), hosting.Unreachable},
		"no room here":     {full, strings.NewReader("all of it"), hosting.Invalid},
		"cut, and no room": {full, iotest.ErrReader(errors.New("reset")), hosting.Unreachable},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := transfer(tt.to, tt.from, "there")
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || hosting.CodeOf(err) != tt.want) {
				t.Errorf("transfer = %v, want %q", err, tt.want)
			}
		})
	}
}
