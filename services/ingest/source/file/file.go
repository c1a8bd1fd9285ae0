package file

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"strconv"
	"time"

	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/services/ingest/source"
	"github.com/blipstream/blipstream/services/ingest/source/framing"
)

// fileSource reads one regular file.
type fileSource struct {
	options
	name     string
	observer source.Observer
	log      *slog.Logger
}

var _ source.Opener = Open

// Open makes the source that cfg describes; see the package's comment. The
// file must be there already.
func Open(cfg source.Config) (source.Source, error) {
	o, err := parse(cfg.URL)
	if err != nil {
		return nil, err
	}
	regular, err := o.check()
	if err != nil {
		return nil, err
	}
	s := &fileSource{o, cfg.Name, cfg.Observe(), cfg.Log.With(slog.String("source", cfg.Name), slog.String("path", o.path))}
	if regular {
		return s, nil
	}
	return &pipeSource{fileSource: s, open: s.openPipe}, nil
}

// Stream implements source.Source.
func (s *fileSource) Stream(ctx context.Context, from feed.Cursor, emit func(feed.Item) error) error {
	f, err := os.Open(s.path)
	if err != nil {
		return s.broken(err)
	}
	defer f.Close()
	at, err := s.locate(f, from)
	if err != nil {
		return s.broken(err)
	}
	s.observer.Connected()
	for {
		n, err := s.pass(ctx, f, at, emit)
		if err != nil {
			return err
		}
		if !s.loop || n == 0 && at.offset == 0 {
			s.log.Info("read to the end", slog.Uint64("pass", at.pass))
			return nil
		}
		at.pass, at.offset = at.pass+1, 0
	}
}

// broken is the error for a file that cannot be read: one that is not there
// or not ours will not be next time; anything else may pass.
func (s *fileSource) broken(err error) error {
	cause := source.CauseNetwork
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		cause = source.CauseFatal
	}
	return &source.Error{Cause: cause, Err: fmt.Errorf("file: open: %w", err)}
}

// locate turns a cursor into a position in f: its own, or the beginning if f
// is not the file that the cursor was made of.
func (s *fileSource) locate(f *os.File, from feed.Cursor) (position, error) {
	now, err := headOf(f, headBytes)
	if err != nil {
		return position{}, err
	}
	start := position{head: now}
	if from == "" {
		return start, nil
	}
	at, err := parseCursor(from)
	if err != nil {
		s.log.Warn("starting over", slog.String("cursor", string(from)), slog.String("error", err.Error()))
		return start, nil
	}
	before, err := headOf(f, at.head.size)
	if err != nil {
		return position{}, err
	}
	if before != at.head {
		s.log.Warn("starting over: this is another file than before")
		return start, nil
	}
	at.head = now
	return at, nil
}

// pass reads f from a position to its end. It returns how many items that were.
func (s *fileSource) pass(ctx context.Context, f *os.File, at position, emit func(feed.Item) error) (int, error) {
	in, err := s.reader(ctx, f, at.offset)
	if errors.Is(err, errShort) {
		s.log.Warn("starting over", slog.String("error", err.Error()), slog.Int64("offset", at.offset))
		at.pass, at.offset = 0, 0
		in, err = s.reader(ctx, f, 0)
	}
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	if err != nil {
		return 0, &source.Error{Cause: source.CauseFatal, Err: fmt.Errorf("file: read %s: %w", s.path, err)}
	}
	defer in.Close()
	r := &reading{fileSource: s, emit: emit, at: at, pace: pace{speed: s.speed, maxGap: s.maxGap}}
	err = r.lines(ctx, framing.New(in, framing.LF, s.maxLine))
	return r.items, err
}

// reader reads f from an offset of its uncompressed text on.
func (s *fileSource) reader(ctx context.Context, f *os.File, offset int64) (io.ReadCloser, error) {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("seek: %w", err)
	}
	in, err := decompress(f)
	if err != nil {
		return nil, err
	}
	if err := skip(ctx, in, offset); err != nil {
		return nil, errors.Join(err, in.Close())
	}
	return in, nil
}

// reading is one pass.
type reading struct {
	*fileSource
	emit  func(feed.Item) error
	at    position // of the next line
	pace  pace
	items int
}

// lines hands out lines until the end.
func (r *reading) lines(ctx context.Context, in *framing.Reader) error {
	base := r.at.offset
	for {
		line, err := in.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return r.unreadable(r.at.offset, err)
		}
		if line.Open {
			if _, err := in.Next(); !errors.Is(err, io.EOF) {
				return r.truncated(line.Data, r.at.offset, err)
			}
		}
		if err := r.pace.wait(ctx, line.Data); err != nil {
			return err
		}
		next := position{r.at.pass, base + in.Offset(), r.at.head}
		if err := r.take(line, r.at, next.cursor()); err != nil {
			return err
		}
		r.at = next
		r.items++
	}
}

// unreadable is the error for a file that cannot be read on from an offset.
func (s *fileSource) unreadable(offset int64, err error) error {
	return &source.Error{Cause: source.CauseFatal, Err: fmt.Errorf("file: read %s: after %d bytes of text: %w", s.path, offset, err)}
}

// truncated rejects the line in whose middle err ended the text.
func (s *fileSource) truncated(data []byte, offset int64, err error) error {
	err = s.unreadable(offset, err)
	s.log.Warn("line rejected", slog.String("reason", source.ReasonTruncated), slog.Int("bytes", len(data)))
	if err := s.observer.Reject(source.Rejected{Reason: source.ReasonTruncated, Data: bytes.Clone(data), Err: err}); err != nil {
		return err
	}
	return err
}

// take hands out one line that begins at a position, or rejects it.
func (r *reading) take(line framing.Frame, at position, cursor feed.Cursor) error {
	data := bytes.Clone(line.Data)
	if line.Cut {
		r.log.Warn("line rejected", slog.String("reason", source.ReasonTooLong), slog.Int64("bytes", line.Size))
		return r.observer.Reject(source.Rejected{
			Reason: source.ReasonTooLong, Data: data, Cursor: cursor,
			Err: fmt.Errorf("file: read %s: line of %d bytes at offset %d, the limit is %d", r.path, line.Size, at.offset, r.maxLine),
		})
	}
	it := feed.Item{ID: itemID(at, data), Source: r.name, Received: time.Now(), Cursor: cursor, Data: data}
	if at.pass > 0 {
		it.Identity = it.ID
	}
	return r.emit(it)
}

// itemID is "<pass>-<offset>-<hash of the line>".
func itemID(at position, data []byte) string {
	b := make([]byte, 0, 48)
	b = strconv.AppendUint(b, at.pass, 10)
	b = append(b, '-')
	b = strconv.AppendInt(b, at.offset, 10)
	b = append(b, '-')
	return string(append(b, hash(data)...))
}
