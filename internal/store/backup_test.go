package store_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/store"
)

// fill makes some of everything, and returns an account with a TOTP seed.
func (h *house) fill(t *testing.T) hosting.ID {
	t.Helper()
	seller := h.user(t, h.boss, "seller@sells.example", hosting.Reseller, h.pack(t, h.boss, "Big", hosting.Quota{hosting.Sites: 50}))
	jo := h.user(t, seller, "jo@shop.example", hosting.Customer, h.pack(t, seller, "Small", hosting.Quota{hosting.Sites: 20}))
	h.site(t, jo, "shop.example")
	must(t, h.Store.Write(t.Context(), func(tx hosting.Tx) error {
		if err := tx.PutSending(t.Context(), &hosting.Sending{Server: "logs.example:6514", Seq: 1}); err != nil {
			return err
		}
		return tx.PutPanelSettings(t.Context(), &hosting.PanelSettings{Name: "Our hosting", Logo: []byte("a picture")})
	}))
	_, err := h.Invite(t.Context(), jo, hosting.Invitation{Email: "dev@agency.example", Name: "Dev", Customer: jo.ID, Rights: []hosting.Right{hosting.RightSiteFiles}})
	must(t, err)
	must(t, h.Store.Write(t.Context(), func(tx hosting.Tx) error {
		if err := tx.PutSession(t.Context(), &hosting.Session{ID: "s1", User: jo.ID, Data: []byte("data"), ExpiresAt: clock.AddDate(10, 0, 0)}); err != nil {
			return err
		}
		return tx.PutLogin(t.Context(), &hosting.Login{User: jo.ID, PasswordHash: "hash", TOTP: []byte("SEEDSEEDSEED"), Recovery: []string{"a"}})
	}))
	_, err = h.BeginOnce(t.Context(), jo, "key", "DIGESTDIGEST", 0)
	must(t, err)
	return jo.ID
}

// A backup of either database, taken while sites are made, comes back whole in either.
func TestBackupComesBackWhole(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		h := newHouse(t, address)
		id := h.fill(t)
		jo := h.actor(t, id)
		ctx, stop := context.WithCancel(t.Context())
		busy := make(chan struct{})
		go func() {
			defer close(busy)
			for i := 0; ctx.Err() == nil && i < 15; i++ {
				_, _ = h.CreateSite(ctx, jo, "", newSite(fmt.Sprintf("busy%d.example", i)), false) // ends with the test
			}
		}()
		file := filepath.Join(t.TempDir(), "panel.backup")
		must(t, h.Store.(*store.DB).Backup(t.Context(), file))
		stop()
		<-busy
		if left, _ := filepath.Glob(file + "?*"); len(left) != 0 {
			t.Errorf("the backup left %v beside it", left)
		}
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("the backup's mode is %v, %v; want 0600", info.Mode(), err)
		}
		if err := h.Store.(*store.DB).Backup(t.Context(), file); err == nil {
			t.Error("a second backup replaced the first")
		}
		onBoth(t, func(t *testing.T, other string) {
			must(t, store.Restore(t.Context(), file, other, store.Options{Keys: [][]byte{key(1)}}))
			db := open(t, other)
			n, err := hosting.VerifyTrail(t.Context(), db)
			if err != nil || n < 6 {
				t.Errorf("VerifyTrail(restored) = %d, %v", n, err)
			}
			login, err := db.Login(t.Context(), id)
			if err != nil || string(login.TOTP) != "SEEDSEEDSEED" {
				t.Errorf("Login(restored) = %+v, %v", login, err)
			}
			used, err := db.UsedBy(t.Context(), id, false)
			must(t, err)
			_, total, err := db.OwnedSites(t.Context(), hosting.SiteQuery{Owner: id, Limit: 1})
			if err != nil || total < 1 || used[hosting.Sites] != total {
				t.Errorf("%d sites count %d, %v", total, used[hosting.Sites], err)
			}
			if _, err := db.Session(t.Context(), "s1"); hosting.CodeOf(err) != hosting.NotFound {
				t.Errorf("Session(restored) = %v, want %s: a restore brings no session back", err, hosting.NotFound)
			}
			if s, err := db.Sending(t.Context(), "logs.example:6514"); err != nil || s.Seq != 1 {
				t.Errorf("Sending(restored) = %+v, %v", s, err)
			}
			if s, err := db.PanelSettings(t.Context()); err != nil || s.Name != "Our hosting" || string(s.Logo) != "a picture" {
				t.Errorf("PanelSettings(restored) = %+v, %v", s, err)
			}
			if err := store.Restore(t.Context(), file, other, store.Options{Keys: [][]byte{key(1)}}); hosting.CodeOf(err) != hosting.Conflict {
				t.Errorf("Restore over a database in use = %v, want %s", err, hosting.Conflict)
			}
		})
		wrong := "sqlite:" + filepath.Join(t.TempDir(), "wrong.db")
		if err := store.Restore(t.Context(), file, wrong, store.Options{Keys: [][]byte{key(9)}}); err == nil {
			t.Error("Restore with another key was no error")
		}
	})
}

func TestKeysAreRotatedWhileTheOldOneIsKnown(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		h := newHouse(t, address)
		id := h.fill(t)
		reopen := func(keys ...[]byte) *store.DB {
			db, err := store.Open(t.Context(), address, store.Options{Keys: keys})
			must(t, err)
			t.Cleanup(db.Close)
			return db
		}
		if _, err := reopen(key(2)).Login(t.Context(), id); err == nil {
			t.Error("Login with another key was no error")
		}
		both := reopen(key(2), key(1))
		if n, err := both.Rotate(t.Context()); err != nil || n != 3 {
			t.Errorf("Rotate = %d, %v, want a seed, a session and what a request asked", n, err)
		}
		if n, err := both.Rotate(t.Context()); err != nil || n != 0 {
			t.Errorf("Rotate again = %d, %v, want nothing", n, err)
		}
		if o, err := reopen(key(2)).Once(t.Context(), id, "key"); err != nil || o.Request != "DIGESTDIGEST" {
			t.Errorf("Once with the new key = %+v, %v", o, err)
		}
		login, err := reopen(key(2)).Login(t.Context(), id)
		if err != nil || string(login.TOTP) != "SEEDSEEDSEED" {
			t.Errorf("Login with the new key = %+v, %v", login, err)
		}
	})
}

// Nobody who reads the file finds a secret in it.
func TestSecretsAreNotInTheFile(t *testing.T) {
	address := "sqlite:" + filepath.Join(t.TempDir(), "panel.db")
	h := newHouse(t, address)
	h.fill(t)
	h.Store.(*store.DB).Close()
	data, err := os.ReadFile(strings.TrimPrefix(address, "sqlite:"))
	must(t, err)
	if bytes.Contains(data, []byte("SEEDSEED")) || bytes.Contains(data, []byte("DIGESTDIGEST")) || !bytes.Contains(data, []byte("jo@shop.example")) {
		t.Error("the seed or a request is in the database's file, or nothing is")
	}
}
