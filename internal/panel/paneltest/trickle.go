package paneltest

import "time"

// Trickle is a body that comes in small pieces and never ends.
type Trickle struct{}

// Read implements io.Reader.
func (Trickle) Read(b []byte) (int, error) {
	time.Sleep(time.Millisecond)
	return copy(b, "0123456789abcdef"), nil
}
