package breach

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// service answers as the public one does, and keeps what it was asked.
func service(t *testing.T, answer http.HandlerFunc) (List, *[]string) {
	t.Helper()
	var asked []string
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Method+" "+r.RequestURI+" "+r.Header.Get("Add-Padding"))
		answer(w, r)
	}))
	t.Cleanup(server.Close)
	list, err := Open(server.URL+"/range", server.Client().Transport)
	if err != nil {
		t.Fatal(err)
	}
	return list, &asked
}

func TestFiveCharactersAreAllThatLeaves(t *testing.T) {
	hash, other := hashOf("correct horse battery staple"), hashOf("something else")
	list, asked := service(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%035d:7\r\n", 1)
		if strings.HasSuffix(r.URL.Path, hash[:5]) {
			fmt.Fprintf(w, "%s:3\r\n", hash[5:])
		}
		fmt.Fprintf(w, "%s:0\r\n", other[5:]) // what it pads with
	})
	for password, want := range map[string]bool{"correct horse battery staple": true, "something else": false} {
		if has, err := list.Has(t.Context(), password); err != nil || has != want {
			t.Errorf("Has(%q) = %v, %v, want %v", password, has, err, want)
		}
	}
	for _, a := range *asked {
		if a != "GET /range/"+hash[:5]+" true" && a != "GET /range/"+other[:5]+" true" {
			t.Errorf("the service was asked %q, want five characters of the hash and padding", a)
		}
	}
}

func TestServiceThatDoesNotAnswerIsAnError(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"refuses":  func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTooManyRequests) },
		"leads on": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/else", http.StatusFound) },
		"a page":   func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>please sign in") },
		"endless": func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, strings.Repeat(fmt.Sprintf("%035d:1\n", 1), 40_000))
		},
		"breaks up": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			list, _ := service(t, answer)
			if has, err := list.Has(t.Context(), "anything"); err == nil {
				t.Errorf("Has = %v, want an error", has)
			} else if five := hashOf("anything")[:5]; strings.Contains(err.Error(), five) {
				t.Errorf("Has = %v, want nothing of the hash %s… in it", err, five)
			}
		})
	}
}
