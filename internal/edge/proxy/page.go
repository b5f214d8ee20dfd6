package proxy

import (
	"bytes"
	"html/template"
	"net/http"
	"strconv"
)

// page is an answer of the edge itself. It holds nothing of the request, so there
// is nothing to escape and nothing to learn.
type page struct {
	Status     int
	Title      string
	Text       string
	retryAfter string
	// kind is the type of its content.
	kind string
	body []byte
}

var (
	pageNoHost = newPage(page{Status: http.StatusNotFound, Title: "No such site",
		Text: "There is no web site of this name here."})
	pageMisdirected = newPage(page{Status: http.StatusMisdirectedRequest, Title: "No such site",
		Text: "This connection is not for a web site of that name."})
	pageNoPath = newPage(page{Status: http.StatusNotFound, Title: "Not found",
		Text: "This web site has nothing at this address."})
	pageSuspended = newPage(page{Status: http.StatusServiceUnavailable, Title: "Site suspended",
		Text: "This web site is suspended. If it is yours, please contact your provider.", retryAfter: "3600"})
	pageNoBackend = newPage(page{Status: http.StatusServiceUnavailable, Title: "Back in a moment",
		Text: "This web site is starting or being changed. Please try again in a moment.", retryAfter: "5"})
	pageBadGateway = newPage(page{Status: http.StatusBadGateway, Title: "No answer",
		Text: "This web site did not answer. Please try again in a moment."})
	pageTimeout = newPage(page{Status: http.StatusGatewayTimeout, Title: "No answer in time",
		Text: "This web site took too long to answer. Please try again later."})
)

// problemPlain is for programs (RFC 9457): what they sent by plain HTTP was for anybody
// on the way to read, and stays so until somebody notices.
var problemPlain = &page{Status: http.StatusForbidden, kind: "application/problem+json",
	body: []byte(`{"type":"about:blank","title":"HTTPS only","status":403,"code":"https_only",` +
		`"detail":"This address is for HTTPS alone, and nothing was done.",` +
		`"mend":"Ask https:// in place of http://. A token or password that was sent by http:// could be read on its way: revoke it."}` + "\n")}

var pageLayout = template.Must(template.New("page").Parse(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{{.Title}}</title>
<style>
body { font: 1rem/1.6 system-ui, sans-serif; max-width: 32rem; margin: 20vh auto 0; padding: 0 1.5rem; color: #1f2933; background: #fff }
h1 { font-size: 1.5rem; line-height: 1.3 }
small { color: #616e7c }
@media (prefers-color-scheme: dark) { body { color: #e4e7eb; background: #14181d } small { color: #9aa5b1 } }
</style>
</head>
<body>
<h1>{{.Title}}</h1>
<p>{{.Text}}</p>
<small>{{.Status}}</small>
</body>
</html>
`))

func newPage(p page) *page {
	var b bytes.Buffer
	template.Must(pageLayout, pageLayout.Execute(&b, p))
	p.kind, p.body = "text/html; charset=utf-8", b.Bytes()
	return &p
}

func (p *page) write(w http.ResponseWriter) {
	h := w.Header()
	h.Del("Server")
	h.Set("Content-Type", p.kind)
	h.Set("Content-Length", strconv.Itoa(len(p.body)))
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	if p.retryAfter != "" {
		h.Set("Retry-After", p.retryAfter)
	}
	w.WriteHeader(p.Status)
	// A visitor who has gone is no fault of ours, and nobody is left to tell.
	_, _ = w.Write(p.body)
}
