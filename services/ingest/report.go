package ingest

import (
	"errors"
	"time"

	"github.com/blipstream/blipstream/internal/part"
	"github.com/blipstream/blipstream/services/ingest/source"
)

// reporter tells everybody how the source is doing.
func (w *worker) reporter() *part.Reporter {
	return &part.Reporter{Name: stage + "." + w.name, Board: w.conn, Look: w.status.part, Log: w.log}
}

// part is the status for others. A standby says nothing: who holds the lease
// speaks for the source. The cause is told by its name alone, since the text
// of an error may hold what is not for everybody.
func (s *status) part() part.Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now == stateStandby {
		return part.Status{}
	}
	p := part.Status{
		State: string(s.now), RetryTime: s.retry,
		Reconnects: s.reconnects.Load(), Missed: s.missed.Load(), Gaps: s.gaps.Load(),
	}
	if told := (*source.Error)(nil); errors.As(s.err, &told) {
		p.Detail = told.Cause.String()
	}
	if at := s.item.Load(); at != 0 {
		p.ItemTime = time.UnixMilli(at).UTC()
	}
	return p
}
