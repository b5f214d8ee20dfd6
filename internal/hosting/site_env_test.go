package hosting_test

import (
	"testing"

	"kubepanel.io/kubepanel/internal/hosting"
)

func FuzzParseVariable(f *testing.F) {
	for _, line := range []string{"A=b", "_a1=", " A =b=c", "1=a", "A", "=", "A\x00=b", "Ä=b", "A\n=b"} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		v, ok := hosting.ParseVariable(line)
		if !ok {
			return
		}
		if again, ok := hosting.ParseVariable(v.Name + "=" + v.Value); !ok || again != v {
			t.Errorf("ParseVariable(%q) = %+v; written again it is %+v, %t", line, v, again, ok)
		}
	})
}
