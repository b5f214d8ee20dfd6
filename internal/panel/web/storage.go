package web

import (
	"math"
	"strconv"

	"k8s.io/apimachinery/pkg/api/resource"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/hosting"
)

// nearlyFull is the part of a volume, in hundredths, from which on it is shown as a
// danger; the operator warns at the same.
const nearlyFull = 90

// fill is how full something is.
type fill struct {
	Used, Size string
	Percent    int
	Known      bool
	// Calm tells that a full one is as it should be.
	Calm bool
}

// High tells whether it is nearly full.
func (f fill) High() bool { return f.Percent >= nearlyFull && !f.Calm }

// storageOf tells how full a site's volume is. What is used is not known where the
// storage does not tell.
func storageOf(d *v1alpha1.Domain) fill {
	s := orEmpty(d).Status.Storage
	if s == nil {
		s = &v1alpha1.StorageStatus{}
	}
	if s.Size == "" {
		return fill{Size: size(d.Spec.Resources.Storage)}
	}
	whole, err := resource.ParseQuantity(s.Size)
	if err != nil {
		return fill{Size: s.Size}
	}
	f := fill{Size: bytesText(whole.Value())}
	used, err := resource.ParseQuantity(s.Used)
	if err != nil || whole.Value() <= 0 {
		return f
	}
	f.Used, f.Known = bytesText(used.Value()), true
	f.Percent = int(min(100, used.Value()*100/whole.Value()))
	return f
}

// processorOf tells how much of its processor time a site used lately.
func processorOf(use *hosting.Use, d *v1alpha1.Domain) fill {
	limit := quantity(orEmpty(d).Spec.Resources.Limits.CPU, true)
	if use == nil || limit <= 0 {
		return fill{Size: "–"}
	}
	return fill{Used: milli(use.CPU), Size: milli(limit), Percent: int(min(100, use.CPU*100/limit)), Known: true}
}

// size writes an amount of memory or storage as people read it: 1.7 GiB for 1700Mi.
func size(amount string) string {
	q, err := resource.ParseQuantity(amount)
	if err != nil {
		return amount
	}
	return bytesText(q.Value())
}

// bytesText writes a number of bytes as people read it.
func bytesText(n int64) string {
	const step = 1024
	value, unit := float64(n), 0
	units := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	for value >= step && unit < len(units)-1 {
		value /= step
		unit++
	}
	return strconv.FormatFloat(math.Round(value*10)/10, 'f', -1, 64) + "\u00a0" + units[unit]
}

// cores writes processor time as people read it: 0.5 for 500m.
func cores(amount string) string {
	q, err := resource.ParseQuantity(amount)
	if err != nil {
		return amount
	}
	return strconv.FormatFloat(float64(q.MilliValue())/1000, 'f', -1, 64)
}
