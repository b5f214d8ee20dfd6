package desired

import (
	"fmt"
	"maps"
	"slices"
)

// share is what one container of a site's pod may take of one resource.
type share struct {
	// percent of the whole, within low and high (millicores or MiB).
	percent, low, high int64
}

// helpers of a site's pod get small slices; the application gets the rest, so
// that the containers together are exactly what the Domain says.
var (
	cpuShares = map[string]share{
		containerNginx: {percent: 15, low: 10, high: 1000},
		containerSFTP:  {percent: 10, low: 5, high: 500},
		containerRedis: {percent: 10, low: 5, high: 500},
		containerCron:  {percent: 20, low: 20, high: 2000},
	}
	memoryShares = map[string]share{
		containerNginx: {percent: 8, low: 16, high: 64},
		containerSFTP:  {percent: 10, low: 24, high: 128},
		containerRedis: {percent: 12, low: 16, high: 256},
		containerCron:  {percent: 25, low: 32, high: 1024}, // a command of PHP's or Python's, with what it works on
	}
)

// Least of each that the application itself must be left with.
const (
	leastCPU    = 10 // millicores
	leastMemory = 48 // MiB: PHP-FPM's master and one small request
)

// split divides whole among the helpers and the application. It is an error when
// too little is left for the application; the message says what would be enough.
func split(resource string, whole int64, shares map[string]share, helpers []string, least int64) (map[string]int64, error) {
	parts, rest, needed := map[string]int64{}, whole, least
	for _, name := range helpers {
		s := shares[name]
		parts[name] = min(max(whole*s.percent/100, s.low), s.high)
		rest -= parts[name]
		needed += s.low
	}
	if rest < least {
		return nil, fmt.Errorf("spec.resources: %s of %d is too little for a pod with %d containers beside the application; it needs %d", resource, whole, len(helpers), needed)
	}
	parts[containerApp] = rest
	return parts, nil
}

// proportional divides whole like parts. What rounding leaves goes to the
// application, and no part exceeds its limit.
func proportional(whole int64, parts map[string]int64) map[string]int64 {
	total := int64(0)
	for _, p := range parts {
		total += p
	}
	shares, rest := map[string]int64{}, whole
	for name, p := range parts {
		if name != containerApp {
			shares[name] = whole * p / total
			rest -= shares[name]
		}
	}
	shares[containerApp] = rest
	for _, name := range slices.Sorted(maps.Keys(parts)) {
		if over := shares[containerApp] - parts[containerApp]; over > 0 && name != containerApp {
			more := min(over, parts[name]-shares[name])
			shares[name] += more
			shares[containerApp] -= more
		}
	}
	return shares
}
