package rest_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"

	"kubepanel.io/kubepanel/internal/toolbox/toolboxtest"
)

// done are the operations that some test of this run had answered with 2xx, by their ID.
var done sync.Map

// TestMain fails a run of all tests that left an operation undone: an answer that no test
// ever saw was held against the document by nobody.
func TestMain(m *testing.M) {
	code := toolboxtest.Run(m)
	if code == 0 && everything() {
		if undone := undone(); len(undone) > 0 {
			fmt.Fprintln(os.Stderr, "no test has these operations succeed:", undone)
			code = 1
		}
	}
	os.Exit(code)
}

// everything says whether all tests of the package were run, in whatever order.
func everything() bool {
	for _, narrows := range []string{"test.run", "test.skip", "test.list", "test.fuzz"} {
		if f := flag.Lookup(narrows); f == nil || f.Value.String() != "" {
			return false
		}
	}
	return true
}

// undone names what is in the document and was never done.
func undone() []string {
	var names []string
	theDocument.Range(func(_, found any) bool {
		w, _ := found.(written)
		for _, item := range w.doc.Paths.Map() {
			for _, op := range item.Operations() {
				if _, ok := done.Load(op.OperationID); !ok {
					names = append(names, op.OperationID)
				}
			}
		}
		return true
	})
	slices.Sort(names)
	return slices.Compact(names)
}
