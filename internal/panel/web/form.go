package web

import (
	"cmp"
	"maps"
	"net/http"
	"strconv"

	"github.com/a-h/templ"

	"kubepanel.io/kubepanel/internal/hosting"
)

// inputField is a line of a form, with what was typed and what is wrong with it.
type inputField struct {
	Name, Label, Value, Hint, Fault string
	// Field is the form's name of it where that differs from Name.
	Field string
	// Type of the field, text when left out.
	Type string
	// Complete is what a browser may fill in (HTML's autocomplete), Mode the keys that a phone
	// shows (HTML's inputmode).
	Complete, Mode string
	Holder         string
	// List is the id of a datalist that the field has texts to choose from in.
	List                 string
	Required, Focus, LTR bool
	// FromLink takes the value from behind the # of the address.
	FromLink bool
	// Typed is what has to be typed before the form's button wakes.
	Typed string
}

func (i inputField) attributes() templ.Attributes {
	a := templ.Attributes{"id": i.Name, "name": cmp.Or(i.Field, i.Name), "type": "text", "value": i.Value, "required": i.Required, "autofocus": i.Focus}
	if i.Type != "" {
		a["type"] = i.Type
	}
	if i.Complete != "" {
		a["autocomplete"] = i.Complete
	}
	if i.Mode != "" {
		a["inputmode"] = i.Mode
	}
	if i.Holder != "" {
		a["placeholder"] = i.Holder
	}
	if i.List != "" {
		a["list"] = i.List
	}
	if i.LTR {
		a["dir"] = "ltr"
		a["spellcheck"] = "false"
		a["autocapitalize"] = "none"
	}
	if i.FromLink {
		a["data-from-link"] = true
	}
	if i.Typed != "" {
		a["data-typed"] = i.Typed
	}
	maps.Copy(a, i.described())
	return a
}

// described names what says more about the field: what is wrong with it, or a hint.
func (i inputField) described() templ.Attributes {
	switch {
	case i.Fault != "":
		return templ.Attributes{"aria-invalid": "true", "aria-describedby": i.Name + "-fault"}
	case i.Hint != "":
		return templ.Attributes{"aria-describedby": i.Name + "-hint"}
	}
	return nil
}

// faulted says of a field that is no line what is wrong with it: its sentence has the
// id id-fault.
func faulted(id, fault string) templ.Attributes {
	return inputField{Name: id, Fault: fault}.described()
}

// notOffered is said of a choice that no form of ours has.
const notOffered = "Choose one of what is offered."

// decided says which of the fields that choose between on and off were sent as neither.
func decided(r *http.Request, fields ...string) error {
	var wrong []hosting.Field
	for _, name := range fields {
		if sent := r.PostFormValue(name); r.PostForm.Has(name) && sent != "on" && sent != "off" {
			wrong = append(wrong, hosting.Field{Name: name, Message: notOffered})
		}
	}
	if wrong == nil {
		return nil
	}
	return &hosting.Error{Code: hosting.Invalid, Fields: wrong}
}

func itoa(n int) string { return strconv.Itoa(n) }
