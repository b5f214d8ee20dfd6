package lab

import "testing"

func TestRefusalsArePlainSentences(t *testing.T) {
	tests := map[string]struct {
		answer answer
		fault  bool
	}{
		"what and mend":    {answer{stderr: "PHP 5.2 is not offered.\nChoose one of 7.4, 8.2, 8.4.\n"}, false},
		"on stdout":        {answer{stdout: "PHP 5.2 is not offered.", stderr: "5.2"}, true},
		"silent":           {answer{}, true},
		"does not name it": {answer{stderr: "Bad version."}, true},
		"a page of usage":  {answer{stderr: "5.2\nUsage: kubepanel"}, true},
		"a stack":          {answer{stderr: "5.2: panic: nil"}, true},
		"too long":         {answer{stderr: "5.2\na\nb"}, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := faultOfRefusal(tt.answer, "5.2"); (got != "") != tt.fault {
				t.Errorf("faultOfRefusal = %q, want a fault: %v", got, tt.fault)
			}
		})
	}
}

func TestRunTellsExitCodeAndBothOutputs(t *testing.T) {
	a := run(t, "sh", "-c", "echo out; echo err >&2; exit 3")
	if a.code != 3 || a.stdout != "out\n" || a.stderr != "err\n" {
		t.Errorf("run = %+v, want code 3, out and err", a)
	}
}
