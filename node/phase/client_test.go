package phase

import (
	"context"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

func TestWorkloadServesWhenAllItsNewestPodsDo(t *testing.T) {
	tests := map[string]struct {
		json, kind, want string
	}{
		"deployment serves":       {kind: "deployments", json: `{metadata: {name: a, generation: 2}, spec: {replicas: 2}, status: {observedGeneration: 2, readyReplicas: 2, updatedReplicas: 2}}`},
		"old pods serve still":    {kind: "deployments", json: `{metadata: {name: a, generation: 2}, spec: {replicas: 2}, status: {observedGeneration: 2, readyReplicas: 2, updatedReplicas: 1}}`, want: "a: 1 of 2 pods are ready"},
		"not looked at":           {kind: "deployments", json: `{metadata: {name: a, generation: 2}, status: {observedGeneration: 1, readyReplicas: 1, updatedReplicas: 1}}`, want: "a: not yet looked at"},
		"daemon set serves":       {kind: "daemonsets", json: `{metadata: {name: a, generation: 1}, status: {observedGeneration: 1, desiredNumberScheduled: 1, updatedNumberScheduled: 1, numberReady: 1}}`},
		"daemon set has no nodes": {kind: "daemonsets", json: `{metadata: {name: a, generation: 1}, status: {observedGeneration: 1}}`, want: "a: 0 of 0 pods are ready"},
		"scaled to nothing":       {kind: "statefulsets", json: `{metadata: {name: a, generation: 1}, spec: {replicas: 0}, status: {observedGeneration: 1}}`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w, err := decodeWorkload(tt.json)
			if err != nil {
				t.Fatal(err)
			}
			w.Kind = tt.kind
			if got := w.waiting(); got != tt.want {
				t.Errorf("waiting() = %q, want %q", got, tt.want)
			}
		})
	}
}

func decodeWorkload(text string) (workload, error) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		var value any
		if err := yaml.Unmarshal([]byte(text), &value); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		fmt.Fprint(w, toJSON(value))
	}))
	defer server.Close()
	return read[workload](context.Background(), &client{server: server.URL, http: server.Client()}, "/")
}

func toJSON(value any) string {
	switch value := value.(type) {
	case map[string]any:
		var parts []string
		for name, part := range value {
			parts = append(parts, fmt.Sprintf("%q: %s", name, toJSON(part)))
		}
		return "{" + strings.Join(parts, ",") + "}"
	case string:
		return fmt.Sprintf("%q", value)
	default:
		return fmt.Sprint(value)
	}
}

func TestClientTellsWhatIsNotThere(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/there":
			fmt.Fprint(w, "{}")
		case "/broken":
			w.WriteHeader(http.StatusInternalServerError)
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	c := &client{server: server.URL, http: server.Client()}
	if _, err := c.get(t.Context(), "/there"); err != nil {
		t.Errorf("get(/there) = %v, want nil", err)
	}
	if _, err := c.get(t.Context(), "/missing"); !errors.Is(err, errNotFound) {
		t.Errorf("get(/missing) = %v, want %v", err, errNotFound)
	}
	if _, err := c.get(t.Context(), "/broken"); err == nil || errors.Is(err, errNotFound) {
		t.Errorf("get(/broken) = %v, want another error", err)
	}
}

// A certificate is shown and the server's is checked: kubeadm's file is enough.
func TestClientReadsAKubeconfig(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	ca := base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	certificate, key := pair(t)
	file := fmt.Sprintf("clusters: [{cluster: {server: %q, certificate-authority-data: %s}}]\nusers: [{user: {client-certificate-data: %s, client-key-data: %s}}]\n",
		server.URL, ca, certificate, key)
	c, err := newClient([]byte(file))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.get(t.Context(), "/readyz"); err != nil {
		t.Errorf("get(/readyz) = %v, want nil", err)
	}
	for what, broken := range map[string]string{
		"no YAML": ":\t", "empty": "", "no user": strings.Split(file, "\n")[0],
		"no certificate": strings.ReplaceAll(file, ca, "AAAA"), "no base64": strings.ReplaceAll(file, key, "=!"),
	} {
		if _, err := newClient([]byte(broken)); err == nil {
			t.Errorf("newClient(%s) = nil, want an error", what)
		}
	}
}

// An API server that has just started has not read every kind yet, and says so.
func TestAnAPIServerThatIsStartingIsAskedAgain(t *testing.T) {
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked++; asked == 1 {
			w.Header().Set("Retry-After", "1")
			http.Error(w, "storage is (re)initializing", http.StatusTooManyRequests)
			return
		}
		fmt.Fprint(w, "pools")
	}))
	t.Cleanup(server.Close)
	c := &client{server: server.URL, http: server.Client()}
	if got, err := c.get(t.Context(), "/apis/crd.projectcalico.org/v1/ippools"); string(got) != "pools" || err != nil {
		t.Errorf("got %q, %v, want what it answers the second time", got, err)
	}
	asked = 0
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := c.get(ctx, "/"); !errors.Is(err, errTooEarly) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("who waits no longer gets %v, want why it waited and that it ended", err)
	}
}
