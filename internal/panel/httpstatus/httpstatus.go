// Package httpstatus says with which status of HTTP both faces of the panel, pages and
// API, pass on a rule's answer. It must never know what the answer is about.
package httpstatus

import (
	"net/http"

	"kubepanel.io/kubepanel/internal/hosting"
)

// Of returns the status of a code (RFC 9110, section 15).
func Of(code hosting.Code) int {
	switch code {
	case hosting.Invalid, hosting.OverQuota:
		return http.StatusUnprocessableEntity
	case hosting.NotFound:
		return http.StatusNotFound
	case hosting.Changed:
		return http.StatusPreconditionFailed
	case hosting.Conflict, hosting.Stalled, hosting.Broken:
		return http.StatusConflict
	case hosting.Forbidden:
		return http.StatusForbidden
	case hosting.SignIn:
		return http.StatusUnauthorized
	case hosting.Limited:
		return http.StatusTooManyRequests
	case hosting.Unreachable, hosting.NotInstalled, hosting.Timeout:
		return http.StatusServiceUnavailable
	case hosting.Interrupted, hosting.Internal:
	}
	return http.StatusInternalServerError
}
