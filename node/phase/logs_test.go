package phase

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"kubepanel.io/kubepanel/node/machine"
)

func TestNewestLogOfEachComponentIsFound(t *testing.T) {
	n := node(t)
	old := filepath.Join(n.machine.Disk(), "var/log/pods/kube-system_etcd-x_1/etcd/0.log")
	fresh := filepath.Join(n.machine.Disk(), "var/log/pods/kube-system_etcd-x_1/etcd/1.log")
	kubelet := filepath.Join(n.machine.Logs(), "kubelet.log")
	for i, file := range []string{old, fresh, kubelet} {
		if err := machine.WriteFile(file, []byte("one\ntwo\nthree\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		when := time.Now().Add(time.Duration(i) * time.Minute)
		if err := os.Chtimes(file, when, when); err != nil {
			t.Fatal(err)
		}
	}
	files, err := LogFiles(n.machine)
	if want := map[string]string{"etcd": fresh, "kubelet": kubelet}; !reflect.DeepEqual(files, want) || err != nil {
		t.Errorf("LogFiles() = %v, %v; want %v", files, err, want)
	}
	if got, err := tail(fresh, 2); got != "two\nthree" || err != nil {
		t.Errorf("tail(2) = %q, %v; want the last two lines", got, err)
	}
}

func TestStatusOfAMachineThatNeverWas(t *testing.T) {
	n := node(t)
	status, err := Look(t.Context(), n.machine)
	if err != nil || status.Running || status.Message != "never brought up" {
		t.Errorf("Look() = %+v, %v; want one that never was up", status, err)
	}
	if text := status.String(); !strings.Contains(text, "test, down") {
		t.Errorf("String() = %q, want that it is down", text)
	}
}
