package sftpd_test

import (
	"strings"
	"testing"

	"kubepanel.io/kubepanel/internal/toolbox/sftpd"
)

func TestASecretThatIsIncompleteIsRefusedWithItsCause(t *testing.T) {
	for missing, want := range map[string]string{"username": "who may sign in", "passwordHash": "password's hash"} {
		s := start(t)
		s.write(s.secrets, missing, " \n")
		if _, err := sftpd.ReadAccount(s.secrets); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ReadAccount without %s = %v, want %q", missing, err, want)
		}
	}
}
