// Package mail writes the panel's mails in their reader's language and hands them to
// an SMTP server. It must never decide who gets one, nor make what a mail brings.
package mail
