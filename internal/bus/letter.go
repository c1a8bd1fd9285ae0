package bus

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/blipstream/blipstream/internal/feed"
)

var (
	// ErrNoOrigin is told for a letter that does not say which raw subject it
	// came from, or came from another stream.
	ErrNoOrigin = errors.New("it does not say which raw.<source> it came from")
	// ErrIncomplete is told for a letter of which parts are missing.
	ErrIncomplete = errors.New("parts of it are missing")
)

// Letter is one dead letter as DEAD keeps it, its parts put together.
type Letter struct {
	// Stored is the letter's first message; Data is the whole payload, Seq
	// names the letter.
	Stored
	// Stage and Reason are those of the subject.
	Stage, Reason string
	// Origin is the subject the payload came from or was meant for, Source that
	// of a raw subject; "" where the letter does not say.
	Origin, Source string
	// Item is its id within its source, or "".
	Item string
	// Cause says what was wrong.
	Cause string
	// StreamSeq is its sequence in the stream it came from, Deliveries how often
	// it was delivered; 0 where the letter does not say.
	StreamSeq, Deliveries uint64
	// Parts is how many messages hold it; Missing of these are gone.
	Parts, Missing int

	seqs []uint64
}

// DeadLetters calls fn with every letter that DEAD holds now, in order: one
// that was cut into parts comes when its last part is read, and after all
// others if parts are missing. What is stored meanwhile is left out, so that fn
// may have letters handled again that end in DEAD again. It returns fn's first
// error.
func (c *Conn) DeadLetters(ctx context.Context, fn func(*Letter) error) error {
	state, err := c.Stream(ctx, feed.StreamDead)
	if err != nil {
		return err
	}
	j := joiner{open: map[string]*joint{}}
	err = c.Each(ctx, feed.StreamDead, state.FirstSeq, state.LastSeq, func(m *Stored) error {
		if l := j.add(*m); l != nil {
			return fn(l)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, l := range j.rest() {
		if err := fn(l); err != nil {
			return err
		}
	}
	return nil
}

// Forget deletes the messages that hold a letter. One that is gone already is
// no error.
func (c *Conn) Forget(ctx context.Context, l *Letter) error {
	for _, seq := range l.seqs {
		if err := c.deleteMsg(ctx, feed.StreamDead, seq); err != nil {
			return fmt.Errorf("bus: delete dead letter %d: %w", l.Seq, err)
		}
	}
	return nil
}

func (c *Conn) deleteMsg(ctx context.Context, stream string, seq uint64) error {
	ctx, cancel := c.short(ctx)
	defer cancel()
	s, err := c.js.Stream(ctx, stream)
	if err != nil {
		return err
	}
	err = s.DeleteMsg(ctx, seq)
	if errors.Is(err, jetstream.ErrMsgDeleteUnsuccessful) || code(err) == codeNoMessage {
		if _, e := s.GetMsg(ctx, seq); errors.Is(e, jetstream.ErrMsgNotFound) {
			return nil
		}
	}
	return err
}

// codeNoMessage is the server's error code for a sequence that holds nothing
// (errors.json of nats-server 2.15).
const codeNoMessage jetstream.ErrorCode = 10043

// Again is the message that puts a letter's payload back into RAW, to be read
// as the same item: with its headers and its id, under a new message id, since
// the old one may still be remembered. The message id depends on the letter
// alone, so that a letter put back twice in a row is stored once.
// ErrNoOrigin, ErrIncomplete.
func (l *Letter) Again() (Msg, error) {
	switch {
	case l.Missing > 0:
		return Msg{}, fmt.Errorf("bus: put dead letter %d back: %d of %d: %w", l.Seq, l.Missing, l.Parts, ErrIncomplete)
	case l.Source == "":
		return Msg{}, fmt.Errorf("bus: put dead letter %d back: %w", l.Seq, ErrNoOrigin)
	}
	h := Header{}
	for k, v := range l.Header {
		if !strings.HasPrefix(strings.ToLower(k), "nats-") && !slices.Contains(letterHeaders(), k) {
			h[k] = v
		}
	}
	id := again + strconv.FormatUint(l.Seq, 10) + "-" + strconv.FormatInt(l.Time.UnixNano(), 36)
	return Msg{Subject: l.Origin, ID: feed.RawID(l.Source, id), Header: h, Data: l.Data}, nil
}

// again starts the ids under which dead letters are put back.
const again = "again-"

// letterHeaders are those that a letter adds to the original's and that do not
// belong to what is put back. HeaderItem stays: the message id has changed.
func letterHeaders() []string {
	return []string{feed.HeaderError, feed.HeaderSubject, feed.HeaderStreamSeq, feed.HeaderDeliveries, feed.HeaderPart}
}

// From gives a letter that does not say where it came from a source to be put
// back to.
func (l *Letter) From(source string) {
	if l.Source == "" {
		l.Origin, l.Source = feed.RawSubject(source), source
	}
}

// letter reads what the first message of a letter says.
func letter(m Stored) *Letter {
	l := &Letter{
		Stored: m, Origin: m.Header.Get(feed.HeaderSubject), Item: m.Header.Get(feed.HeaderItem),
		Cause: m.Header.Get(feed.HeaderError), StreamSeq: number(m.Header.Get(feed.HeaderStreamSeq)),
		Deliveries: number(m.Header.Get(feed.HeaderDeliveries)), Parts: 1, seqs: []uint64{m.Seq},
	}
	l.Source = feed.SourceOf(l.Origin)
	if !feed.ValidSource(l.Source) {
		l.Source = ""
	}
	l.Stage, l.Reason = feed.DeadParts(m.Subject)
	return l
}

// number reads a header; what is no number counts as 0.
func number(s string) uint64 {
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// joiner puts the parts of letters together. Parts of several letters may come
// mixed, and a part may come twice if the server forgot its id.
type joiner struct{ open map[string]*joint }

// joint is a letter of which parts are known.
type joint struct {
	of    int
	parts map[int]Stored
	seqs  []uint64
}

// maxParts bounds what a letter may claim to be cut into.
const maxParts = 1 << 16

// add takes a message, and returns the letter that it completes, or nil.
func (j *joiner) add(m Stored) *Letter {
	n, of, ok := part(m.Header.Get(feed.HeaderPart))
	if !ok {
		return letter(m)
	}
	key := strings.TrimSuffix(m.Header.Get(nats.MsgIdHdr), ":"+m.Header.Get(feed.HeaderPart)) + " " + m.Subject + " " + strconv.Itoa(of)
	t := j.open[key]
	if t == nil {
		t = &joint{of: of, parts: map[int]Stored{}}
		j.open[key] = t
	}
	t.parts[n] = m
	t.seqs = append(t.seqs, m.Seq)
	if len(t.parts) < of {
		return nil
	}
	delete(j.open, key)
	return t.letter()
}

// rest is the letters that were not completed.
func (j *joiner) rest() []*Letter {
	rest := make([]*Letter, 0, len(j.open))
	for _, t := range j.open {
		rest = append(rest, t.letter())
	}
	slices.SortFunc(rest, func(a, b *Letter) int { return cmp.Compare(a.Seq, b.Seq) })
	return rest
}

// letter joins the parts there are.
func (t *joint) letter() *Letter {
	order := slices.Sorted(maps.Keys(t.parts))
	l := letter(t.parts[order[0]])
	l.Data = nil
	for _, n := range order {
		l.Data = append(l.Data, t.parts[n].Data...)
	}
	l.Parts, l.Missing, l.seqs = t.of, t.of-len(t.parts), t.seqs
	l.Seq = slices.Min(t.seqs)
	return l
}

// part reads "<n>/<of>".
func part(s string) (n, of int, ok bool) {
	first, second, found := strings.Cut(s, "/")
	n, err := strconv.Atoi(first)
	of, err2 := strconv.Atoi(second)
	return n, of, found && err == nil && err2 == nil && n >= 1 && n <= of && of > 1 && of <= maxParts
}

// DeadFilter chooses letters. The zero value chooses all; each field that is
// set narrows the choice.
type DeadFilter struct {
	Stages, Reasons, Sources []string
	// Since and Until bound when the letter was stored: from Since on, and
	// before Until.
	Since, Until time.Time
	// Seqs names letters.
	Seqs []uint64
}

// Match reports whether f chooses l.
func (f *DeadFilter) Match(l *Letter) bool {
	return among(f.Stages, l.Stage) && among(f.Reasons, l.Reason) && among(f.Sources, l.Source) && among(f.Seqs, l.Seq) &&
		!l.Time.Before(f.Since) && (f.Until.IsZero() || l.Time.Before(f.Until))
}

func among[T comparable](list []T, v T) bool { return len(list) == 0 || slices.Contains(list, v) }
