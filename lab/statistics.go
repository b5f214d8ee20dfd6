package lab

import (
	"fmt"
	"math"
	"slices"
)

// spread is what is told of a series of measurements: never only its best.
type spread struct {
	Min    float64 `json:"min"`
	Median float64 `json:"median"`
	Max    float64 `json:"max"`
}

// spreadOf sums up a series of at least one measurement.
func spreadOf(values []float64) spread {
	return spread{Min: quantile(values, 0), Median: quantile(values, 0.5), Max: quantile(values, 1)}
}

func (s spread) String() string {
	return fmt.Sprintf("%8.2f %8.2f %8.2f", s.Min, s.Median, s.Max)
}

// quantile interpolates between neighbours, so that the median of two values is
// their mean. Of nothing it is not a number.
func quantile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	at := q * float64(len(sorted)-1)
	low, high := sorted[int(math.Floor(at))], sorted[int(math.Ceil(at))]
	return low + (high-low)*(at-math.Floor(at))
}
