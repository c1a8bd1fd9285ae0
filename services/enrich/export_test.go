package enrich

import "github.com/blipstream/blipstream/services/enrich/derive"

// AddDeriver adds a deriver to a service that does not run yet.
func (s *Service) AddDeriver(d derive.Deriver) { s.derivers = append(s.derivers, d) }
