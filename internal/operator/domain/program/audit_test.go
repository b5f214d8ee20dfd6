package program_test

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"testing"
	"time"
)

// request is what the API server noted of one.
type request struct {
	Stage string `json:"stage"`
	Verb  string `json:"verb"`
	User  struct {
		Username string `json:"username"`
	} `json:"user"`
	ObjectRef struct {
		Resource    string `json:"resource"`
		Subresource string `json:"subresource"`
		Namespace   string `json:"namespace"`
		Name        string `json:"name"`
	} `json:"objectRef"`
	ResponseStatus struct {
		Code int `json:"code"`
	} `json:"responseStatus"`
	At time.Time `json:"stageTimestamp"`
}

// kind says what it was in a few words: "patch domains/status".
func (r request) kind() string {
	kind := r.Verb + " " + r.ObjectRef.Resource
	if r.ObjectRef.Subresource != "" {
		kind += "/" + r.ObjectRef.Subresource
	}
	if r.ResponseStatus.Code >= 400 {
		kind += " refused"
	}
	return kind
}

// writes tells whether it may have changed something that is not the operators' own
// lease.
func (r request) writes() bool {
	switch r.Verb {
	case "create", "update", "patch", "delete", "deletecollection":
		return r.ObjectRef.Resource != "leases"
	}
	return false
}

// auditor reads the audit log on from where it was read last.
type auditor struct {
	world  *world
	offset int64
}

// read returns what was asked since the last time. A watch counts when it begins,
// anything else when it was answered.
func (a *auditor) read(t testing.TB) []request {
	t.Helper()
	file, err := os.Open(a.world.audit)
	must(t, err)
	defer file.Close() // it was only read
	_, err = file.Seek(a.offset, io.SeekStart)
	must(t, err)
	var all []request
	lines := bufio.NewReader(file)
	for {
		line, err := lines.ReadBytes('\n')
		if err == io.EOF {
			return all // a line that is not finished yet is read next time
		}
		must(t, err)
		a.offset += int64(len(line))
		var r request
		must(t, json.Unmarshal(line, &r))
		if (r.Stage == "ResponseStarted") == (r.Verb == "watch") && r.ObjectRef.Resource != "" {
			all = append(all, r)
		}
	}
}

// byKind counts requests.
func byKind(all []request) map[string]int {
	counts := map[string]int{}
	for _, r := range all {
		counts[r.kind()]++
	}
	return counts
}
