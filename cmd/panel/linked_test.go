package main

import (
	"debug/elf"
	"os/exec"
	"path/filepath"
	"testing"
)

// What asks for methods by names that are only known while it runs, as the standard
// library's templates do, has the linker keep every exported method of every type: 15 % of
// the program, and 6 MB of memory. Nobody calls the method that is looked for here.
func TestTheProgramHasOnlyWhatIsCalled(t *testing.T) {
	program := filepath.Join(t.TempDir(), "panel")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("build the panel: %v: %s", err, out)
	}
	file, err := elf.Open(program)
	must(t, err)
	defer file.Close()
	symbols, err := file.Symbols()
	must(t, err)
	for _, s := range symbols {
		if s.Name == "reflect.(*Value).MethodByName" {
			t.Error("the linker kept all methods; see who asks for some by name: go build -ldflags=-dumpdep ./cmd/panel 2>&1 | grep '<ReflectMethod> ->'")
		}
	}
}
