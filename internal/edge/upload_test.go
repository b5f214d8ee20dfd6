package edge_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// A pod refuses an upload before it has read it. What is left of the body must
// never be taken for requests of the visitor: whoever can put bytes into a body
// would speak in the name of the one who sends it (RFC 9112 section 9.3).
func TestWhatIsLeftOfARefusedUploadIsNoRequest(t *testing.T) {
	s := newStage(t)
	var hidden atomic.Int32
	s.pod("10.1.0.1", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/hidden" {
			hidden.Add(1)
		}
		w.WriteHeader(http.StatusRequestEntityTooLarge)
	})
	s.service("shop", "10.1.0.1")
	s.site("shop", "shop", []string{"shop.test"}, "ssl-redirect=false")
	s.start()
	s.served("shop.test", http.StatusRequestEntityTooLarge)

	inside := "GET /hidden HTTP/1.1\r\nHost: shop.test\r\n\r\n"
	body := strings.Repeat(inside, (2<<20)/len(inside))
	// The refusal races with the upload, so one try tells nothing.
	for range 20 {
		conn, err := net.Dial("tcp", s.config.HTTPListen)
		if err != nil {
			t.Fatal(err)
		}
		if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
			t.Fatal(err)
		}
		sent := make(chan struct{})
		go func() {
			defer close(sent)
			// Cut short by the refusal: that is what is tested.
			_, _ = fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: shop.test\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
		}()
		answers := 0
		for reader := bufio.NewReader(conn); ; answers++ {
			a, err := http.ReadResponse(reader, nil)
			if err != nil {
				break
			}
			_, _ = io.Copy(io.Discard, a.Body)
			// Where the whole upload was taken the connection stays open; what is
			// wrong to answer is answered at once.
			if err := conn.SetReadDeadline(time.Now().Add(time.Second / 2)); err != nil {
				t.Fatal(err)
			}
		}
		conn.Close()
		<-sent
		if answers > 1 {
			t.Fatalf("one request was answered %d times", answers)
		}
	}
	if n := hidden.Load(); n != 0 {
		t.Errorf("the pod got %d requests out of a body, want 0", n)
	}
}

// An upload that goes on, however slowly, is let through whole.
func TestASlowUploadArrivesWhole(t *testing.T) {
	s := newStage(t)
	s.pod("10.1.0.1", func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		fmt.Fprintf(w, "%d %v", n, err)
	})
	s.service("shop", "10.1.0.1")
	s.site("shop", "shop", []string{"shop.test"})
	s.start()
	s.served("shop.test", http.StatusOK)

	reader, writer := io.Pipe()
	go func() {
		for range 10 {
			_, _ = io.WriteString(writer, "piece")
			time.Sleep(20 * time.Millisecond)
		}
		writer.Close()
	}()
	a, err := s.visitor().Post("https://shop.test/", "text/plain", reader)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	if got, err := io.ReadAll(a.Body); err != nil || string(got) != "50 <nil>" {
		t.Errorf("the pod got %q (%v), want 50 <nil>", got, err)
	}
}

func TestAStalledUploadIsEnded(t *testing.T) {
	for _, host := range []string{"shop.test", "unknown.test"} {
		t.Run(host, func(t *testing.T) {
			s := newStage(t)
			ended := make(chan error, 1)
			s.pod("10.1.0.1", func(_ http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPost {
					_, err := io.Copy(io.Discard, r.Body)
					ended <- err
				}
			})
			s.service("shop", "10.1.0.1")
			s.site("shop", "shop", []string{"shop.test"}, "ssl-redirect=false")
			s.config.Stall = 300 * time.Millisecond
			s.start()
			s.served("shop.test", http.StatusOK)

			conn, err := net.Dial("tcp", s.config.HTTPListen)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: %s\r\nContent-Length: 1000\r\n\r\nonly this", host)
			if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, conn); err != nil {
				t.Errorf("the edge keeps the connection: %v", err)
			}
			if host != "shop.test" {
				return
			}
			select {
			case err := <-ended:
				if err == nil {
					t.Error("the pod took a cut body for a whole one")
				}
			case <-time.After(5 * time.Second):
				t.Error("the pod still waits for the body")
			}
		})
	}
}

// The bound is for bodies only: a page that is long in the making is none of them.
func TestAnswerMayTakeLongerThanAnUploadMayStall(t *testing.T) {
	s := newStage(t)
	s.config.Stall = 200 * time.Millisecond
	s.pod("10.1.0.1", func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			return
		}
		part := make([]byte, 4)
		_, _ = io.ReadFull(r.Body, part)
		time.Sleep(2 * s.config.Stall) // the pod is slow to read on
		rest, err := io.ReadAll(r.Body)
		time.Sleep(2 * s.config.Stall) // and to answer
		fmt.Fprintf(w, "%s%s %v", part, rest, err)
	})
	s.service("shop", "10.1.0.1")
	s.site("shop", "shop", []string{"shop.test"}, "ssl-redirect=false")
	s.start()
	s.served("shop.test", http.StatusOK)
	for _, scheme := range []string{"http", "https"} {
		a, err := s.visitor().Post(scheme+"://shop.test/", "text/plain", strings.NewReader("all of it"))
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(a.Body)
		a.Body.Close()
		if err != nil || string(got) != "all of it <nil>" {
			t.Errorf("over %s the pod got %q (%v), want all of it", scheme, got, err)
		}
	}
}
