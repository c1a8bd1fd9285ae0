package twitter

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/blipstream/blipstream/services/ingest/source/peek"
)

// notice is a control message about the connection itself.
type notice struct {
	Limit *struct {
		Track uint64 `json:"track"`
	} `json:"limit"`
	Disconnect *struct {
		Code   int    `json:"code"`
		Stream string `json:"stream_name"`
		Reason string `json:"reason"`
	} `json:"disconnect"`
	Warning *struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	} `json:"warning"`
}

// identify finds the id of a message. isNotice says that the message is about
// the connection, and that its id must be made by whoever counts notices.
func identify(data []byte) (id string, isNotice bool) {
	peek.Object(data, func(key, value []byte) bool {
		switch string(key) {
		case "id_str":
			id = peek.Digits(value)
		case "id":
			if id == "" {
				id = peek.Digits(value)
			}
			return true // id_str is to be preferred
		case "delete":
			id = prefixed("del-", peek.Digits(peek.Field(peek.Field(value, "status"), "id_str")))
		case "scrub_geo":
			id = scrub(value)
		case "limit", "warning", "disconnect":
			isNotice = true
		default:
			return true
		}
		return false
	})
	if id == "" && !isNotice {
		id = hashed(data)
	}
	return id, isNotice
}

// scrub is the id of a scrub_geo message, "" if it lacks either part.
func scrub(value []byte) string {
	user := peek.Digits(peek.Field(value, "user_id_str"))
	upTo := peek.Digits(peek.Field(value, "up_to_status_id_str"))
	if user == "" || upTo == "" {
		return ""
	}
	return "scrub-" + user + "-" + upTo
}

// prefixed is prefix and id, "" without an id.
func prefixed(prefix, id string) string {
	if id == "" {
		return ""
	}
	return prefix + id
}

// hashed names a message without an id by its bytes.
func hashed(data []byte) string {
	sum := sha256.Sum256(data)
	return "sha-" + hex.EncodeToString(sum[:16])
}

// parseNotice reads a notice; what cannot be read says nothing.
func parseNotice(data []byte) (n notice) {
	if err := json.Unmarshal(data, &n); err != nil {
		return notice{}
	}
	return n
}

// String is the notice in a log line.
func (n notice) String() string {
	switch {
	case n.Limit != nil:
		return fmt.Sprintf("limit: %d held back since connecting", n.Limit.Track)
	case n.Disconnect != nil:
		return fmt.Sprintf("disconnect: code %d, %q", n.Disconnect.Code, n.Disconnect.Reason)
	case n.Warning != nil:
		return fmt.Sprintf("warning: %s: %s", n.Warning.Code, n.Warning.Message)
	default:
		return "unreadable"
	}
}

// stayAway reports whether the upstream closed the connection for a reason
// that coming back at once would only meet again: a duplicate stream (2), a
// revoked token (6), an administrator's logout or a newer connection (7).
func (n notice) stayAway() bool {
	if n.Disconnect == nil {
		return false
	}
	switch n.Disconnect.Code {
	case 2, 6, 7:
		return true
	default:
		return false
	}
}
