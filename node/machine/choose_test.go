package machine

import (
	"net"
	"testing"
)

func TestLowestFreeNumberIsChosen(t *testing.T) {
	if n, err := chooseNumber(map[int]bool{1: true, 2: true, 4: true}); n != 3 || err != nil {
		t.Errorf("chooseNumber(1, 2, 4 taken) = %d, %v; want 3", n, err)
	}
	all := map[int]bool{}
	for n := range 256 {
		all[n] = true
	}
	if n, err := chooseNumber(all); err == nil {
		t.Errorf("chooseNumber(all taken) = %d, want an error", n)
	}
}

func TestPortsStayUntilTheyAreTaken(t *testing.T) {
	tests := map[string]struct {
		before [2]int
		taken  []int
		want   [2]int
		err    bool
	}{
		"first time":             {want: [2]int{80, 443}},
		"80 taken":               {taken: []int{80}, want: [2]int{8080, 8443}},
		"443 taken":              {taken: []int{443}, want: [2]int{8080, 8443}},
		"kept though 80 is free": {before: [2]int{8080, 8443}, want: [2]int{8080, 8443}},
		"kept ones taken":        {before: [2]int{8080, 8443}, taken: []int{8443}, want: [2]int{80, 443}},
		"all taken":              {taken: []int{80, 8080, 18080, 28080, 38080, 48080}, err: true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := choosePorts(tt.before, func(port int) bool {
				for _, taken := range tt.taken {
					if port == taken {
						return false
					}
				}
				return true
			})
			if got != tt.want || (err != nil) != tt.err {
				t.Errorf("choosePorts(%v) = %v, %v; want %v, error %t", tt.before, got, err, tt.want, tt.err)
			}
		})
	}
}

func TestChoiceOutlivesARestartAndAvoidsOtherMachines(t *testing.T) {
	state := t.TempDir()
	first, _ := New("first", state)
	if err := first.Keep(Settings{Number: 200, HTTPPort: freePort(t), HTTPSPort: freePort(t)}); err != nil {
		t.Fatal(err)
	}
	again, moved, err := first.Choose(t.Context())
	if err != nil || moved || again.Number != 200 {
		t.Errorf("Choose() = %+v, %t, %v; want number 200, unmoved", again, moved, err)
	}
	second, _ := New("second", state)
	other, _, err := second.Choose(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if other.Number == 200 || other.HTTPPort == again.HTTPPort {
		t.Errorf("Choose() of a second machine = %+v, want neither the first's number nor its ports %+v", other, again)
	}
}

func freePort(t *testing.T) int {
	t.Helper()
	listeners, err := listen(0)
	if err != nil {
		t.Fatal(err)
	}
	defer closeAll(listeners)
	return listeners[0].Addr().(*net.TCPAddr).Port
}
