package legacy

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

const (
	// maxDigits is the longest numeric id: that of an unsigned 64-bit number.
	maxDigits = 20
	// maxID is the longest id of another sort, in bytes; it becomes part of
	// headers.
	maxID = 128
	// hashBytes is how much of a hash makes an id: no two among billions meet.
	hashBytes = 16
)

// digits is the digits of a number without sign, quoted or not; else "".
func digits(v jsontext.Value) string {
	s := strings.Trim(string(v), `"`)
	if len(s) > maxDigits || strings.Trim(s, "0123456789") != "" {
		return ""
	}
	return s
}

// usableID returns s if it may be an id: visible ASCII; else "".
func usableID(s string) string {
	if len(s) > maxID {
		return ""
	}
	for _, c := range []byte(s) {
		if c <= ' ' || c > '~' {
			return ""
		}
	}
	return s
}

// hashed names data by its bytes.
func hashed(data []byte) string {
	sum := sha256.Sum256(data)
	return "sha-" + hex.EncodeToString(sum[:hashBytes])
}

// deletion is the id of a delete message.
func deletion(v jsontext.Value) string {
	var d struct {
		Status struct {
			ID jsontext.Value `json:"id_str"`
		} `json:"status"`
	}
	if json.Unmarshal(v, &d) != nil || digits(d.Status.ID) == "" {
		return ""
	}
	return "del-" + digits(d.Status.ID)
}

// scrub is the id of a scrub_geo message.
func scrub(v jsontext.Value) string {
	var s struct {
		User jsontext.Value `json:"user_id_str"`
		UpTo jsontext.Value `json:"up_to_status_id_str"`
	}
	if json.Unmarshal(v, &s) != nil {
		return ""
	}
	user, upTo := digits(s.User), digits(s.UpTo)
	if user == "" || upTo == "" {
		return ""
	}
	return "scrub-" + user + "-" + upTo
}
