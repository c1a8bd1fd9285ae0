package dead

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/blipstream/blipstream/cmd/blipstream/tail"
	"github.com/blipstream/blipstream/internal/bus"
)

// Form is how Show prints a letter.
type Form int

// The forms: for people; as one JSON object; the payload alone, byte for byte.
const (
	Text Form = iota
	JSON
	Payload
)

// ErrNoLetter is told where DEAD holds no letter of the given sequence.
var ErrNoLetter = errors.New("dead: no such letter: see `dead ls`")

// errShown ends the search.
var errShown = errors.New("shown")

// Show prints one letter.
func Show(ctx context.Context, conn *bus.Conn, seq uint64, out io.Writer, form Form) error {
	err := each(ctx, conn, bus.DeadFilter{Seqs: []uint64{seq}}, func(l *bus.Letter) error {
		if err := show(out, l, form); err != nil {
			return err
		}
		return errShown
	})
	switch {
	case errors.Is(err, errShown):
		return nil
	case err != nil:
		return err
	}
	return ErrNoLetter
}

func show(out io.Writer, l *bus.Letter, form Form) error {
	switch form {
	case JSON:
		v := lineOf(l)
		v.Header, v.Payload = l.Header, l.Data
		return json.NewEncoder(out).Encode(v)
	case Payload:
		_, err := out.Write(l.Data)
		return err
	default:
		_, err := io.WriteString(out, text(l))
		return err
	}
}

// text is a letter as a person reads it.
func text(l *bus.Letter) string {
	var b strings.Builder
	fmt.Fprintf(&b, "letter %d on %s, stored %s\n", l.Seq, tail.Harmless(l.Subject), l.Time.UTC())
	if l.Parts > 1 {
		fmt.Fprintf(&b, "in %d parts, %d missing\n", l.Parts, l.Missing)
	}
	for _, k := range slices.Sorted(maps.Keys(l.Header)) {
		fmt.Fprintf(&b, "%s: %s\n", tail.Harmless(k), tail.Harmless(strings.Join(l.Header[k], ", ")))
	}
	fmt.Fprintf(&b, "\n%d bytes:\n", len(l.Data))
	if !utf8.Valid(l.Data) {
		fmt.Fprintf(&b, "%q\n", l.Data)
		return b.String()
	}
	b.WriteString(tail.Harmless(string(l.Data)) + "\n")
	return b.String()
}
