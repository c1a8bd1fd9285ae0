package profiles

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Profile is what an author calls themselves. The zero value is nobody: the
// AppView does not know them.
type Profile struct {
	// Handle is a domain, Name any text; Name may be empty.
	Handle, Name string
}

const (
	// keptFor is how long a profile is believed in memory before it is looked up
	// among the shared ones again: events tell of changes, but to one replica.
	keptFor = time.Hour
	// sharedFor is how long a shared profile is believed.
	sharedFor = 24 * time.Hour
	// nobodyFor is how long an author is believed to be nobody.
	nobodyFor = 10 * time.Minute
)

// note is a profile as it is kept.
type note struct {
	Handle string    `json:"handle,omitempty"`
	Name   string    `json:"name,omitempty"`
	Time   time.Time `json:"time"`
}

// fresh reports whether a note is still believed, which one of somebody is for
// as long as kept.
func (n note) fresh(now time.Time, kept time.Duration) bool {
	age := now.Sub(n.Time)
	return age < nobodyFor || n.Handle != "" && age < kept
}

// encode is the note in the bucket.
func (n note) encode() []byte {
	b, err := json.Marshal(n)
	if err != nil { // a time outside of years 0 to 9999, which no clock tells
		return nil
	}
	return b
}

// decodeNote reads a note from the bucket.
func decodeNote(b []byte) (n note, err error) {
	if err := json.Unmarshal(b, &n); err != nil {
		return note{}, fmt.Errorf("profiles: read note: %w", err)
	}
	return n, nil
}

// Known reports whether did is of a form that the AppView knows: anything else
// would have it refuse the whole batch.
func Known(did string) bool {
	const plc, web, longest = "did:plc:", "did:web:", 256
	if len(did) > longest {
		return false
	}
	if id, ok := strings.CutPrefix(did, plc); ok {
		return len(id) == 24 && strings.Trim(id, "abcdefghijklmnopqrstuvwxyz234567") == ""
	}
	host, ok := strings.CutPrefix(did, web)
	return ok && strings.Contains(host, ".") && strings.Trim(host, "abcdefghijklmnopqrstuvwxyz0123456789.-") == ""
}

// key is an author's key in the bucket.
func key(did string) string { return strings.ReplaceAll(strings.TrimPrefix(did, "did:"), ":", ".") }
