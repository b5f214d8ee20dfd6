package auth_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/auth"
	"kubepanel.io/kubepanel/internal/panel/mail/mailtest"
)

const jo = "jo@shop.example"

// mailing is a site whose new browsers are asked for a code.
func mailing(t *testing.T, change ...func(*auth.Options)) *site {
	t.Helper()
	return newSite(t, append([]func(*auth.Options){func(o *auth.Options) { o.MailedCodes = true }}, change...)...)
}

// codeIn reads the code of a mail.
func codeIn(t *testing.T, m mailtest.Mail) string {
	t.Helper()
	found := regexp.MustCompile(`\r\n(\d{4} \d{4})\r\n`).FindStringSubmatch(m.Text)
	if found == nil {
		t.Fatalf("the mail has no code: %s", m.Text)
	}
	return found[1]
}

// other is a code that is not this one.
func other(code string) string {
	return strings.NewReplacer("0", "1", "1", "2", "2", "3", "3", "4", "4", "5", "5", "6", "6", "7", "7", "8", "8", "9", "9", "0").Replace(code)
}

func (b *browser) finish(t *testing.T, code string) (stage auth.Stage, err error) {
	t.Helper()
	err = b.in(t, func(ctx context.Context) (err error) {
		stage, err = b.site.FinishMailed(ctx, code)
		return err
	})
	return stage, err
}

func (b *browser) again(t *testing.T) error {
	t.Helper()
	return b.in(t, func(ctx context.Context) error { return b.site.MailAgain(ctx, "en") })
}

// known signs in with a code in a browser that is known then.
func (b *browser) known(t *testing.T, email string) {
	t.Helper()
	if stage := b.stage(t, email, password); stage != auth.Mailed {
		t.Fatalf("SignIn(new browser) = %s, want %s", stage, auth.Mailed)
	}
	if stage, err := b.finish(t, codeIn(t, b.site.mail.Next(t))); err != nil || stage != auth.Done {
		t.Fatalf("FinishMailed = %s, %v, want %s", stage, err, auth.Done)
	}
}

// Who has nothing but a password is asked, in every browser that the account does not know.
func TestWhoIsAskedForAMailedCode(t *testing.T) {
	none := func(*testing.T, *site, *browser, *browser) {}
	enrols := func(t *testing.T, _ *site, _, jo *browser) { t.Helper(); jo.enrolTOTP(t) }
	tests := map[string]struct {
		options func(*auth.Options)
		before  func(t *testing.T, s *site, boss, jo *browser)
		here    bool // in the browser that set the password by its link
		want    auth.Stage
		then    auth.Stage // after the code; "" where no code is typed
	}{
		"a new browser":                {before: none, want: auth.Mailed, then: auth.Done},
		"the browser of the link":      {before: none, here: true, want: auth.Done},
		"no mail server":               {options: func(o *auth.Options) { o.Mailer = nil }, before: none, want: auth.Done},
		"switched off":                 {options: func(o *auth.Options) { o.MailedCodes = false }, before: none, want: auth.Done},
		"an authenticator app":         {before: enrols, want: auth.SecondFactor},
		"a passkey beside it":          {before: func(t *testing.T, _ *site, _, jo *browser) { t.Helper(); jo.addPasskey(t) }, want: auth.SecondFactor},
		"a role that must have more":   {options: func(o *auth.Options) { o.SecondFactorFor = []hosting.Role{hosting.Customer} }, before: none, want: auth.Mailed, then: auth.MustEnrol},
		"known, and must have more":    {options: func(o *auth.Options) { o.SecondFactorFor = []hosting.Role{hosting.Customer} }, before: none, here: true, want: auth.MustEnrol},
		"known before a month passed":  {before: func(_ *testing.T, s *site, _, _ *browser) { s.pass(30 * 24 * time.Hour) }, here: true, want: auth.Mailed},
		"known for almost a month":     {before: func(_ *testing.T, s *site, _, _ *browser) { s.pass(29 * 24 * time.Hour) }, here: true, want: auth.Done},
		"the second factor taken away": {before: takesAway, here: true, want: auth.Mailed, then: auth.MustEnrol},
		"all sessions ended for them": {before: func(t *testing.T, s *site, boss, jo *browser) {
			t.Helper()
			id := jo.who(t).ID
			must(t, boss.in(t, func(ctx context.Context) error {
				actor, _ := auth.ActorOf(ctx)
				return s.EndSessions(ctx, actor, id)
			}))
		}, here: true, want: auth.Mailed, then: auth.Done},
		"forgotten": {before: func(t *testing.T, s *site, _, jo *browser) {
			t.Helper()
			must(t, jo.in(t, func(ctx context.Context) error { return s.ForgetBrowser(ctx, "") }))
		}, here: true, want: auth.Mailed, then: auth.Done},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := mailing(t, func(o *auth.Options) {
				if test.options != nil {
					test.options(o)
				}
			})
			boss := s.administrator(t)
			b := s.customer(t, boss, jo)
			test.before(t, s, boss, b)
			if !test.here {
				b = s.browser(t)
			}
			if stage := b.stage(t, jo, password); stage != test.want {
				t.Fatalf("SignIn = %s, want %s", stage, test.want)
			}
			if test.then == "" {
				if n := s.mail.Waiting(); (n == 1) != (test.want == auth.Mailed) || n > 1 {
					t.Errorf("%d codes were mailed with the stage %s", n, test.want)
				}
				return
			}
			if b.who(t) != nil {
				t.Error("somebody is signed in before the code")
			}
			if stage, err := b.finish(t, codeIn(t, s.mail.Next(t))); err != nil || stage != test.then {
				t.Fatalf("FinishMailed = %s, %v, want %s", stage, err, test.then)
			}
			if stage := b.stage(t, jo, password); stage != test.then {
				t.Errorf("SignIn again = %s, want %s: the browser is known", stage, test.then)
			}
		})
	}
}

// takesAway has Jo's new authenticator taken away.
func takesAway(t *testing.T, _ *site, boss, jo *browser) {
	t.Helper()
	id := jo.who(t).ID
	jo.enrolTOTP(t)
	must(t, boss.resets(t, id, password))
}

func TestMailedCodeSaysWhoAsks(t *testing.T) {
	s := mailing(t)
	s.customer(t, s.administrator(t), jo)
	b := s.browser(t)
	b.header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0 see https://evil.example")
	must(t, b.in(t, func(ctx context.Context) error { _, err := s.SignIn(ctx, jo, password, "de"); return err }))
	m := s.mail.Next(t)
	text := strings.ReplaceAll(m.Text, "=\r\n", "")
	for _, want := range []string{"127.0.0.1", "Firefox unter Linux", s.now().UTC().Format("2006-01-02 15:")} {
		if !strings.Contains(text, want) {
			t.Errorf("the mail does not say %q: %s", want, text)
		}
	}
	if m.To != jo || !m.Encrypted || strings.Contains(text, "evil") || strings.Contains(text, panelURL) {
		t.Errorf("the mail to %s has more than it should: %s", m.To, text)
	}
	must(t, b.in(t, func(ctx context.Context) error {
		if to, err := s.Mailed(ctx); err != nil || to != jo {
			t.Errorf("Mailed = %s, %v, want where it went", to, err)
		}
		return nil
	}))
}

func TestMailedCodeIsGoodForALittle(t *testing.T) {
	s := mailing(t)
	s.customer(t, s.administrator(t), jo)
	begin := func() (*browser, string) {
		b := s.browser(t)
		b.stage(t, jo, password)
		return b, codeIn(t, s.mail.Next(t))
	}
	refused := func(doing string, b *browser, code string) {
		t.Helper()
		_, err := b.finish(t, code)
		wantCode(t, doing, err, hosting.SignIn)
		if b.who(t) != nil {
			t.Errorf("%s: somebody is signed in", doing)
		}
	}
	first, code := begin()
	second, codeOfSecond := begin()
	refused("the code of another sign-in", first, codeOfSecond)
	refused("no sign-in at all", s.browser(t), code)
	for range 4 { // the other one's was the first
		refused("a wrong code", first, other(code))
	}
	refused("the right code after five wrong ones", first, code)
	refused("nothing", second, "")
	if _, err := second.finish(t, " "+strings.ReplaceAll(codeOfSecond, " ", "-")+" "); err != nil {
		t.Errorf("FinishMailed(as people type it) = %v", err)
	}
	if second.who(t) == nil {
		t.Error("nobody is signed in after the right code")
	}
	refused("a code twice", first, codeOfSecond)
	third, code := begin()
	s.pass(10 * time.Minute)
	refused("a code after ten minutes", third, code)
	must(t, third.again(t))
	refused("the code of before", third, code)
	if _, err := third.finish(t, codeIn(t, s.mail.Next(t))); err != nil {
		t.Errorf("FinishMailed(the second code) = %v", err)
	}
}

func TestAnotherCodeTakesAMinuteAndFiveAreEnough(t *testing.T) {
	s := mailing(t)
	s.customer(t, s.administrator(t), jo)
	b := s.browser(t)
	b.stage(t, jo, password)
	first := codeIn(t, s.mail.Next(t))
	wantCode(t, "MailAgain(at once)", b.again(t), hosting.Limited)
	wantCode(t, "MailAgain(by nobody)", s.browser(t).again(t), hosting.SignIn)
	for range 4 {
		s.pass(61 * time.Second)
		must(t, b.again(t))
	}
	var last string
	for range 4 {
		last = codeIn(t, s.mail.Next(t))
	}
	_, err := s.browser(t).signIn(t, jo, password)
	wantCode(t, "SignIn(a sixth mail)", err, hosting.Limited)
	if e, ok := errors.AsType[*hosting.Error](err); !ok || e.Mend == "" {
		t.Errorf("SignIn = %v, want what to do", err)
	}
	s.pass(61 * time.Second)
	wantCode(t, "MailAgain(a sixth mail)", b.again(t), hosting.Limited)
	_, err = b.finish(t, first)
	wantCode(t, "FinishMailed(the first code)", err, hosting.SignIn)
	_, err = b.finish(t, last)
	must(t, err)
	if n := s.mail.Waiting(); n != 0 {
		t.Errorf("%d mails more than the limit", n)
	}
	if stage := s.browser(t).stage(t, jo, password); stage != auth.Mailed {
		t.Errorf("SignIn after the mailbox was shown = %s, want %s: mails count anew", stage, auth.Mailed)
	}
}

// Somebody without the password learns nothing, and has nothing mailed.
func TestAWrongPasswordMailsNothing(t *testing.T) {
	s := mailing(t)
	s.customer(t, s.administrator(t), jo)
	var said []string
	for _, email := range []string{jo, "nobody@shop.example"} {
		_, err := s.browser(t).signIn(t, email, "a guessed passphrase")
		wantCode(t, "SignIn("+email+")", err, hosting.SignIn)
		said = append(said, err.Error())
	}
	if said[0] != said[1] || s.mail.Waiting() != 0 {
		t.Errorf("the answers are %q with %d mails, want the same and none", said, s.mail.Waiting())
	}
}

func TestWithoutTheMailNobodyIsHalfIn(t *testing.T) {
	s := mailing(t)
	boss := s.administrator(t)
	here := s.customer(t, boss, jo)
	for trail, code := range []int{451, 550} {
		s.mail.Refuse(&smtp.SMTPError{Code: code, Message: "no"})
		b := s.browser(t)
		stage, err := b.signIn(t, jo, password)
		wantCode(t, "SignIn(mail server away)", err, hosting.Unreachable)
		if e, ok := errors.AsType[*hosting.Error](err); stage != auth.Nobody || !ok || e.Mend == "" {
			t.Errorf("SignIn = %s, %v, want nobody and what to do", stage, err)
		}
		wantCode(t, "MailAgain(nothing was begun)", b.again(t), hosting.SignIn)
		must(t, boss.in(t, func(ctx context.Context) error {
			actor, _ := auth.ActorOf(ctx)
			found, err := s.Provider.Trail(ctx, actor, hosting.AuditQuery{Did: "mail.refused"})
			must(t, err)
			if len(found.Items) != trail {
				t.Errorf("after %d the trail has %d lines of refused mail, want %d", code, len(found.Items), trail)
			}
			return nil
		}))
	}
	if stage := here.stage(t, jo, password); stage != auth.Done {
		t.Errorf("SignIn in a known browser = %s, want %s: it needs no mail", stage, auth.Done)
	}
	s.mail.Refuse(nil)
	s.browser(t).known(t, jo)
}

// A browser is known to the account that it was used with and to no other, by a secret that
// is not in the database.
func TestAKnownBrowserIsOneAccounts(t *testing.T) {
	s := mailing(t)
	boss := s.administrator(t)
	s.customer(t, boss, jo)
	s.customer(t, boss, "al@shop.example")
	b := s.browser(t)
	b.known(t, jo)
	if stage := b.stage(t, "al@shop.example", password); stage != auth.Mailed {
		t.Errorf("SignIn as another = %s, want %s", stage, auth.Mailed)
	}
	if _, err := b.finish(t, codeIn(t, s.mail.Next(t))); err != nil {
		t.Fatal(err)
	}
	for _, email := range []string{jo, "al@shop.example"} {
		if stage := b.stage(t, email, password); stage != auth.Done {
			t.Errorf("SignIn(%s) = %s, want that both know the browser", email, stage)
		}
	}
	// Jo's secret under the name that Al's cookie has.
	at, err := url.Parse(panelURL)
	must(t, err)
	var names, secrets []string
	for _, c := range b.client.Jar.Cookies(at) {
		if strings.HasPrefix(c.Name, "__Host-browser-") {
			names, secrets = append(names, c.Name), append(secrets, c.Value)
		}
	}
	if len(names) != 2 || len(secrets[0]) < 40 {
		t.Fatalf("the browser has the cookies %q, want one for each account", names)
	}
	thief := s.browser(t)
	thief.client.Jar.SetCookies(at, []*http.Cookie{
		{Name: names[0], Value: secrets[1], Secure: true, Path: "/"}, {Name: names[1], Value: secrets[0], Secure: true, Path: "/"}})
	for _, email := range []string{jo, "al@shop.example"} {
		if stage := thief.stage(t, email, password); stage != auth.Mailed {
			t.Errorf("SignIn(%s) with another account's cookie = %s, want %s", email, stage, auth.Mailed)
		}
	}
	for _, secret := range secrets {
		if _, err := s.store.Browser(t.Context(), secret); hosting.CodeOf(err) != hosting.NotFound {
			t.Errorf("the database has the secret itself: %v", err)
		}
	}
}

func TestAnotherPasswordForgetsAllOtherBrowsers(t *testing.T) {
	s := mailing(t)
	boss := s.administrator(t)
	s.deliver(t, s.Auth)
	s.customer(t, boss, jo)
	first, second := s.browser(t), s.browser(t)
	first.known(t, jo)
	second.known(t, jo)
	must(t, second.in(t, func(ctx context.Context) error { return s.ChangePassword(ctx, password, another) }))
	if stage := second.stage(t, jo, another); stage != auth.Done {
		t.Errorf("SignIn where the password was changed = %s, want %s", stage, auth.Done)
	}
	if stage := first.stage(t, jo, another); stage != auth.Mailed {
		t.Errorf("SignIn in another browser = %s, want %s", stage, auth.Mailed)
	}
	s.mail.Next(t) // the code, and that there is another password
	s.mail.Next(t)
	// A link in a mail shows the mailbox as a code does.
	third := s.browser(t)
	must(t, third.forgot(t, jo))
	token := tokenOf(t, s.mail.Next(t))
	must(t, third.in(t, func(ctx context.Context) error { return s.SetPassword(ctx, token, password, "en") }))
	for b, want := range map[*browser]auth.Stage{third: auth.Done, second: auth.Mailed} {
		if stage := b.stage(t, jo, password); stage != want {
			t.Errorf("SignIn after a reset = %s, want %s", stage, want)
		}
	}
}

func TestBrowsersAreSeenAndForgotten(t *testing.T) {
	s := mailing(t)
	boss := s.administrator(t)
	s.customer(t, boss, jo)
	al := s.customer(t, boss, "al@shop.example")
	b := s.browser(t)
	b.header.Set("User-Agent", "Firefox/1 on Linux")
	b.known(t, jo)
	var found []auth.Browser
	look := func() {
		t.Helper()
		must(t, b.in(t, func(ctx context.Context) error {
			all, count, err := s.Browsers(ctx)
			if found = all; !count {
				t.Error("the browsers of who has a password alone do not count")
			}
			return err
		}))
	}
	look()
	if len(found) != 2 || !found[0].Current || found[1].Current || found[0].Agent != "Firefox/1 on Linux" || found[0].Address != "127.0.0.1" {
		t.Fatalf("Browsers = %+v, want this one and that of the link", found)
	}
	forget := func(who *browser, id string) error {
		return who.in(t, func(ctx context.Context) error { return s.ForgetBrowser(ctx, id) })
	}
	wantCode(t, "ForgetBrowser(another's)", forget(al, found[0].ID), hosting.NotFound)
	wantCode(t, "ForgetBrowser(by nobody)", forget(s.browser(t), found[0].ID), hosting.SignIn)
	must(t, forget(b, found[1].ID))
	look()
	if len(found) != 1 || !found[0].Current {
		t.Errorf("Browsers = %+v, want this one alone", found)
	}
	if stage := b.stage(t, jo, password); stage != auth.Done {
		t.Errorf("SignIn = %s, want %s: another one was forgotten", stage, auth.Done)
	}
	must(t, forget(b, found[0].ID))
	if b.who(t) == nil {
		t.Error("forgetting the browser ended its session")
	}
	for _, did := range []string{"sign-in.code-sent", "browser.known", "browser.forgotten"} {
		s.trail(t, did, jo, "Jo")
	}
	b.enrolTOTP(t)
	must(t, b.in(t, func(ctx context.Context) error {
		if all, count, err := s.Browsers(ctx); err != nil || count || len(all) > 0 {
			t.Errorf("Browsers of who has a second factor = %v, %t, %v, want that they do not count", all, count, err)
		}
		return nil
	}))
}

func TestAnAccountKnowsSoManyBrowsers(t *testing.T) {
	s := mailing(t)
	s.customer(t, s.administrator(t), jo)
	for range 31 {
		s.browser(t).known(t, jo)
		s.pass(time.Minute) // tries of an address are counted too
	}
	b := s.browser(t)
	b.known(t, jo)
	must(t, b.in(t, func(ctx context.Context) error {
		all, _, err := s.Browsers(ctx)
		if len(all) != 30 || !all[0].Current {
			t.Errorf("%d browsers are known, want the last 30", len(all))
		}
		return err
	}))
}

// Two that type the code at once, two that want another one at once: one of each.
func TestACodeIsForOne(t *testing.T) {
	s := mailing(t)
	s.customer(t, s.administrator(t), jo)
	b := s.browser(t)
	b.stage(t, jo, password)
	s.mail.Next(t)
	s.pass(2 * time.Minute)
	atOnce := func(do func() error) (done int) {
		var all sync.WaitGroup
		var mu sync.Mutex
		for range 4 {
			all.Go(func() {
				if do() == nil {
					mu.Lock()
					defer mu.Unlock()
					done++
				}
			})
		}
		all.Wait()
		return done
	}
	if n := atOnce(func() error { return b.again(t) }); n != 1 || s.mail.Waiting() != 1 {
		t.Errorf("%d of four had another code mailed, %d mails; want one", n, s.mail.Waiting())
	}
	code := codeIn(t, s.mail.Next(t))
	if n := atOnce(func() error { _, err := b.finish(t, code); return err }); n != 1 {
		t.Errorf("the code let %d of four in, want one", n)
	}
}

// A panel that takes another's place goes on with sign-ins that wait for a code.
func TestASignInThatWaitsSurvivesARestart(t *testing.T) {
	s := mailing(t)
	s.customer(t, s.administrator(t), jo)
	b := s.browser(t)
	b.stage(t, jo, password)
	code := codeIn(t, s.mail.Next(t))
	s.restart(t)
	if stage, err := b.finish(t, code); err != nil || stage != auth.Done {
		t.Fatalf("FinishMailed = %s, %v, want %s", stage, err, auth.Done)
	}
	s.restart(t)
	if stage := b.stage(t, jo, password); stage != auth.Done {
		t.Errorf("SignIn = %s, want %s: the browser is known to all panels", stage, auth.Done)
	}
}

// Another password and a suspension end sign-ins that wait for a code: nobody comes in with
// what is not right any more.
func TestASignInThatWaitsEndsWithItsPassword(t *testing.T) {
	ends := map[string]func(t *testing.T, s *site, boss, own *browser){
		"another password": func(t *testing.T, s *site, _, own *browser) {
			t.Helper()
			must(t, own.in(t, func(ctx context.Context) error { return s.ChangePassword(ctx, password, another) }))
		},
		"suspended": func(t *testing.T, s *site, boss, own *browser) {
			t.Helper()
			id := own.who(t).ID
			must(t, boss.in(t, func(ctx context.Context) error {
				actor, _ := auth.ActorOf(ctx)
				return s.Provider.SuspendUser(ctx, actor, id, true)
			}))
		},
		"a quarter of an hour": func(_ *testing.T, s *site, _, _ *browser) { s.pass(16 * time.Minute) },
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			s := mailing(t)
			boss := s.administrator(t)
			own := s.customer(t, boss, jo)
			b := s.browser(t)
			b.stage(t, jo, password)
			code := codeIn(t, s.mail.Next(t))
			end(t, s, boss, own)
			_, err := b.finish(t, code)
			wantCode(t, "FinishMailed", err, hosting.SignIn)
			wantCode(t, "MailAgain", b.again(t), hosting.SignIn)
			if b.who(t) != nil {
				t.Error("somebody is signed in")
			}
		})
	}
}

func TestAPasskeyTakesNoMailedCode(t *testing.T) {
	s := mailing(t)
	k := s.customer(t, s.administrator(t), jo).addPasskey(t)
	b := s.browser(t)
	if _, err := b.passkey(t, k); err != nil || b.who(t) == nil || s.mail.Waiting() != 0 {
		t.Errorf("the passkey = %v with %d mails, want it to sign in without any", err, s.mail.Waiting())
	}
}
