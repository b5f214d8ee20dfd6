package lab

import (
	"math"
	"testing"
)

func TestSpreadOf(t *testing.T) {
	tests := map[string]struct {
		values []float64
		want   spread
	}{
		"one":               {[]float64{3}, spread{3, 3, 3}},
		"odd, not in order": {[]float64{9, 1, 4}, spread{1, 4, 9}},
		"even":              {[]float64{4, 1, 2, 9}, spread{1, 3, 9}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := spreadOf(tt.values); got != tt.want {
				t.Errorf("spreadOf(%v) = %v, want %v", tt.values, got, tt.want)
			}
		})
	}
}

func TestQuantileOfNothingIsNotANumber(t *testing.T) {
	if got := quantile(nil, 0.5); !math.IsNaN(got) {
		t.Errorf("quantile(nil) = %v, want NaN", got)
	}
}

func TestQuantileInterpolates(t *testing.T) {
	if got := quantile([]float64{0, 10}, 0.95); math.Abs(got-9.5) > 1e-9 {
		t.Errorf("quantile = %v, want 9.5", got)
	}
}
