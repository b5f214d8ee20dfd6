package hosting

import (
	"context"
	"time"
)

// MailKind says what a mail is about.
type MailKind string

// Kinds of mails.
const (
	MailReset  MailKind = "reset"  // a link that sets a password anew
	MailInvite MailKind = "invite" // a link that sets the first one; to who has one, that there are new rights
	// MailFactors tells somebody that their second factors were taken away.
	MailFactors MailKind = "factors"
	// MailCodes tells somebody that their recovery codes were made anew.
	MailCodes MailKind = "codes"
	// These tell somebody of what was changed in how their account signs in.
	MailPasskeyAdded   MailKind = "passkey-added"
	MailPasskeyRemoved MailKind = "passkey-removed"
	MailAppAdded       MailKind = "app-added" // an authenticator app
	MailAppRemoved     MailKind = "app-removed"
	MailPassword       MailKind = "password" // another one was set
	// MailHarmful tells a site's owner that harmful files were found in it.
	MailHarmful MailKind = "harmful"
)

// Mail is one that is to be sent. It holds no secret: the link that it brings is made
// when it is sent.
type Mail struct {
	ID   ID
	Kind MailKind
	// To is the address that a reset was asked for, whether somebody has it or not, and of a
	// mail about harmful files the site's name; User is the account that any other is for.
	To   string
	User ID
	// Language is how who asked for it reads (BCP 47), "" where nobody did; the account that it
	// is for may have another (Login).
	Language string
	// Address is where it was asked for from, for the audit trail.
	Address              string
	CreatedAt, ExpiresAt time.Time
	// NextAt is when it is to be tried; while somebody tries, when others may.
	NextAt time.Time
	Tries  int64
}

// MailReader reads the mails that are to be sent.
type MailReader interface {
	// DueMail returns one that is to be tried at a time, the one that has waited longest.
	DueMail(ctx context.Context, at time.Time) (*Mail, error)
}

// MailWriter writes the mails that are to be sent.
type MailWriter interface {
	InsertMail(ctx context.Context, m *Mail) error
	// UpdateMail keeps NextAt and Tries; NotFound when it was sent meanwhile.
	UpdateMail(ctx context.Context, m *Mail) error
	DeleteMail(ctx context.Context, id ID) error
}
