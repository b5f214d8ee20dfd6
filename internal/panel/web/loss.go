package web

import (
	"net/http"
	"strings"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/web/locale"
)

// loss is what nobody can have again, or what shuts other people out until something is
// changed outside of the panel: its form says what is lost, and wants the name of it typed.
// What whoever did it can take back or make again there in a moment is one click
// (ARCHITECTURE.md). Who may not is refused before any of this is asked.
type loss struct {
	// ID tells its elements from those of the page's other forms, and To is where it goes.
	ID, To string
	// Title is what is done, Button says it once more, and Tells are sentences about what
	// comes of it.
	Title, Button string
	Tells         []string
	// Barred says why it can't be done now: then nothing is asked.
	Barred string
	// Name is what has to be typed; LTR: it reads from left to right in every language.
	Name string
	LTR  bool
	// Wide: the card is as wide as its page.
	Wide bool

	Typed string
	Wrong faults
}

// meant tells whether a form has the name typed. Otherwise it keeps what was typed, and
// what is to be.
func (l *loss) meant(f *frame, r *http.Request) bool {
	l.Typed = strings.TrimSpace(locale.Plain(r.PostFormValue("confirm")))
	if l.Barred == "" && l.Typed != "" && strings.EqualFold(l.Typed, strings.TrimSpace(locale.Plain(l.Name))) {
		return true
	}
	l.Wrong = faults{fields: map[string]string{}, Status: http.StatusConflict}
	if l.Barred == "" {
		l.Wrong.fields["confirm"], l.Wrong.Status = f.T("Type %s to say that you mean it.", l.Name), http.StatusUnprocessableEntity
	}
	return false
}

// ticked refuses what removes files for good unless its box is ticked: of many files none
// has a name that stands for all.
func ticked(r *http.Request) error {
	if r.PostFormValue("confirm") == "" {
		return &hosting.Error{Code: hosting.Invalid, Message: "Nothing was removed.", Mend: "Tick the box to say that you mean it."}
	}
	return nil
}
