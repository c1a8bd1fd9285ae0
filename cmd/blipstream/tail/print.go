package tail

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"github.com/r3labs/sse/v2"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/blipstream/blipstream/internal/feed"
	feedv1 "github.com/blipstream/blipstream/proto/gen/blipstream/feed/v1"
)

// Printer writes events as lines.
type Printer struct {
	// Out receives one line per event.
	Out io.Writer
	// JSON asks for the payloads as they are.
	JSON bool
}

// Print writes one event. A post is "[time] @username (name): body".
func (p *Printer) Print(ev *sse.Event) error {
	line := string(compact(ev.Data))
	if !p.JSON {
		line = describe(feed.Kind(ev.Event), ev.Data)
	}
	if _, err := io.WriteString(p.Out, line+"\n"); err != nil {
		return fmt.Errorf("tail: print event: %w", err)
	}
	return nil
}

// describe writes an event as a person reads it.
func describe(kind feed.Kind, data []byte) string {
	form := map[feed.Kind]func([]byte) (string, error){feed.KindSimpleTweet: post, feed.KindGeoBlip: blip}[kind]
	if form != nil {
		if line, err := form(data); err == nil {
			return line
		}
	}
	return Harmless(string(kind) + " " + string(data))
}

func post(data []byte) (string, error) {
	var m feedv1.SimpleTweet
	if err := decode(string(feed.KindSimpleTweet), data, &m); err != nil {
		return "", err
	}
	return fmt.Sprintf("[%s] @%s (%s): %s", clock(m.GetTime()),
		Harmless(m.GetUsername()), Harmless(m.GetName()), Harmless(m.GetBody())), nil
}

func blip(data []byte) (string, error) {
	var m feedv1.GeoBlip
	if err := decode(string(feed.KindGeoBlip), data, &m); err != nil {
		return "", err
	}
	return fmt.Sprintf("[%s] %s %s: %.4f, %.4f (%s)", clock(m.GetTime()), feed.KindGeoBlip,
		Harmless(m.GetId()), m.GetLat(), m.GetLon(), Harmless(m.GetPrecision())), nil
}

// clock writes a time to the second, in UTC, in the form that --since takes.
func clock(t *timestamppb.Timestamp) string {
	if t == nil {
		return "no time"
	}
	return t.AsTime().UTC().Format(time.RFC3339)
}

// Harmless makes text from strangers safe to show in a terminal, on one line:
// breaks and tabs become spaces, other control characters (which may move the
// cursor, set the title or type for the user) their pictures, and the controls
// that turn the direction of text disappear.
func Harmless(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\r' || r == '\t' || r == '\u2028' || r == '\u2029':
			return ' '
		case r < ' ':
			return '\u2400' + r
		case r == '\x7f':
			return '\u2421'
		case unicode.IsControl(r):
			return unicode.ReplacementChar
		case r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069':
			return -1
		default:
			return r
		}
	}, s)
}
