package cli

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// screen is a terminal as far as live draws on one: it knows cursor up, erase to
// the end of the line and of the screen, and refuses every other control.
type screen struct {
	t        *testing.T
	mu       sync.Mutex
	lines    [][]rune
	row, col int
	frames   []string
}

// control is one sequence or one plain run of text.
var control = regexp.MustCompile(`^(?:\x1b\[([0-9]*)([A-Z])|\n|[^\x00-\x1f\x7f]+)`)

// Write draws and keeps the picture when it is a new one.
func (s *screen) Write(data []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for text := string(data); text != ""; {
		m := control.FindStringSubmatch(text)
		switch {
		case m == nil:
			s.t.Errorf("the terminal was sent the control %q", text[:1])
			return len(data), nil
		case m[2] != "":
			s.obey(m[1], m[2])
		case m[0] == "\n":
			s.put("")
			s.row, s.col = s.row+1, 0
		default:
			s.put(m[0])
		}
		text = text[len(m[0]):]
	}
	if shot := s.picture(); len(s.frames) == 0 || s.frames[len(s.frames)-1] != shot {
		s.frames = append(s.frames, shot)
	}
	return len(data), nil
}

func (s *screen) put(text string) {
	for len(s.lines) <= s.row {
		s.lines = append(s.lines, nil)
	}
	for _, r := range text {
		line := s.lines[s.row]
		for len(line) <= s.col {
			line = append(line, ' ')
		}
		line[s.col] = r
		s.lines[s.row] = line
		s.col++
	}
}

func (s *screen) obey(count, command string) {
	switch command {
	case "A":
		n, err := strconv.Atoi(count)
		if err != nil || n > s.row {
			s.t.Errorf("cursor up by %q from line %d", count, s.row)
			return
		}
		s.row -= n
	case "K":
		if s.row < len(s.lines) && s.col < len(s.lines[s.row]) {
			s.lines[s.row] = s.lines[s.row][:s.col]
		}
	case "J":
		s.lines = s.lines[:min(len(s.lines), s.row)]
	default:
		s.t.Errorf("the terminal was sent the control %q", command)
	}
}

func (s *screen) picture() string {
	lines := make([]string, len(s.lines))
	for i, l := range s.lines {
		lines[i] = string(l)
	}
	return strings.Join(lines, "\n")
}

// String returns every picture that a person saw.
func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b strings.Builder
	for i, f := range s.frames {
		fmt.Fprintf(&b, "=== picture %d\n%s\n", i+1, f)
	}
	return b.String()
}
