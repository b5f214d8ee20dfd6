package rest

import "net/http/httptest"

// Digest is what a request is known by among those that count once.
func Digest(method, path string, body []byte) string {
	return digest(httptest.NewRequest(method, path, nil), body)
}
