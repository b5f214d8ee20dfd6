package hosting

import (
	"fmt"
	"math/big"
	"regexp"
	"strings"
)

// Limits of a request. The upper ones only keep slips of the keyboard out; what a
// node has is the scheduler's business, what a customer bought the package's.
const (
	maxStorageGi = 64 << 10 // 64 TiB
	minCPUm      = 100      // below that PHP can't answer within a second
	maxCPUm      = 256_000
	minMemoryMi  = 128 // one PHP worker with WordPress, beside nginx and SFTP
	maxMemoryMi  = 4 << 20
)

var (
	number = regexp.MustCompile(`^[0-9]{1,9}(\.[0-9]{1,3})?$`)
	binary = regexp.MustCompile(`^([0-9]{1,9}(?:\.[0-9]{1,3})?)(Mi|Gi|Ti)$`)
)

// ParseStorage reads a size of a volume, such as 5Gi or 1Ti, in whole GiB.
func ParseStorage(input string) (int64, error) {
	mi, ok := mebibytes(input)
	switch {
	case !ok || mi%1024 != 0:
		return 0, fmt.Errorf("storage %q is not a size in whole GiB; write it like 5Gi", input)
	case mi < 1024:
		return 0, fmt.Errorf("storage %q is too small; ask for at least 1Gi", input)
	case mi/1024 > maxStorageGi:
		return 0, fmt.Errorf("storage %q is too large; ask for at most %dGi", input, maxStorageGi)
	}
	return mi / 1024, nil
}

// ParseMemory reads an amount of memory, such as 512Mi or 1.5Gi, in MiB.
func ParseMemory(input string) (int64, error) {
	mi, ok := mebibytes(input)
	switch {
	case !ok:
		return 0, fmt.Errorf("memory %q is not an amount; write it like 512Mi or 1Gi", input)
	case mi < minMemoryMi:
		return 0, fmt.Errorf("memory %q is too little for a site; ask for at least %dMi", input, minMemoryMi)
	case mi > maxMemoryMi:
		return 0, fmt.Errorf("memory %q is more than any node has; ask for at most %dMi", input, maxMemoryMi)
	}
	return mi, nil
}

// ParseCPU reads processor time, such as 500m, 1 or 1.5 cores, in thousandths of
// a core.
func ParseCPU(input string) (int64, error) {
	digits, milli := strings.CutSuffix(input, "m")
	m, ok := scaled(digits, 1000)
	if milli {
		m, ok = scaled(digits, 1)
	}
	switch {
	case !ok:
		return 0, fmt.Errorf("CPU %q is not an amount; write it like 500m (half a core) or 2", input)
	case m < minCPUm:
		return 0, fmt.Errorf("CPU %q is too little for a site; ask for at least %dm", input, minCPUm)
	case m > maxCPUm:
		return 0, fmt.Errorf("CPU %q is more than any node has; ask for at most %dm", input, maxCPUm)
	}
	return m, nil
}

// mebibytes reads 1Gi, 1.5Gi, 512Mi; ok is false for anything else and for what
// is no whole number of MiB.
func mebibytes(input string) (mi int64, ok bool) {
	parts := binary.FindStringSubmatch(input)
	if parts == nil {
		return 0, false
	}
	unit := map[string]int64{"Mi": 1, "Gi": 1 << 10, "Ti": 1 << 20}[parts[2]]
	return scaled(parts[1], unit)
}

// scaled returns a decimal number times unit, when that is a whole number. It
// calculates exactly: 0.1 has no exact float.
func scaled(digits string, unit int64) (int64, bool) {
	if !number.MatchString(digits) {
		return 0, false
	}
	r, ok := new(big.Rat).SetString(digits)
	if !ok {
		return 0, false
	}
	r.Mul(r, new(big.Rat).SetInt64(unit))
	if !r.IsInt() || !r.Num().IsInt64() {
		return 0, false
	}
	return r.Num().Int64(), true
}
