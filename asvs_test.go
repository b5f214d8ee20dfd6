package kubepanel

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

const asvs = "docs/security/asvs.md"

// levelOne are the requirements of level 1 of OWASP ASVS 5.0, by section.
var levelOne = map[string][]int{
	"V1.2": {1, 2, 3, 4, 5}, "V1.3": {1, 2}, "V1.5": {1}, "V2.1": {1}, "V2.2": {1, 2}, "V2.3": {1}, "V3.2": {1, 2}, "V3.3": {1},
	"V3.4": {1, 2}, "V3.5": {1, 2, 3}, "V4.1": {1}, "V4.4": {1}, "V5.2": {1, 2}, "V5.3": {1, 2}, "V6.1": {1},
	"V6.2": {1, 2, 3, 4, 5, 6, 7, 8}, "V6.3": {1, 2}, "V6.4": {1, 2}, "V7.2": {1, 2, 3, 4}, "V7.4": {1, 2}, "V8.1": {1},
	"V8.2": {1, 2}, "V8.3": {1}, "V9.1": {1, 2, 3}, "V9.2": {1}, "V10.4": {1, 2, 3, 4, 5}, "V11.3": {1, 2}, "V11.4": {1},
	"V12.1": {1}, "V12.2": {1, 2}, "V13.4": {1}, "V14.2": {1}, "V14.3": {1}, "V15.1": {1}, "V15.2": {1}, "V15.3": {1},
}

// levelTwo are those of level 2.
var levelTwo = map[string][]int{
	"V1.1": {1, 2}, "V1.2": {6, 7, 8, 9}, "V1.3": {3, 4, 5, 6, 7, 8, 9, 10, 11}, "V1.4": {1, 2, 3}, "V1.5": {2},
	"V2.1": {2, 3}, "V2.2": {3}, "V2.3": {2, 3, 4}, "V2.4": {1}, "V3.3": {2, 3, 4}, "V3.4": {3, 4, 5, 6},
	"V3.5": {4, 5}, "V3.7": {1, 2}, "V4.1": {2, 3}, "V4.2": {1}, "V4.3": {1, 2}, "V4.4": {2, 3, 4}, "V5.1": {1},
	"V5.2": {3}, "V5.4": {1, 2, 3}, "V6.1": {2, 3}, "V6.2": {9, 10, 11, 12}, "V6.3": {3, 4}, "V6.4": {3, 4},
	"V6.5": {1, 2, 3, 4, 5}, "V6.6": {1, 2, 3}, "V6.8": {1, 2, 3, 4}, "V7.1": {1, 2, 3}, "V7.3": {1, 2},
	"V7.4": {3, 4, 5}, "V7.5": {1, 2}, "V7.6": {1, 2}, "V8.1": {2}, "V8.2": {3}, "V8.4": {1}, "V9.2": {2, 3, 4},
	"V10.1": {1, 2}, "V10.2": {1, 2}, "V10.3": {1, 2, 3, 4}, "V10.4": {6, 7, 8, 9, 10, 11}, "V10.5": {1, 2, 3, 4, 5},
	"V10.6": {1, 2}, "V10.7": {1, 2, 3}, "V11.1": {1, 2}, "V11.2": {1, 2, 3}, "V11.3": {3}, "V11.4": {2, 3, 4},
	"V11.5": {1}, "V11.6": {1}, "V12.1": {2, 3}, "V12.3": {1, 2, 3, 4}, "V13.1": {1}, "V13.2": {1, 2, 3, 4, 5},
	"V13.3": {1, 2}, "V13.4": {2, 3, 4, 5}, "V14.1": {1, 2}, "V14.2": {2, 3, 4}, "V14.3": {2, 3}, "V15.1": {2, 3},
	"V15.2": {2, 3}, "V15.3": {2, 3, 4, 5, 6, 7}, "V16.1": {1}, "V16.2": {1, 2, 3, 4, 5}, "V16.3": {1, 2, 3, 4},
	"V16.4": {1, 2, 3}, "V16.5": {1, 2, 3}, "V17.1": {1}, "V17.2": {1, 2, 3, 4}, "V17.3": {1, 2},
}

// TestEveryRequirementHasItsTest: each requirement of levels 1 and 2 is in the table once,
// and each test that the table names exists.
func TestEveryRequirementHasItsTest(t *testing.T) {
	page, err := os.ReadFile(asvs)
	if err != nil {
		t.Fatal(err)
	}
	listed, named := map[string]bool{}, 0
	for line := range strings.Lines(string(page)) {
		if !strings.HasPrefix(line, "| V") {
			continue
		}
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 4 {
			t.Errorf("%s: %q has %d cells, want 4", asvs, line, len(cells))
			continue
		}
		test, file := strings.TrimSpace(cells[2]), strings.TrimSpace(cells[3])
		id := strings.TrimSpace(cells[0])
		if listed[id] {
			t.Errorf("%s has %s twice", asvs, id)
		}
		listed[id] = true
		if file == "" {
			if test == "" || strings.HasPrefix(test, "Test") || strings.HasPrefix(test, "Fuzz") {
				t.Errorf("%s: %q names neither a test with its file nor why there is none", asvs, line)
			}
			continue
		}
		named++
		if fault := missing(file, test); fault != "" {
			t.Errorf("%s: %s", asvs, fault)
		}
	}
	for _, level := range []map[string][]int{levelOne, levelTwo} {
		for section, numbers := range level {
			for _, n := range numbers {
				if id := fmt.Sprintf("%s.%d", section, n); !listed[id] {
					t.Errorf("%s lacks %s", asvs, id)
				}
			}
		}
	}
	if named < 170 {
		t.Errorf("%s names %d tests: the table is not read any more", asvs, named)
	}
}
