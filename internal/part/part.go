package part

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"
)

const (
	// lookEvery is how often a part is asked for its status: a change is told
	// within that.
	lookEvery = time.Second
	// tellEvery is how often a status that has not changed is told again, so
	// often that a few losses do not make a part vanish (bus.StatusTTL).
	tellEvery = 5 * time.Second
)

// Status is what a part says of itself. The fields are those of PartStatus,
// and as fit for anybody's eyes.
type Status struct {
	// State is one word of those that PartStatus lists; "" says nothing, and
	// is not reported.
	State string `json:"state"`
	// Detail is a few words more; never an address or an error's text.
	Detail string `json:"detail,omitempty"`
	// Time is the part's clock; Reporter sets it.
	Time time.Time `json:"time"`
	// RetryTime is when the part tries again, if it waits for that.
	RetryTime time.Time `json:"retryTime,omitzero"`
	// ItemTime is when its last item came, if one has.
	ItemTime time.Time `json:"itemTime,omitzero"`
	// Reconnects, Missed and Gaps count, since the process began, the
	// connections that ended, the items that the upstream says it held back,
	// and the times that items may be missing.
	Reconnects uint64 `json:"reconnects,string,omitempty"`
	Missed     uint64 `json:"missed,string,omitempty"`
	Gaps       uint64 `json:"gaps,string,omitempty"`
}

// changed reports whether s says something else than old, apart from times
// that move by themselves.
func (s Status) changed(old Status) bool {
	return s.State != old.State || s.Detail != old.Detail || !s.RetryTime.Equal(old.RetryTime)
}

// Board is where statuses are written; *bus.Conn is one.
type Board interface {
	ReportStatus(ctx context.Context, key string, payload []byte) error
}

// Reporter tells the status of one part.
type Reporter struct {
	// Name is the part's: "bridge", or "ingest.<source>".
	Name string
	// Board is where to tell it.
	Board Board
	// Look is asked for the status, on Run's goroutine.
	Look func() Status
	// Log receives failures, at debug level.
	Log *slog.Logger
}

// Run tells the status within a second of a change, and every five seconds
// anyway, until ctx ends. It returns nil.
func (r *Reporter) Run(ctx context.Context) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	var told Status
	for {
		now := r.Look()
		now.Time = time.Now().UTC()
		if now.State != "" && (now.changed(told) || now.Time.Sub(told.Time) >= tellEvery) && r.tell(ctx, now) {
			told = now
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// tell reports whether the status was written.
func (r *Reporter) tell(ctx context.Context, s Status) bool {
	payload, err := json.Marshal(s)
	if err == nil {
		err = r.Board.ReportStatus(ctx, r.Name, payload)
	}
	if err != nil && ctx.Err() == nil {
		r.Log.Debug("status not told", slog.String("part", r.Name), slog.String("error", err.Error()))
	}
	return err == nil
}
