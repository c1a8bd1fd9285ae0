package bridge

import (
	"slices"
	"strings"
	"time"

	"github.com/blipstream/blipstream/internal/part"
)

// beginning is how long Redis may take to answer at first until it is called
// away: the probe for a loop, and a connection to a server far off.
const beginning = 3 * time.Second

// reporter tells everybody what the bridge does, while it is the one that works.
func (s *Service) reporter(since time.Time) *part.Reporter {
	look := func() part.Status { return s.State().part(time.Since(since)) }
	return &part.Reporter{Name: stage, Board: s.conn, Look: look, Log: s.log}
}

// part is the state for others. worked is for how long the bridge has.
func (s State) part(worked time.Duration) part.Status {
	p := part.Status{State: "working", Detail: s.plan()}
	if slices.ContainsFunc(s.Channels, func(c ChannelState) bool { return !c.RedisUp }) {
		p.State = "away"
		if worked < beginning {
			p.State = "connecting"
		}
	}
	return p
}

// plan is what is copied, in words.
func (s State) plan() string {
	var words []string
	for _, way := range []struct {
		word      string
		direction Direction
	}{{"receiving ", In}, {"sending ", Out}} {
		var names []string
		for _, c := range s.Channels {
			if c.Direction == way.direction {
				names = append(names, c.Name)
			}
		}
		if len(names) > 0 {
			words = append(words, way.word+strings.Join(names, ", "))
		}
	}
	return strings.Join(words, "; ")
}
