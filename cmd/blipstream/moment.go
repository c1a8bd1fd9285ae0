package main

import (
	"fmt"
	"time"
)

// moment is a time that can be given as how long ago it was. The zero value is
// no time at all.
type moment struct{ time.Time }

// UnmarshalText reads a duration before now (10m) or a time (RFC 3339).
func (m *moment) UnmarshalText(text []byte) error {
	if ago, err := time.ParseDuration(string(text)); err == nil && ago >= 0 {
		m.Time = time.Now().Add(-ago)
		return nil
	}
	t, err := time.Parse(time.RFC3339Nano, string(text))
	if err != nil {
		return fmt.Errorf("%q is neither a duration such as 10m nor a time such as 2026-03-01T12:00:00Z", text)
	}
	m.Time = t
	return nil
}
