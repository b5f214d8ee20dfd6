package web_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/door/doortest"
	"kubepanel.io/kubepanel/internal/toolbox/toolboxtest"
)

func TestMain(m *testing.M) { toolboxtest.Main(m) }

const filesAt = "/sites/shop.example/files"

// openFiles gives a house a site of Jo's whose toolbox runs, and returns the folder of
// its files.
func openFiles(t *testing.T, flags ...string) (h *house, root string) {
	t.Helper()
	h = newHouse(t)
	h.site("shop.example", nil)
	street := doortest.New(t)
	h.rules.Door = street
	root, _ = street.Site("shop.example", flags...)
	h.as = h.jo
	return h, root
}

func put(t *testing.T, root, name, content string) {
	t.Helper()
	file := filepath.Join(root, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestFilesAreListed(t *testing.T) {
	h, root := openFiles(t)
	put(t, root, "html/index.php", "<?php")
	put(t, root, "html/wp-content/a&b.css", "x")
	put(t, root, "html/bad\xff.txt", "x")
	if err := os.Symlink("/etc/passwd", filepath.Join(root, "html", "out")); err != nil {
		t.Fatal(err)
	}
	h.get(filesAt).want(t, http.StatusOK, "index.php", "5\u00a0B", `href="/sites/shop.example/files?path=%2Fhtml%2Fwp-content"`, "/etc/passwd", "bad�.txt", "rename it by SFTP")
	h.get(filesAt+"?path=/html/wp-content").want(t, http.StatusOK, "a&amp;b.css")
	h.get(filesAt+"?path=/../../../etc").want(t, http.StatusNotFound)
	h.get(filesAt+"?path=/html/out").want(t, http.StatusUnprocessableEntity, "leads out of the site")
	h.get(filesAt+"?path=/html/index.php").want(t, http.StatusUnprocessableEntity, "is no folder")
}

func TestFilesOfASiteThatCantBeEntered(t *testing.T) {
	tests := map[string]struct {
		change func(*v1alpha1.Domain)
		says   string
	}{
		"suspended":  {func(d *v1alpha1.Domain) { d.Spec.Suspended = true }, "The site is suspended"},
		"no SFTP":    {func(d *v1alpha1.Domain) { d.Spec.SFTP.Enabled = new(false) }, "SFTP is switched off"},
		"being made": {func(d *v1alpha1.Domain) { d.Status.SFTP = nil }, "being made"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			h.site("shop.example", tt.change)
			h.rules.Door = doortest.New(t)
			h.get(filesAt).want(t, http.StatusOK, tt.says)
		})
	}
	h := newHouse(t)
	h.site("shop.example", nil)
	h.get(filesAt).want(t, http.StatusOK, "no way to the files")
	h.rules.Door = doortest.New(t)
	h.get(filesAt).want(t, http.StatusServiceUnavailable, "does not answer")
}

func TestFilesAreForWhoMay(t *testing.T) {
	h, root := openFiles(t)
	put(t, root, "html/index.php", "secret content")
	collaborator := func(rights ...hosting.Right) hosting.Actor {
		u, err := h.rules.Invite(t.Context(), h.jo, hosting.Invitation{Email: "co@work.example", Name: "Co", Customer: h.jo.ID, Site: "shop.example", Rights: rights})
		h.must(err)
		return h.actor(u.ID)
	}
	h.as = collaborator(hosting.RightSiteView)
	h.get(filesAt).want(t, http.StatusForbidden)
	if page := h.get("/sites/shop.example"); strings.Contains(page.body, filesAt) {
		t.Error("somebody without the right is led to the files")
	}
	h.as = collaborator(hosting.RightSiteFiles)
	h.get(filesAt).want(t, http.StatusOK, "index.php")
	stranger, err := h.rules.CreateUser(t.Context(), h.boss, hosting.NewUser{Email: "eve@shop.example", Name: "Eve", Role: hosting.Customer, Package: h.pack})
	h.must(err)
	h.as = h.actor(stranger.ID)
	h.get(filesAt).want(t, http.StatusNotFound)
}
