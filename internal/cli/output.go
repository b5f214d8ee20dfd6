package cli

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"
)

// format is how an answer is written.
type format string

const (
	formatText format = "text"
	formatJSON format = "json"
	formatYAML format = "yaml"
	formatName format = "name"
)

// outputFlag makes a format the value of a flag; every other word is refused.
type outputFlag struct {
	format  *format
	offered []format
}

func (o outputFlag) String() string { return string(*o.format) }
func (o outputFlag) Type() string   { return "format" }

func (o outputFlag) Set(word string) error {
	if !slices.Contains(o.offered, format(word)) {
		return fmt.Errorf("it is one of %s", join(o.offered, ", "))
	}
	*o.format = format(word)
	return nil
}

// addOutput gives a command the flag --output, with further formats if it has any.
func (e *Env) addOutput(cmd *cobra.Command, more ...format) {
	offered := append([]format{formatText, formatJSON, formatYAML}, more...)
	e.format = formatText
	cmd.Flags().VarP(outputFlag{&e.format, offered}, "output", "o", "`format` of the answer: "+join(offered, ", "))
	complete(cmd, "output", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		words := make([]string, len(offered))
		for i, f := range offered {
			words[i] = string(f)
		}
		return words, cobra.ShellCompDirectiveNoFileComp
	})
}

// structured tells whether a program reads the answer.
func (e *Env) structured() bool { return e.format == formatJSON || e.format == formatYAML }

// printStructured writes v as JSON or YAML.
func (e *Env) printStructured(v any) error {
	encode := func(v any) ([]byte, error) {
		data, err := json.MarshalIndent(v, "", "  ")
		return append(data, '\n'), err
	}
	if e.format == formatYAML {
		encode = yaml.Marshal
	}
	data, err := encode(v)
	if err != nil {
		return fmt.Errorf("write %s: %w", e.format, err)
	}
	_, err = e.Out.Write(data)
	return err
}

// printObject writes an object, which has no text but YAML.
func (e *Env) printObject(v any) error {
	if e.format == formatText {
		e.format = formatYAML
	}
	return e.printStructured(v)
}

// say writes a line for a person. What was said can't be taken back, so a full
// disk or a closed pipe ends the command like any other error would: at the end.
func (e *Env) say(format string, args ...any) {
	fmt.Fprintf(e.Out, format+"\n", args...) // a closed standard output has no one to tell
}

// table writes columns, all at once.
func table(w io.Writer, rows [][]string) error {
	var text bytes.Buffer
	columns := tabwriter.NewWriter(&text, 0, 8, 3, ' ', 0)
	for _, row := range rows {
		if _, err := fmt.Fprintln(columns, strings.Join(row, "\t")); err != nil {
			return err
		}
	}
	if err := columns.Flush(); err != nil {
		return err
	}
	_, err := w.Write(text.Bytes())
	return err
}

// clean makes text of others harmless on a terminal: a message may quote a log
// that a customer wrote, with escape sequences in it.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar {
			return ' '
		}
		return r
	}, text)
}

// clip shortens a line to a number of columns.
func clip(line string, columns int) string {
	runes := []rune(line)
	if len(runes) <= columns || columns < 1 {
		return line
	}
	return string(runes[:columns-1]) + "…"
}

// seconds writes a length of time as people say it.
func seconds(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d%time.Minute < time.Second:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	}
	return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
}

// firstLine reads up to the first line break and no further than a name is long.
func firstLine(r io.Reader) (string, error) {
	const longest = 1024
	line, err := bufio.NewReader(io.LimitReader(r, longest)).ReadString('\n')
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return strings.TrimSpace(line), err
}

func join[T ~string](words []T, separator string) string {
	plain := make([]string, len(words))
	for i, w := range words {
		plain[i] = string(w)
	}
	return strings.Join(plain, separator)
}

// mostAtOnce is how many items a page of the API has at most.
const mostAtOnce int64 = 200

// everyPage reads a list of the API to its end.
func everyPage[T any](ask func(cursor *string, most *int64) (items []T, next *string, err error)) ([]T, error) {
	all, cursor := []T{}, ""
	for {
		items, next, err := ask(&cursor, new(mostAtOnce))
		if err != nil {
			return nil, err
		}
		all = append(all, items...)
		if cursor = value(next); cursor == "" {
			return all, nil
		}
	}
}
