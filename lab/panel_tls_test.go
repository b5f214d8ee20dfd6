package lab

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// The panel's ports: the one that is encrypted, and the plain one for an edge of the
// release before.
const (
	panelTLS   = 8443
	panelPlain = 8080
)

// TestThePanelIsAskedByTLS: what the edge asks of the panel goes to its encrypted port alone.
// A certificate that somebody deleted is made anew, and nobody notices.
func TestThePanelIsAskedByTLS(t *testing.T) {
	c := openCluster(t)
	visitor, url := c.newVisitor(t, "127.0.0.1"), c.settings.Edge.URL(panelHost)+"/sign-in"
	if got := visitor.must(t, url); got.status != http.StatusOK {
		t.Fatalf("%s = %d, want 200", url, got.status)
	}
	pod, err := c.runningPod(t.Context(), platformNamespace, client.MatchingLabels{"app.kubernetes.io/name": "kubepanel-panel"})
	if err != nil {
		t.Fatal(err)
	}
	open := openConnections(t, string(pod.UID))
	if open[panelTLS] == 0 || open[panelPlain] > 0 {
		t.Errorf("just after a visit the panel's pod has %d connections to port %d and %d to %d, want some and none",
			open[panelTLS], panelTLS, open[panelPlain], panelPlain)
	}

	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: platformNamespace, Name: "panel-tls"}}
	if err := c.Get(t.Context(), client.ObjectKeyFromObject(secret), secret); err != nil {
		t.Fatal(err)
	}
	if err := c.Delete(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
	eventually(t, "another certificate of the panel", time.Minute, func(ctx context.Context) error {
		visitor.http.CloseIdleConnections()
		if got := visitor.must(t, url); got.status != http.StatusOK {
			t.Errorf("meanwhile %s = %d, want 200", url, got.status)
		}
		var now corev1.Secret
		if err := c.Get(ctx, client.ObjectKeyFromObject(secret), &now); err != nil {
			return err
		}
		if string(now.Data[corev1.TLSCertKey]) == string(secret.Data[corev1.TLSCertKey]) {
			return errors.New("it is the one that was deleted")
		}
		return nil
	})
}

// openConnections counts a pod's connections by its own port, as the kernel has them.
func openConnections(t *testing.T, uid string) map[int]int {
	t.Helper()
	all, err := processes()
	if err != nil {
		t.Fatal(err)
	}
	inside, _ := podProcesses(all, uid)
	if len(inside) == 0 {
		t.Fatalf("no process of pod %s is on this computer", uid)
	}
	count := map[int]int{}
	for _, family := range []string{"tcp", "tcp6"} {
		table, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/%s", inside[0].pid, family))
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(table)) {
			// proc(5): number, local address and port, the other's, state; 01 is established.
			fields := strings.Fields(line)
			if len(fields) < 4 || fields[3] != "01" {
				continue
			}
			_, port, _ := strings.Cut(fields[1], ":")
			number, err := strconv.ParseInt(port, 16, 32)
			if err != nil {
				t.Fatalf("read %q: %v", line, err)
			}
			count[int(number)]++
		}
	}
	return count
}
