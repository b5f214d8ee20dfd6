package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// scanning is the variable that says: this cluster has the platform's scanner.
const scanning = "KUBEPANEL_SCANNER"

// harm is a text that nobody else knows as harmful: ClamAV's own signatures are a few
// hundred MB from servers that a test does not ask.
const harm = "what the lab calls harmful, and is not"

// TestTheScannerFindsHarm: the scanner of a node, given a signature, refuses an upload, and
// what came by SFTP goes into quarantine.
func TestTheScannerFindsHarm(t *testing.T) {
	if os.Getenv(scanning) != "1" {
		t.Skipf("%s is not 1: 'make lab' runs this at its end, with 'node up --scanner'", scanning)
	}
	c := openCluster(t)
	c.scannerKnows(t, harm)
	s := c.expectSite(t, "scanned.localhost")
	p := newPanelJourney(t, c)
	ada := newBrowser(t, "panel-scanner", c.ca)
	p.administrator(ada)
	p.makesAProgram(ada, s)

	file := filepath.Join(t.TempDir(), "uploaded.txt")
	if err := os.WriteFile(file, []byte(harm), 0o644); err != nil {
		t.Fatal(err)
	}
	ada.open(p.fileURL(s, "", "/html"))
	ada.sees("form.files")
	ada.choose("#upload", file)
	ada.until("the upload is refused", `document.body.innerText.includes('the virus scanner knows it as Kubepanel.main')`)
	p.check(ada, "refused-upload")

	s.deposit(t, map[string]string{"good.txt": "harmless", "brought.txt": "a line, " + harm})
	p.seen(s, "/brought.txt", harm)
	ada.open(p.url + "/sites/" + s.name + "/files/findings")
	ada.click("button[value=look]")
	eventually(t, "the file is in quarantine", time.Minute, func(context.Context) error {
		ada.open(p.url + "/sites/" + s.name + "/files/findings")
		if found := ada.read(`[...document.querySelectorAll('td bdi.breaks')].map(f => f.innerText).join()`); found != "/html/brought.txt" {
			return fmt.Errorf("found is %q", found)
		}
		return nil
	})
	p.check(ada, "quarantine")
	p.seen(s, "/brought.txt", "404")
	p.seen(s, "/uploaded.txt", "404")
	p.seen(s, "/good.txt", "harmless")
}

// scannerKnows gives the platform's scanner signatures of one text, where its own would lie,
// and waits until it answers.
func (c *cluster) scannerKnows(t *testing.T, text string) {
	t.Helper()
	pod, err := c.runningPod(t.Context(), platformNamespace, client.MatchingLabels{"app.kubernetes.io/name": "clamav-signatures"})
	if err != nil {
		t.Fatal(err)
	}
	for _, set := range []string{"main", "daily"} {
		line := fmt.Sprintf("Kubepanel.%s:0:*:%x", set, text)
		if _, err := c.execute(t.Context(), pod, "freshclam", nil, "sh", "-c", `printf '%s\n' "$1" > "$2.new" && mv "$2.new" "$2"`, "sh", line, "/var/lib/clamav/"+set+".ndb"); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "the scanner answers", settleLimit, func(ctx context.Context) error {
		var scanner appsv1.Deployment
		if err := c.Get(ctx, client.ObjectKey{Namespace: platformNamespace, Name: "clamav"}, &scanner); err != nil {
			return err
		}
		if scanner.Status.AvailableReplicas == 0 {
			return errors.New("its pod is not ready")
		}
		return nil
	})
}
