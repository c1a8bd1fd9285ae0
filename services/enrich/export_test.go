package enrich

import (
	"time"

	"github.com/blipstream/blipstream/services/enrich/derive"
)

// SetDrain bounds the stop of a service that does not run yet.
func (s *Service) SetDrain(d time.Duration) { s.drainFor = d }

// AddDeriver adds a deriver to a service that does not run yet.
func (s *Service) AddDeriver(d derive.Deriver) { s.derivers = append(s.derivers, d) }
