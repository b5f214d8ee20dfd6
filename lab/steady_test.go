package lab

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// A visitor who notices nothing would make every journey pass.
func TestASteadyVisitorNoticesWhatFails(t *testing.T) {
	var broken atomic.Bool
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if broken.Load() {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		_, _ = io.WriteString(w, "here")
	}))
	defer server.Close()
	s := visitor{http: server.Client()}.steadily(t, server.URL, "here")
	for _, want := range []bool{false, true, false} {
		broken.Store(want)
		s.report()
		if met := s.report(); met.asked == 0 { // what is quick must be visited too
			t.Error("a report at once tells of no visit")
		}
		met := visits{}
		eventually(t, "five more visits", time.Minute, func(context.Context) error {
			more := s.report()
			met.asked += more.asked
			met.failed = append(met.failed, more.failed...)
			if met.asked < 5 {
				return fmt.Errorf("there were %d", met.asked)
			}
			return nil
		})
		if (len(met.failed) > 0) != want {
			t.Errorf("with a broken site %t: %s", want, met)
		}
		if want && !strings.Contains(met.String(), "502") {
			t.Errorf("the report does not say what failed: %s", met)
		}
	}
}
