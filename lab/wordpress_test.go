package lab

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// TestWordPressIsFinishedAfterOneCommand is the product's promise: one command,
// and a person signs in, writes a post with a picture, and the world sees it.
func TestWordPressIsFinishedAfterOneCommand(t *testing.T) {
	c := openCluster(t)
	blog := c.expectSite(t, "blog.localhost")
	c.calm(t)
	clock := watchSteps(t, blog)
	made := c.kubepanel(t, "site", "create", blog.name, "--wordpress", "--wait")
	made.must(t)
	visitor := c.newVisitor(t, "127.0.0.1")
	front := visitor.must(t, blog.url()+"/")
	live := clock.stop()
	t.Logf("live over HTTPS after %.1f s:\n%s\nkubepanel said:\n%s%s", live.total.Seconds(), live.table(), made.stdout, made.stderr)
	if !strings.Contains(front.body, "wp-content") && !strings.Contains(front.body, "wp-block") {
		t.Errorf("the front page is not WordPress': %.300s", front.body)
	}

	password := strings.TrimSpace(c.kubepanel(t, "site", "password", blog.name).must(t))
	if want := blog.secret(t, "wordpress-admin")["password"]; password != want {
		t.Errorf("'site password' printed %d characters, not the administrator's password", len(password))
	}

	window := newBrowser(t, "wordpress", c.ca)
	person := author{browser: window, site: blog}
	person.signIn(blog.secret(t, "wordpress-admin")["username"], password)
	person.upload(pictureFile(t, "library.png"))
	link := person.publish("A sunny day", "Written in a real browser.", pictureFile(t, "sun.png"))
	checkPermalink(t, blog, link)

	world := window.anonymous()
	world.open(link)
	world.until("the picture is shown", `document.querySelector('.wp-block-image img')?.naturalWidth === 640`)
	if got := world.sees("h1"); got != "A sunny day" {
		t.Errorf("the post's title is %q", got)
	}
	world.shot("post")

	t.Run("REST API", func(t *testing.T) { checkREST(t, blog, visitor) })
	t.Run("no open installer", func(t *testing.T) { checkInstaller(t, blog, visitor) })
	t.Run("HTTP leads to HTTPS", func(t *testing.T) { checkRedirect(t, blog, visitor) })
	t.Run("uploads up to the configured size", func(t *testing.T) { checkUploads(t, person, visitor) })
}

// checkPermalink wants an address for people, under the site's own name.
func checkPermalink(t *testing.T, s site, link string) {
	t.Helper()
	parsed, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(link, s.url()+"/") || parsed.RawQuery != "" || !strings.Contains(parsed.Path, "a-sunny-day") {
		t.Errorf("the post's address is %s, want a permalink below %s", link, s.url())
	}
}

func checkREST(t *testing.T, s site, v visitor) {
	posts := v.must(t, s.url()+"/wp-json/wp/v2/posts")
	if !strings.Contains(posts.body, "A sunny day") {
		t.Errorf("the REST API does not list the post: %.300s", posts.body)
	}
	// The editor's way: WordPress' own answer, not the web server's page.
	missing, err := v.get(t.Context(), s.url()+"/wp-json/wp/v2/posts/999999")
	if err != nil || missing.status != http.StatusNotFound || !strings.Contains(missing.body, "rest_post_invalid_id") {
		t.Errorf("a post that is not there: %d %.200s (%v), want WordPress' 404", missing.status, missing.body, err)
	}
}

func checkInstaller(t *testing.T, s site, v visitor) {
	got, err := v.get(t.Context(), s.url()+"/wp-admin/install.php")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(got.body, `name="weblog_title"`) || strings.Contains(got.body, `id="language"`) {
		t.Error("the installer is open to everybody")
	}
}

func checkRedirect(t *testing.T, s site, v visitor) {
	got, err := v.get(t.Context(), s.settings.Edge.PlainURL(s.name)+"/some/page?x=1")
	if err != nil {
		t.Fatal(err)
	}
	where, want := got.header.Get("Location"), s.url()+"/some/page?x=1"
	if got.status != http.StatusMovedPermanently && got.status != http.StatusPermanentRedirect || where != want {
		t.Errorf("HTTP answers %d to %q, want a permanent redirect to %q", got.status, where, want)
	}
}

// checkUploads goes up to the default limit of 64 MiB and beyond.
func checkUploads(t *testing.T, a author, v visitor) {
	a.open(a.url() + "/wp-admin/media-new.php?browser-uploader")
	if said := a.sees(".max-upload-size"); !strings.Contains(said, "64 MB") {
		t.Errorf("the upload page says %q, want 64 MB", said)
	}
	a.shot("upload-limit")
	a.put(t, "lab-upload.php", `<?php echo $_FILES['file']['error'] . ' ' . $_FILES['file']['size'];`)
	taken, err := upload(t.Context(), v, a.url()+"/lab-upload.php", 63*mebibyte)
	if want := fmt.Sprintf("0 %d", 63*mebibyte); err != nil || taken.body != want {
		t.Errorf("upload of 63 MiB = %d %.200q (%v), want %q", taken.status, taken.body, err, want)
	}
	refused, err := upload(t.Context(), v, a.url()+"/lab-upload.php", 65*mebibyte)
	if err != nil || refused.status != http.StatusRequestEntityTooLarge {
		t.Errorf("upload of 65 MiB = %d (%v), want 413", refused.status, err)
	}
}

// upload sends one file of zeroes as a form.
func upload(ctx context.Context, v visitor, to string, size int) (page, error) {
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	file, err := w.CreateFormFile("file", "large.bin")
	if err != nil {
		return page{}, err
	}
	if _, err := io.CopyN(file, zeroes{}, int64(size)); err != nil {
		return page{}, err
	}
	if err := w.Close(); err != nil {
		return page{}, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, to, &form)
	if err != nil {
		return page{}, err
	}
	request.Header.Set("Content-Type", w.FormDataContentType())
	return v.do(request)
}

type zeroes struct{}

func (zeroes) Read(p []byte) (int, error) { clear(p); return len(p), nil }
