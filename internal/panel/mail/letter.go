package mail

import (
	"strings"
	"time"

	"kubepanel.io/kubepanel/internal/panel/web/locale"
)

// Kind says what a letter is about.
type Kind string

// Kinds.
const (
	Reset   Kind = "reset"   // brings a link that sets the password anew
	Invite  Kind = "invite"  // brings a link that sets the first password
	Welcome Kind = "welcome" // tells somebody who has a password that there are new rights
	Test    Kind = "test"    // shows that mail works
	// FactorsGone tells somebody that their second factors were taken away.
	FactorsGone Kind = "factors-gone"
	// CodesNew tells somebody that their recovery codes were made anew.
	CodesNew Kind = "codes-new"
	// These tell somebody of what was changed in how their account signs in.
	PasskeyAdded   Kind = "passkey-added"
	PasskeyRemoved Kind = "passkey-removed"
	AppAdded       Kind = "app-added"
	AppRemoved     Kind = "app-removed"
	PasswordNew    Kind = "password-new"
	// Harmful tells a site's owner that harmful files were found in it.
	Harmful Kind = "harmful"
	// SignInCode brings the code that a sign-in with a new browser waits for.
	SignInCode Kind = "sign-in-code"
)

// Letter is what somebody is told.
type Letter struct {
	Kind Kind
	// To is a mail address, Name whose it is.
	To, Name string
	// Link is a secret, or leads to a page, such as the one where one signs in.
	Link string
	// About is the site that a letter is about.
	About string
	// Code is a secret to be typed; Asked is who asked for it, or did what is told.
	Code  string
	Asked Asked
	// Life is how long the link or the code is good.
	Life time.Duration
	// Language is a BCP 47 tag; one that there is no file for is English.
	Language string
}

// Asked is where somebody asked for something from.
type Asked struct {
	At time.Time
	// Address is an IP address, Agent what their browser calls itself: a stranger's text.
	Address, Agent string
}

// page is a letter in its reader's language.
type page struct {
	*locale.Locale

	Subject, Greeting, Code, Link, Button, Brand string
	Paragraphs                                   []string
	After                                        []string // behind the code or the link
}

// compose says in words what a letter tells.
func compose(l Letter, in *locale.Locale, brand, host string) page {
	p := page{Locale: in, Brand: brand, Link: l.Link, Greeting: in.T("Hello,")}
	if l.Name != "" {
		p.Greeting = in.T("Hello %s,", l.Name)
	}
	switch l.Kind {
	case Reset:
		p.Subject = in.T("A new password for %s", host)
		p.Paragraphs = []string{in.T("Somebody, probably you, asked for a new password for your account at %s.", host)}
		p.Button = in.T("Set the password")
		p.After = []string{validity(in, l.Life), in.T("If it was not you, do nothing: your password stays as it is.")}
	case Invite:
		p.Subject = in.T("Your account at %s", host)
		p.Paragraphs = []string{in.T("You have an account at %s now. Choose a password, and you can begin.", host)}
		p.Button = in.T("Set the password")
		p.After = []string{validity(in, l.Life), in.T("If you expected nothing of the kind, do nothing.")}
	case Welcome:
		p.Subject = in.T("New rights at %s", host)
		p.Paragraphs = []string{in.T("Somebody gave your account at %s rights on their sites. Sign in as always to see them.", host)}
		p.Button = in.T("Sign in")
	case FactorsGone:
		p.Subject = in.T("Your second factor at %s was taken away", host)
		p.Paragraphs = []string{in.T("The passkeys and the authenticator app of your account at %s count no more, so that you can come back in without them.", host),
			in.T("Sign in with your password and set up a new one: nothing else goes on before that.")}
		p.Button = in.T("Sign in")
		p.After = []string{in.T("If you did not ask for it, tell who gave you your account at once, and set another password.")}
	case CodesNew:
		p.Subject = in.T("New recovery codes at %s", host)
		p.Paragraphs = []string{in.T("The recovery codes of your account at %s were made anew. The former ones count no more; the new ones were shown once.", host)}
		p.Button = in.T("Look at your account")
		p.After = []string{in.T("If it was not you, end all other sessions there and set another password at once.")}
	case Harmful:
		p.Subject = in.T("Harmful files in %s", l.About)
		p.Paragraphs = []string{in.T("A scanner looked at the files of your site %s and found some that it knows as harmful.", l.About),
			in.T("Look at what was found, and at what became of it. Somebody may have broken in: bring the site's programs up to date, and set other passwords.")}
		p.Button = in.T("See what was found")
	case PasskeyAdded, PasskeyRemoved, AppAdded, AppRemoved, PasswordNew:
		p.changed(l, host)
	case SignInCode:
		p.signInCode(l, host)
	case Test:
		p.Subject = in.T("A mail from %s", host)
		p.Paragraphs = []string{in.T("The panel at %s can send mail.", host)}
	}
	return p
}

// changed says how an account signs in from now on. What a passkey is called stays out of it:
// a stranger may have written that.
func (p *page) changed(l Letter, host string) {
	p.Subject = p.T("How you sign in at %s was changed", host)
	switch l.Kind {
	case PasskeyAdded:
		p.Paragraphs = []string{p.T("A passkey was added to your account at %s. It signs in by itself, without your password.", host)}
	case PasskeyRemoved:
		p.Paragraphs = []string{p.T("A passkey of your account at %s was removed. It signs nobody in any more.", host)}
	case AppAdded:
		p.Paragraphs = []string{p.T("An authenticator app was set up for your account at %s. Its codes are asked for after your password.", host)}
	case AppRemoved:
		p.Paragraphs = []string{p.T("The authenticator app of your account at %s was removed. Its codes count no more.", host)}
	default:
		p.Paragraphs = []string{p.T("Another password was set for your account at %s. The former one counts no more, and all other sessions have ended.", host)}
	}
	p.Button = p.T("Look at your account")
	p.After = []string{p.T("When: %s", l.Asked.At.UTC().Format("2006-01-02 15:04 MST")), p.T("From the address: %s", l.Asked.Address),
		p.T("If it was not you, set another password at once (the page where you sign in mails you a link), remove on the page of your account what you do not know, and tell who gave you your account.")}
}

// signInCode says who asks to come in. The letter leads nowhere: who is asked for a code has
// the page for it open, and everybody else is better off to go there by themselves.
func (p *page) signInCode(l Letter, host string) {
	half := len(l.Code) / 2 // as many digits as are read at once
	p.Link, p.Code = "", l.Code[:half]+" "+l.Code[half:]
	p.Subject = p.T("Your code for %s", host)
	p.Paragraphs = []string{p.T("Somebody who knows your password signs in at %s with a browser that your account was not used with yet. If it is you, type this code:", host)}
	p.After = []string{p.T("It works once, for this sign-in alone and for this many minutes: %d. Nobody will ever ask you for it in any other place.", int(l.Life.Minutes())),
		p.T("When: %s", l.Asked.At.UTC().Format("2006-01-02 15:04 MST")),
		p.T("From the address: %s", l.Asked.Address),
		p.T("With: %s", p.Browser(l.Asked.Agent)),
		p.T("If it is not you, give the code to nobody: without it they do not come in. But they know your password, so sign in at %s yourself and set another one on the page of your account.", host)}
}

// validity says how long a link is good.
func validity(in *locale.Locale, life time.Duration) string {
	if hours := int(life.Hours()); hours < 48 {
		return in.T("The link works once, for this many hours: %d.", hours)
	}
	return in.T("The link works once, for this many days: %d.", int(life.Hours()/24))
}

// plain writes a letter as plain text.
func plain(p page) string {
	parts := append([]string{p.Greeting}, p.Paragraphs...)
	for _, given := range []string{p.Code, p.Link} {
		if given != "" {
			parts = append(parts, given)
		}
	}
	parts = append(parts, p.After...)
	return strings.TrimSpace(strings.Join(append(parts, "-- \n"+p.Brand), "\n\n")) + "\n"
}
