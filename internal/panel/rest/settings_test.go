package rest_test

import (
	"bytes"
	"image"
	"image/png"
	"net/http"
	"strings"
	"testing"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/rest"
)

// logo is a picture of so many pixels on each side.
func logo(t *testing.T, side int) string {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, side, side))); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

const settingsPath = "/platform/settings"

func (a *account) change(method, path string, body any, tag string) reply {
	q := request{method: method, path: path, body: body, header: map[string]string{}}
	if text, ok := body.(string); ok && text != "" {
		q.header["Content-Type"] = "application/octet-stream"
	}
	if tag != "" {
		q.header["If-Match"] = tag
	}
	return a.ask(q)
}

func TestThePanelsSettings(t *testing.T) {
	h := newHouse(t)
	was := h.boss.get(settingsPath).want(t, http.StatusOK, `"name":""`, `"logo":""`)
	tag := was.header.Get("Etag")
	set := h.boss.change(http.MethodPatch, settingsPath, map[string]any{"name": "Example Hosting", "light": "#0B6B3A", "dark": "#6fd39b"}, tag).want(t, http.StatusOK)
	if got, want := read[rest.PanelSettings](t, set), (rest.PanelSettings{Name: "Example Hosting", Light: "#0b6b3a", Dark: "#6fd39b"}); got != want {
		t.Errorf("the settings are %+v, want %+v", got, want)
	}
	h.boss.change(http.MethodPatch, settingsPath, map[string]any{"name": "Other"}, tag).problem(t, http.StatusPreconditionFailed, hosting.Changed, "")
	h.boss.change(http.MethodPatch, settingsPath, map[string]any{"firstStepsAway": true}, "").want(t, http.StatusOK, `"name":"Example Hosting"`, `"light":"#0b6b3a"`, `"firstStepsAway":true`)
	h.boss.change(http.MethodPatch, settingsPath, map[string]any{"light": "#ffffff"}, "").problem(t, http.StatusUnprocessableEntity, hosting.Invalid, "light")
	h.boss.change(http.MethodPatch, settingsPath, map[string]any{"dark": ""}, "").problem(t, http.StatusUnprocessableEntity, hosting.Invalid, "dark")
	h.boss.change(http.MethodPatch, settingsPath, map[string]any{"light": "", "dark": ""}, "").want(t, http.StatusOK, `"light":""`, `"name":"Example Hosting"`)
	if seen, err := h.rules.Look(t.Context()); err != nil || seen.Name != "Example Hosting" || !seen.FirstStepsAway {
		t.Errorf("everybody sees %+v, %v", seen, err)
	}
	h.boss.get("/audit?did=platform.change").want(t, http.StatusOK, `"Example Hosting"`)
}

func TestThePanelsLogo(t *testing.T) {
	h := newHouse(t)
	const at = settingsPath + "/logo"
	h.boss.get(at).problem(t, http.StatusNotFound, hosting.NotFound, "")
	set := h.boss.change(http.MethodPut, at, logo(t, 20), "").want(t, http.StatusOK)
	if now := read[rest.PanelSettings](t, set); now.Logo == "" || set.header.Get("Etag") == "" {
		t.Errorf("a logo was set, and the settings are %+v with the tag %q", now, set.header.Get("Etag"))
	}
	sent := h.boss.get(at).want(t, http.StatusOK, "PNG")
	if kind := sent.header.Get("Content-Type"); kind != "image/png" {
		t.Errorf("the logo comes as %q", kind)
	}
	for name, body := range map[string]string{
		"a document":       `<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`,
		"too many pixels":  logo(t, 1025),
		"a little too big": strings.Repeat("x", hosting.MaxLogo+1),
		"nothing":          "",
	} {
		t.Run(name, func(t *testing.T) {
			got := h.boss.change(http.MethodPut, at, body, "")
			if name == "nothing" { // the decoder says so itself
				got.problem(t, http.StatusBadRequest, hosting.Invalid, "")
				return
			}
			got.problem(t, http.StatusUnprocessableEntity, hosting.Invalid, "logo")
		})
	}
	h.boss.change(http.MethodPut, at, strings.Repeat("x", 3*hosting.MaxLogo), "").problem(t, http.StatusRequestEntityTooLarge, hosting.Invalid, "")
	h.boss.change(http.MethodDelete, at, nil, `"other.tag"`).problem(t, http.StatusPreconditionFailed, hosting.Changed, "")
	h.boss.change(http.MethodDelete, at, nil, set.header.Get("Etag")).want(t, http.StatusOK, `"logo":""`)
	h.boss.get(at).problem(t, http.StatusNotFound, hosting.NotFound, "")
}
