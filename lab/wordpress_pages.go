package lab

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp/kb"
)

// author is a person at a browser who has the administrator's password.
type author struct {
	*browser
	site
}

// signIn goes through the sign-in page to the dashboard.
func (a author) signIn(user, password string) {
	a.t.Helper()
	a.open(a.url() + "/wp-login.php")
	a.shot("sign-in")
	a.write("#user_login", user)
	a.write("#user_pass", password)
	a.click("#wp-submit")
	a.sees("#wpadminbar")
	a.sees("#wpbody h1")
	a.shot("dashboard")
}

// upload gives a picture to the media library through its plain form.
func (a author) upload(file string) {
	a.t.Helper()
	a.open(a.url() + "/wp-admin/media-new.php?browser-uploader")
	a.choose("#async-upload", file)
	a.click("#html-upload")
	a.until("the media library shows the upload", `location.pathname.endsWith('/upload.php') && document.querySelector('#wpbody img')?.naturalWidth > 0`)
	a.shot("media-library")
}

// publish writes a post with a picture in the block editor and returns its address.
func (a author) publish(title, text, file string) string {
	a.t.Helper()
	a.open(a.url() + "/wp-admin/post-new.php")
	a.until("the editor is there", `document.querySelector('.editor-post-publish-panel__toggle, .editor-post-publish-button__button')`)
	a.closeGuide()
	a.write(".editor-post-title__input", title)
	a.press(kb.Enter)
	a.press(text + kb.Enter)
	a.press("/image")
	a.sees(".components-autocomplete__result")
	a.press(kb.Enter)
	a.sees(".block-editor-media-placeholder")
	a.shot("editor")
	a.choose(".block-editor-media-placeholder input[type=file]", file)
	// While it uploads the editor shows the picture from memory (blob:) with a spinner.
	a.until("the picture is uploaded into the post", `[document, ...[...document.querySelectorAll('iframe')].map(f => f.contentDocument)]
		.some(page => page?.querySelector('.wp-block-image img[src^="http"]')?.naturalWidth > 0)`)
	a.shot("editor-with-picture")
	a.click(".editor-post-publish-panel__toggle")
	a.click(".editor-post-publish-panel .editor-post-publish-button")
	a.sees(".post-publish-panel__postpublish")
	a.shot("published")
	return a.read(`document.querySelector('.post-publish-panel__postpublish-header a').href`)
}

// closeGuide closes the welcome that the editor shows to a person's first visit.
// It comes a moment after the editor, or not at all; the editor's own state says
// which.
func (a author) closeGuide() {
	a.t.Helper()
	a.until("the editor knows its preferences", `window.wp?.data?.select('core/edit-post')`)
	if a.read(`String(wp.data.select('core/edit-post').isFeatureActive('welcomeGuide'))`) == "true" {
		a.shot("welcome")
		a.click(".components-modal__header button")
	}
	a.until("no dialog covers the editor", `!document.querySelector('.components-modal__frame')`)
}

// pictureFile writes a picture to upload and returns its path.
func pictureFile(t testing.TB, name string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, picture(t, 640, 400), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
