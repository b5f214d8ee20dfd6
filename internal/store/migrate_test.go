package store

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/store/postgrestest"
)

// Each version of the tables, with what it held, becomes the newest and keeps all.
func TestEveryEarlierVersionBecomesTheNewest(t *testing.T) {
	server, err := postgrestest.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatalf("migrations = %v, %v", files, err)
	}
	for _, file := range files {
		version := versionOf(t, file)
		t.Run(fmt.Sprintf("SQLite from %d", version), func(t *testing.T) {
			fromVersion(t, "sqlite:"+filepath.Join(t.TempDir(), "panel.db"), version)
		})
		t.Run(fmt.Sprintf("PostgreSQL from %d", version), func(t *testing.T) {
			address, err := server.Database(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			fromVersion(t, address, version)
		})
	}
}

// versionOf reads the version that a migration brings.
func versionOf(t *testing.T, file string) int64 {
	t.Helper()
	number, _, _ := strings.Cut(path.Base(file), "_")
	version, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return version
}

func fromVersion(t *testing.T, address string, version int64) {
	t.Helper()
	ctx := t.Context()
	old, err := connect(address, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := old.migrate(ctx, version); err != nil {
		t.Fatal(err)
	}
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files { // what each version brought
		v := versionOf(t, file)
		if v > version {
			break
		}
		sample, err := os.ReadFile(fmt.Sprintf("testdata/%05d.sql", v))
		if err != nil {
			t.Fatalf("version %d has no sample: %v", v, err)
		}
		for statement := range strings.SplitSeq(string(sample), ";\n") {
			if strings.TrimSpace(statement) == "" {
				continue
			}
			if _, err := old.write.ExecContext(ctx, statement); err != nil {
				t.Fatalf("%s: %v", statement, err)
			}
		}
	}
	old.Close()
	db, err := Open(ctx, address, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s, err := db.OwnedSite(ctx, "shop.example")
	if err != nil {
		t.Fatal(err)
	}
	want := hosting.OwnedSite{Name: "shop.example", Object: "shop.example", Owner: "u3", OwnerName: "Jo", Reseller: "u2",
		State: hosting.SiteOwned, Held: true, OwnerSuspended: true,
		CreatedAt: time.UnixMicro(1767225600000004).UTC(), ChangedAt: time.UnixMicro(1767225600000005).UTC()}
	if version >= 13 {
		want.Written = hosting.Written{Version: "4711", At: time.UnixMicro(1767225900000000).UTC()}
	}
	if version >= 19 {
		want.NamesSum = 19
	}
	amounts := s.Amounts
	s.Amounts = nil
	if fmt.Sprint(*s) != fmt.Sprint(want) || amounts[hosting.Storage] != 5 || amounts[hosting.Sites] != 1 {
		t.Errorf("OwnedSite = %+v with %v, want %+v with 5 GiB", *s, amounts, want)
	}
	grants, err := db.GrantsOn(ctx, "u3")
	if err != nil || len(grants) != 1 || grants[0].User.Email != "dev@agency.example" || len(grants[0].Grant.Rights) != 2 {
		t.Errorf("GrantsOn = %+v, %v", grants, err)
	}
	login, err := db.Login(ctx, "u1")
	if err != nil || login.PasswordHash != "hash" || login.TOTPStep != 7 || len(login.Recovery) != 1 || login.Enrol != (version >= 14) || (login.Language == "de") != (version >= 20) {
		t.Errorf("Login = %+v, %v", login, err)
	}
	if version >= 3 {
		if o, err := db.Once(ctx, "u1", "key"); err != nil || o.Made != "u3" || o.Request != "digest" || o.Answer != nil {
			t.Errorf("Once = %+v, %v", o, err)
		}
	}
	if version >= 4 {
		w, err := db.Webhook(ctx, "w1")
		if err != nil || !w.Disabled || w.Seq != 7 || w.OwnerRole != hosting.Customer || !w.OwnerStopped || len(w.Events) != 1 {
			t.Errorf("Webhook = %+v, %v", w, err)
		}
		if d, err := db.Delivery(ctx, "w1", "d1"); err != nil || d.Tries != 2 || string(d.Body) != "{}" {
			t.Errorf("Delivery = %+v, %v", d, err)
		}
	}
	if version >= 7 {
		keptApplication(t, db)
	}
	if version >= 12 {
		keptLogouts(t, db)
	}
	if version >= 18 {
		keptFindings(t, db)
	}
	if version >= 22 {
		keptFileJobs(t, db)
	}
	if version >= 17 {
		keptBrowsers(t, db)
	}
	if version >= 16 {
		if s, err := db.Sending(ctx, "logs.example:6514"); err != nil || s.Seq != 3 || s.Tries != 2 || s.Fault != hosting.FaultUnreachable || s.NextAt.UnixMicro() != 1767225600000007 {
			t.Errorf("Sending = %+v, %v", s, err)
		}
	}
	if version >= 8 {
		if s, err := db.PanelSettings(ctx); err != nil || s.Name != "Hoster" || s.Light != "#0b6e4f" || !s.FirstStepsAway || len(s.Logo) != 0 {
			t.Errorf("PanelSettings = %+v, %v", s, err)
		}
	}
}

func keptBrowsers(t *testing.T, db *DB) {
	t.Helper()
	ctx := t.Context()
	all, err := db.Browsers(ctx, "u3")
	if err != nil || len(all) != 1 || all[0].Address != "192.0.2.7" || all[0].Agent != "Firefox" || all[0].ExpiresAt.UnixMicro() != 1767225600000003 {
		t.Errorf("Browsers = %+v, %v", all, err)
	}
	if c, err := db.MailedCode(ctx, "m1"); err != nil || c.User != "u3" || c.Hash != "hash" || c.Wrong != 2 || c.SentAt.UnixMicro() != 1767225600000004 {
		t.Errorf("MailedCode = %+v, %v", c, err)
	}
}

func keptApplication(t *testing.T, db *DB) {
	t.Helper()
	ctx := t.Context()
	if a, err := db.Application(ctx, "a1"); err != nil || a.Name != "Grafana" || len(a.Redirects) != 1 || !a.Admits(hosting.Administrator) || a.Admits(hosting.Customer) {
		t.Errorf("Application = %+v, %v", a, err)
	}
	if p, err := db.PassByCode(ctx, "code"); err != nil || p.ID != "p1" || !p.Factor || len(p.Scopes) != 2 || !p.RedeemedAt.IsZero() {
		t.Errorf("PassByCode = %+v, %v", p, err)
	}
	if had, err := db.PassToken(ctx, hosting.PassRefresh, "token"); err != nil || had.Pass != "p1" || had.UsedAt.UnixMicro() != 1767225600000004 {
		t.Errorf("PassToken = %+v, %v", had, err)
	}
	if _, err := db.PassToken(ctx, hosting.PassAccess, "token"); hosting.CodeOf(err) != hosting.NotFound {
		t.Errorf("a refresh token as an access token = %v, want that there is none", err)
	}
}

func keptLogouts(t *testing.T, db *DB) {
	t.Helper()
	ctx := t.Context()
	if a, err := db.Application(ctx, "a1"); err != nil || a.Logout != "https://grafana.example/logout" || !a.Inside {
		t.Errorf("Application = %+v, %v", a, err)
	}
	at := time.UnixMicro(1767225600000005)
	due, err := db.DueLogouts(ctx, at, 9)
	if err != nil || len(due) != 1 || due[0].ID != "l2" || due[0].Tries != 2 || due[0].User != "u9" || due[0].Session != "" {
		t.Errorf("DueLogouts = %+v, %v; want the one whose session is gone", due, err)
	}
	if early, err := db.DueLogouts(ctx, at.Add(-time.Microsecond), 9); err != nil || len(early) != 0 {
		t.Errorf("DueLogouts before its time = %+v, %v", early, err)
	}
	err = db.Write(ctx, func(tx hosting.Tx) error { return tx.DeleteSession(ctx, "s1") })
	if err != nil {
		t.Fatal(err)
	}
	if due, err := db.DueLogouts(ctx, at, 9); err != nil || len(due) != 2 || due[0].ID != "l1" {
		t.Errorf("after the session ended DueLogouts = %+v, %v; want both, the one that was not tried first", due, err)
	}
}

// Several panels that start on an empty database at once make its tables once.
func TestPanelsThatStartAtOnceMakeTheTablesOnce(t *testing.T) {
	server, err := postgrestest.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	address, err := server.Database(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	errs := make([]error, 4)
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() {
			db, err := Open(t.Context(), address, Options{})
			if err == nil {
				db.Close()
			}
			errs[i] = err
		})
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			t.Errorf("Open beside others = %v", err)
		}
	}
}

func TestANewerDatabaseIsRefused(t *testing.T) {
	address := "sqlite:" + filepath.Join(t.TempDir(), "panel.db")
	db, err := Open(t.Context(), address, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.write.ExecContext(t.Context(), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, 1)`); err != nil {
		t.Fatal(err)
	}
	db.Close()
	if db, err = Open(t.Context(), address, Options{}); err == nil {
		db.Close()
		t.Fatal("Open(a database of version 999) was no error")
	}
	if !strings.Contains(err.Error(), "start the newer program") {
		t.Errorf("Open(a database of version 999) = %v, want what to do", err)
	}
}

func FuzzSeal(f *testing.F) {
	keys, err := newRing([][]byte{[]byte(strings.Repeat("a", keySize)), []byte(strings.Repeat("b", keySize))})
	if err != nil {
		f.Fatal(err)
	}
	good, err := keys.seal("place", []byte("secret"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good, "place")
	f.Add(good, "elsewhere")
	f.Add([]byte{sealVersion}, "place")
	f.Fuzz(func(t *testing.T, sealed []byte, place string) {
		plain, err := keys.open(place, sealed)
		if err == nil && len(sealed) > 0 && string(plain) != "secret" {
			t.Errorf("open(%x) at %q = %q, which nobody sealed", sealed, place, plain)
		}
		if err == nil && len(sealed) > 0 && place != "place" {
			t.Errorf("open(%x) at %q opened what was sealed for another place", sealed, place)
		}
	})
}

func FuzzPlace(f *testing.F) {
	f.Add("a = ? AND b = ?")
	f.Fuzz(func(t *testing.T, statement string) {
		got := onServer.place(statement)
		if strings.Contains(got, "?") {
			t.Errorf("place(%q) = %q, which has a ? left", statement, got)
		}
		if inFile.place(statement) != statement {
			t.Errorf("place(%q) changed it for SQLite", statement)
		}
	})
}

func keptFindings(t *testing.T, db *DB) {
	t.Helper()
	sweep, err := db.SiteSweep(t.Context(), "shop.example")
	if err != nil || string(sweep.After) != "html" || !sweep.Whole || sweep.Asked || sweep.Found != 8 || sweep.NextAt.UnixMicro() != 1767225600000008 {
		t.Errorf("SiteSweep = %+v, %v", sweep, err)
	}
	f, err := db.Finding(t.Context(), "shop.example", "f1")
	if err != nil || string(f.Path) != "/html/a.php" || f.Mark.Size != 3 || f.Mode != 0o644 || f.State != hosting.FindingRestored {
		t.Errorf("Finding = %+v, %v", f, err)
	}
}

func keptFileJobs(t *testing.T, db *DB) {
	t.Helper()
	j, err := db.FileJob(t.Context(), "shop.example", "j1")
	if err != nil || len(j.Paths) != 1 || j.Paths[0] != "/html" || j.To != "/all.zip" || j.Cancel || j.Size != 4 || j.Entries != 5 || j.Problem == nil || j.Problem.Code != hosting.OverQuota {
		t.Errorf("FileJob = %+v, %v", j, err)
	}
}
