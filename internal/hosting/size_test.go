package hosting_test

import (
	"strings"
	"testing"

	"kubepanel.io/kubepanel/internal/hosting"
)

func TestSizes(t *testing.T) {
	tests := map[string]struct {
		parse func(string) (int64, error)
		want  map[string]int64
		fault map[string]string
	}{
		"storage": {
			parse: hosting.ParseStorage,
			want:  map[string]int64{"1Gi": 1, "5Gi": 5, "2048Mi": 2, "1Ti": 1024, "0.5Ti": 512},
			fault: map[string]string{
				"": "like 5Gi", "5": "like 5Gi", "5G": "like 5Gi", "5GB": "like 5Gi", "-5Gi": "like 5Gi", "1.5Gi": "whole GiB",
				"0Gi": "at least 1Gi", "512Mi": "whole GiB", "99999Ti": "at most", "5gi": "like 5Gi", "5Gi ": "like 5Gi", "1e3Gi": "like 5Gi",
				"99999999999999999999Gi": "like 5Gi", "9223372036854775808": "like 5Gi", "٥Gi": "like 5Gi", "NaN": "like 5Gi", "Inf": "like 5Gi", "0": "like 5Gi",
			},
		},
		"memory": {
			parse: hosting.ParseMemory,
			want:  map[string]int64{"512Mi": 512, "1Gi": 1024, "1.5Gi": 1536, "128Mi": 128},
			fault: map[string]string{
				"512": "like 512Mi", "512M": "like 512Mi", "64Mi": "at least 128Mi", "100Ti": "at most", "0.3Mi": "like 512Mi",
				"": "like 512Mi", "-1": "like 512Mi", "0": "like 512Mi", "99999999999999999999Gi": "like 512Mi", "٥١٢Mi": "like 512Mi", "1e300": "like 512Mi",
			},
		},
		"cpu": {
			parse: hosting.ParseCPU,
			want:  map[string]int64{"500m": 500, "1": 1000, "0.1": 100, "1.5": 1500, "2000m": 2000},
			fault: map[string]string{
				"": "like 500m", "half": "like 500m", "m": "like 500m", "1.5m": "like 500m", "10m": "at least 100m",
				"-1": "like 500m", "+500m": "", "1000": "at most", "0.0001": "like 500m", "99999999999m": "like 500m",
				"0": "at least 100m", "99999999999999999999": "like 500m", "١": "like 500m", "NaN": "like 500m", "1e300": "like 500m",
			},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			for input, want := range tt.want {
				if got, err := tt.parse(input); err != nil || got != want {
					t.Errorf("parse(%q) = %d, %v, want %d", input, got, err, want)
				}
			}
			for input, want := range tt.fault {
				got, err := tt.parse(input)
				if err == nil {
					t.Errorf("parse(%q) = %d, want a fault", input, got)
					continue
				}
				if text := err.Error(); !strings.Contains(text, want) {
					t.Errorf("parse(%q) = %q, want it to say %q", input, text, want)
				}
			}
		})
	}
}
