package desired

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// ErrInexpressible says that a value can't be written into a configuration file
// of some syntax at all, however it is quoted.
var ErrInexpressible = errors.New("can't be written into a configuration file")

// nginxCode is nginx syntax of our own: variables in it mean variables. Every
// other string is data.
type nginxCode string

// nginxWriter writes nginx configuration from directives. The first value that
// can't be expressed ends up in err.
type nginxWriter struct {
	b     strings.Builder
	depth int
	err   error
}

// line writes one directive.
func (w *nginxWriter) line(name string, args ...any) { w.open(name, args, ";\n") }

// block writes a directive with a block.
func (w *nginxWriter) block(name string, args []any, body func()) {
	w.open(name, args, " {\n")
	w.depth++
	body()
	w.depth--
	w.indent()
	w.b.WriteString("}\n")
}

// comment writes a line that nginx ignores. Only for text of our own.
func (w *nginxWriter) comment(text nginxCode) {
	w.indent()
	w.b.WriteString("# " + string(text) + "\n")
}

func (w *nginxWriter) open(name string, args []any, end string) {
	w.indent()
	w.b.WriteString(name)
	for _, arg := range args {
		w.b.WriteByte(' ')
		switch v := arg.(type) {
		case nginxCode:
			w.b.WriteString(nginxQuote(string(v)))
		case int, int32, int64:
			fmt.Fprint(&w.b, v)
		case string:
			w.data(v)
		default:
			w.fail(fmt.Sprint(v))
		}
	}
	w.b.WriteString(end)
}

// data writes a value that came from outside. nginx has no way to write a dollar
// sign that is not a variable, nor a control character.
func (w *nginxWriter) data(v string) {
	if strings.ContainsFunc(v, func(r rune) bool { return r < ' ' || r == 0x7f || r == '$' }) || !utf8.ValidString(v) {
		w.fail(v)
		return
	}
	w.b.WriteString(nginxQuote(v))
}

func (w *nginxWriter) fail(v string) {
	if w.err == nil {
		w.err = fmt.Errorf("%q %w", v, ErrInexpressible)
	}
}

// when writes a block under a condition, which is syntax of our own and no value.
func (w *nginxWriter) when(condition nginxCode, body func()) {
	w.block("if ("+string(condition)+")", nil, body)
}

// indent uses spaces: with tabs YAML shows a text in one long quoted line.
func (w *nginxWriter) indent() { w.b.WriteString(strings.Repeat("  ", w.depth)) }

// nginxEscape is made once: a replacer costs more to make than to use.
var nginxEscape = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

// nginxQuote puts v between quotes unless it is plain. Within quotes nginx takes
// a backslash before a quote or a backslash away.
func nginxQuote(v string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_-./:,=*~@%+?&$!", r)
	}
	if v != "" && !strings.ContainsFunc(v, func(r rune) bool { return !plain(r) }) {
		return v
	}
	return `"` + nginxEscape.Replace(v) + `"`
}

// iniWriter writes PHP's and PHP-FPM's configuration files.
type iniWriter struct {
	b   strings.Builder
	err error
}

func (w *iniWriter) section(name string) { w.b.WriteString("[" + name + "]\n") }

func (w *iniWriter) comment(text string) { w.b.WriteString("; " + text + "\n") }

// set writes one value. PHP reads ${…} inside quotes and has no common way to
// escape a quote or a backslash in php.ini and in a pool file, so none may occur.
func (w *iniWriter) set(key string, value any) {
	var v string
	switch x := value.(type) {
	case string:
		v = x
	case int:
		v = fmt.Sprint(x)
	case bool:
		v = map[bool]string{true: "1", false: "0"}[x]
	default:
		v = "\x00"
	}
	if strings.ContainsFunc(v, func(r rune) bool { return r < ' ' || r == 0x7f || strings.ContainsRune("\"\\$", r) }) || !utf8.ValidString(v) {
		if w.err == nil {
			w.err = fmt.Errorf("%s: %q %w", key, v, ErrInexpressible)
		}
		return
	}
	if strings.ContainsFunc(v, func(r rune) bool { return !iniPlain(r) }) || v == "" {
		v = `"` + v + `"`
	}
	w.b.WriteString(key + " = " + v + "\n")
}

func iniPlain(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_-./:", r)
}
