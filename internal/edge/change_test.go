package edge_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// hammer sends requests to url from several visitors until stop is called, which
// returns how many were answered and what went wrong.
func (s *stage) hammer(url, want string) (stop func() (answered int64, faults []string)) {
	var answered atomic.Int64
	var mu sync.Mutex
	var faults []string
	done := make(chan struct{})
	var all sync.WaitGroup
	for range 4 {
		client := s.visitor()
		all.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				a, err := fetch(client, url)
				if err == nil && a.StatusCode == http.StatusOK && a.body == want {
					answered.Add(1)
					continue
				}
				mu.Lock()
				faults = append(faults, fmt.Sprintf("%v, %v", a.Response, err))
				mu.Unlock()
			}
		})
	}
	return func() (int64, []string) {
		close(done)
		all.Wait()
		return answered.Load(), faults
	}
}

func (s *stage) wantNoFaults(stop func() (int64, []string)) {
	s.t.Helper()
	answered, faults := stop()
	if len(faults) > 0 {
		s.t.Errorf("%d requests failed, the first with %s; want none", len(faults), faults[0])
	}
	if answered < 20 {
		s.t.Errorf("%d requests were answered, want many more", answered)
	}
}

func TestFiftyNewSitesDisturbNoVisitor(t *testing.T) {
	s := newStage(t)
	s.pod("10.1.0.1", text("steady"))
	s.service("shop", "10.1.0.1")
	s.site("shop", "shop", []string{"shop.test"})
	s.start()
	s.served("shop.test", http.StatusOK)

	stop := s.hammer("https://shop.test/", "steady")
	for i := range 50 {
		s.site(fmt.Sprintf("site-%d", i), "shop", []string{fmt.Sprintf("s%d.test", i)})
	}
	for i := range 50 {
		s.served(fmt.Sprintf("s%d.test", i), http.StatusOK)
	}
	for i := range 25 {
		if err := s.client.NetworkingV1().Ingresses(s.name).Delete(context.Background(), fmt.Sprintf("site-%d", i), metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	s.eventually("the deleted sites are gone", func() bool {
		a, err := fetch(s.visitor(), "http://s24.test/")
		return err == nil && a.StatusCode == http.StatusNotFound
	})
	s.wantNoFaults(stop)
}

func TestRollOverOfPodsShowsNoError(t *testing.T) {
	s := newStage(t)
	answer := func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(2 * time.Millisecond)
		fmt.Fprint(w, "steady")
	}
	one := s.pod("10.1.0.1", answer)
	s.pod("10.1.0.2", answer)
	s.service("shop", "10.1.0.1", "10.1.0.2")
	s.site("shop", "shop", []string{"shop.test"})
	s.start()
	s.served("shop.test", http.StatusOK)

	stop := s.hammer("https://shop.test/", "steady")
	time.Sleep(100 * time.Millisecond)
	// The pod dies before anybody has told the edge, with requests under way.
	s.pods.set("10.1.0.1", "")
	one.CloseClientConnections()
	one.Listener.Close()
	time.Sleep(200 * time.Millisecond)
	s.endpoints("shop", "10.1.0.2")
	time.Sleep(100 * time.Millisecond)
	s.pod("10.1.0.3", answer)
	s.endpoints("shop", "10.1.0.2", "10.1.0.3")
	time.Sleep(100 * time.Millisecond)
	s.wantNoFaults(stop)
}

func TestADeadPodBesideAReadyOneShowsNoError(t *testing.T) {
	s := newStage(t)
	s.pod("10.1.0.1", func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(w, r.Body); err != nil {
			t.Errorf("the pod read the form: %v", err)
		}
	})
	s.service("shop", "10.1.0.1", "10.1.0.9")
	s.site("shop", "shop", []string{"shop.test"})
	s.start()
	s.served("shop.test", http.StatusOK)
	// Nothing was sent to the dead pod, so even a form may be tried again.
	client := s.visitor()
	for i := range 30 {
		form := fmt.Sprintf("form %d", i)
		res, err := client.Post("https://shop.test/", "text/plain", strings.NewReader(form))
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(res.Body)
		res.Body.Close()
		if res.StatusCode != http.StatusOK || string(got) != form {
			t.Fatalf("answer to %q = %d %q (%v), want it back", form, res.StatusCode, got, err)
		}
	}
}

func TestRequestsWaitForAPodThatRestarts(t *testing.T) {
	s := newStage(t)
	s.service("shop")
	s.site("shop", "shop", []string{"shop.test"})
	s.config.RetryFor = 15 * time.Second
	s.start()
	got := make(chan string, 1)
	go func() {
		client := s.visitor()
		for {
			// Only until the route is known; then the request waits for the pod.
			a, err := fetch(client, "https://shop.test/")
			if err != nil {
				time.Sleep(10 * time.Millisecond)
				continue
			}
			got <- fmt.Sprintf("%d %s", a.StatusCode, a.body)
			return
		}
	}()
	time.Sleep(300 * time.Millisecond)
	s.pod("10.1.0.1", text("back"))
	s.endpoints("shop", "10.1.0.1")
	if a := <-got; a != "200 back" {
		t.Errorf("answer = %q, want %q", a, "200 back")
	}
}

func TestFormsAreNotSentTwice(t *testing.T) {
	s := newStage(t)
	var posts atomic.Int32
	s.pod("10.1.0.1", func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			return
		}
		posts.Add(1)
		// The pod takes the form and dies before it answers.
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			conn.Close()
		}
	})
	s.service("shop", "10.1.0.1")
	s.site("shop", "shop", []string{"shop.test"})
	s.start()
	s.served("shop.test", http.StatusOK)
	res, err := s.visitor().Post("https://shop.test/", "text/plain", strings.NewReader("pay"))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if got := posts.Load(); res.StatusCode != http.StatusBadGateway || got != 1 {
		t.Errorf("status %d after the pod got the form %d times, want 502 after once", res.StatusCode, got)
	}
}

func TestStopAnswersRequestsUnderWay(t *testing.T) {
	s := newStage(t)
	inside, release := make(chan struct{}, 8), make(chan struct{})
	s.pod("10.1.0.1", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			inside <- struct{}{}
			<-release
		}
		fmt.Fprint(w, "whole")
	})
	s.service("shop", "10.1.0.1")
	s.site("shop", "shop", []string{"shop.test"}, "ssl-redirect=false")
	s.config.Linger = 300 * time.Millisecond
	s.start()
	s.served("shop.test", http.StatusOK)

	answers := make(chan string, 2)
	for _, scheme := range []string{"http", "https"} {
		go func() {
			a, err := fetch(s.visitor(), scheme+"://shop.test/slow")
			answers <- fmt.Sprintf("%s %v", a.body, err)
		}()
		<-inside
	}
	s.stop()
	s.eventually("the edge says that it goes", func() bool { return s.health("/readyz") == http.StatusServiceUnavailable })
	if a, err := fetch(s.visitor(), "http://shop.test/"); err != nil || a.body != "whole" {
		t.Errorf("while lingering: %q, %v, want an answer as ever", a.body, err)
	}
	s.eventually("the edge listens no more", func() bool {
		conn, err := net.Dial("tcp", s.config.HTTPSListen)
		if err == nil {
			conn.Close()
		}
		return err != nil
	})
	select {
	case <-s.done:
		t.Error("the edge ended with requests under way")
	case <-time.After(200 * time.Millisecond):
	}
	close(release)
	for range 2 {
		if a := <-answers; a != "whole <nil>" {
			t.Errorf("answer = %q, want it whole", a)
		}
	}
	select {
	case <-s.done:
	case <-time.After(8 * time.Second):
		t.Error("the edge did not end after the last answer")
	}
}

func TestStopCutsWhatDoesNotEnd(t *testing.T) {
	s := newStage(t)
	inside := make(chan struct{}, 1)
	release := make(chan struct{})
	defer close(release)
	s.pod("10.1.0.1", func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/never" {
			inside <- struct{}{}
			<-release
		}
	})
	s.service("shop", "10.1.0.1")
	s.site("shop", "shop", []string{"shop.test"})
	s.config.Drain = 200 * time.Millisecond
	s.start()
	s.served("shop.test", http.StatusOK)
	go func() { _, _ = fetch(s.visitor(), "https://shop.test/never") }()
	<-inside
	s.stop()
	select {
	case <-s.done:
	case <-time.After(5 * time.Second):
		t.Error("the edge waits for a request beyond its bound")
	}
}
