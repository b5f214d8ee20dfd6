package web

import "net/http"

func (s *Server) home(w http.ResponseWriter, r *http.Request) error { return seeOther(w, r, "/sites") }
