package web_test

import (
	"bytes"
	"image"
	"image/png"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"kubepanel.io/kubepanel/internal/hosting"
)

// upload sends a file as the logo's form does.
func (h *house) upload(data []byte) answer {
	h.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("logo", "logo.png")
	h.must(err)
	_, err = part.Write(data)
	h.must(err)
	h.must(form.Close())
	r := httptest.NewRequest(http.MethodPost, "/platform/logo", &body)
	r.Header.Set("Content-Type", form.FormDataContentType())
	return h.ask(r)
}

func (h *house) logo() []byte {
	h.t.Helper()
	var b bytes.Buffer
	h.must(png.Encode(&b, image.NewRGBA(image.Rect(0, 0, 32, 32))))
	return b.Bytes()
}

func TestNameAndColoursAreEverybodys(t *testing.T) {
	h := newHouse(t)
	h.get("/platform/settings").want(t, http.StatusOK, "Name and colours", `value="#1e59cd"`)
	h.post("/platform/settings", url.Values{"name": {"Blue & Sons"}, "light": {"#0b6e4f"}, "dark": {"#7fe0b8"}}).leads(t, "/platform/settings")
	style := regexp.MustCompile(`/brand/accent\.[0-9a-f]{16}\.css`)
	for _, path := range []string{"/platform/settings", "/sign-in"} {
		if h.as = h.boss; path == "/sign-in" {
			h.as.ID = ""
		}
		page := h.get(path)
		page.want(t, http.StatusOK, "Blue &amp; Sons")
		sheet := h.get(style.FindString(page.body))
		sheet.want(t, http.StatusOK, "--accent: light-dark(#0b6e4f, #7fe0b8);")
		if kind := sheet.header.Get("Content-Type"); kind != "text/css; charset=utf-8" || !strings.Contains(sheet.header.Get("Cache-Control"), "immutable") {
			t.Errorf("the accent's style is %q, kept %q", kind, sheet.header.Get("Cache-Control"))
		}
	}
	h.as = h.boss
	told, err := h.rules.Store.Trail(t.Context(), hosting.AuditQuery{Did: "platform.change", Limit: 1})
	if err != nil || len(told) != 1 || !strings.Contains(told[0].After, "#0b6e4f") || told[0].Actor != h.boss.ID {
		t.Errorf("the trail says %+v, %v, want who changed what", told, err)
	}
	h.get("/brand/accent.0000000000000000.css").want(t, http.StatusNotFound)
	h.post("/platform/settings", url.Values{"own": {"1"}, "light": {"#0b6e4f"}, "dark": {"#7fe0b8"}}).leads(t, "/platform/settings")
	if page := h.get("/sites"); style.MatchString(page.body) || strings.Contains(page.body, "Blue") {
		t.Error("the panel's own look did not come back")
	}
}

func TestColoursThatCanNotBeReadAreRefused(t *testing.T) {
	h := newHouse(t)
	for _, do := range []string{"", "preview"} {
		h.post("/platform/settings", url.Values{"name": {"Hoster"}, "light": {"#ffee00"}, "dark": {"#000080"}, "do": {do}}).want(t, http.StatusUnprocessableEntity,
			"in the light theme", "in the dark theme", `value="#ffee00"`, `value="#000080"`, `value="Hoster"`)
	}
	page := h.post("/platform/settings", url.Values{"name": {"Hoster"}, "light": {"#0b6e4f"}, "dark": {"#7fe0b8"}, "do": {"preview"}})
	page.want(t, http.StatusOK, "/brand/preview.css?dark=%237fe0b8&amp;light=%230b6e4f")
	h.get("/brand/preview.css?dark=%237fe0b8&light=%230b6e4f").want(t, http.StatusOK, ".preview {", "#0b6e4f")
	h.get("/brand/preview.css?dark=%237fe0b8&light=red").want(t, http.StatusUnprocessableEntity)
	if page := h.get("/sites"); strings.Contains(page.body, "Hoster") {
		t.Error("a preview was saved")
	}
}

func TestALogoIsServedAsAnImageAndNothingElse(t *testing.T) {
	h := newHouse(t)
	h.upload(h.logo()).leads(t, "/platform/settings")
	at := regexp.MustCompile(`/brand/logo\.[0-9a-f]{16}\.png`)
	logo := at.FindString(h.get("/sites").body)
	got := h.get(logo)
	got.want(t, http.StatusOK)
	if _, format, err := image.DecodeConfig(strings.NewReader(got.body)); err != nil || format != "png" {
		t.Errorf("the logo is %s, %v, want a PNG", format, err)
	}
	if kind := got.header.Get("Content-Type"); kind != "image/png" || got.header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("the logo is served as %q", kind)
	}
	h.upload([]byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`)).want(t, http.StatusUnprocessableEntity, "save the logo as PNG")
	h.upload(nil).want(t, http.StatusUnprocessableEntity, "Choose a file.")
	h.upload(make([]byte, 600<<10)).want(t, http.StatusRequestEntityTooLarge)
	if again := at.FindString(h.get("/sites").body); again != logo {
		t.Errorf("a refused logo left %q, want %q", again, logo)
	}
	h.post("/platform/logo/remove", nil).leads(t, "/platform/settings")
	h.get(logo).want(t, http.StatusNotFound)
}

func TestFirstStepsArePutAwayAndBroughtBack(t *testing.T) {
	h := newHouse(t)
	h.get("/").want(t, http.StatusOK, "First steps", "Put it away")
	h.post("/platform/first-steps", url.Values{"away": {"1"}}).leads(t, "/")
	if page := h.get("/"); strings.Contains(page.body, "First steps") {
		t.Error("the checklist is still there")
	}
	h.get("/platform/settings").want(t, http.StatusOK, "Bring it back")
	h.post("/platform/first-steps", url.Values{"next": {"/platform/settings"}}).leads(t, "/platform/settings")
	h.get("/").want(t, http.StatusOK, "First steps")
}

func TestOnlyAdministratorsSetThePanel(t *testing.T) {
	h := newHouse(t)
	h.as = h.jo
	h.get("/platform/settings").want(t, http.StatusForbidden)
	h.upload(h.logo()).want(t, http.StatusForbidden)
	for path, form := range map[string]url.Values{
		"/platform/settings": {"name": {"Mine"}}, "/platform/logo/remove": nil, "/platform/first-steps": {"away": {"1"}},
	} {
		h.post(path, form).want(t, http.StatusForbidden)
	}
	h.post("/platform/settings", url.Values{"name": {"Mine"}, "do": {"preview"}}).want(t, http.StatusForbidden)
}
