package bridge

import (
	"time"

	"github.com/blipstream/blipstream/internal/bus"
)

// Change has every message that comes in changed before it is stored.
func (s *Service) Change(change func(*bus.Msg)) {
	for _, w := range s.listeners {
		read := w.parse
		w.parse = func(payload []byte, at time.Time) (bus.Msg, error) {
			m, err := read(payload, at)
			change(&m)
			return m, err
		}
	}
}
