package file

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/services/ingest/source"
	"github.com/blipstream/blipstream/services/ingest/source/framing"
)

// pipeSource reads what can be read once only: standard input, a pipe, a
// device. A read of those cannot be called off, so it happens on a goroutine of
// its own that outlives Stream: a later Stream goes on where this one stopped.
// It ends with its input.
type pipeSource struct {
	*fileSource
	open  func() (io.ReadCloser, error)
	once  sync.Once
	lines chan line
	// held is a line that was taken and could not be emitted.
	held *line
	pace pace
	// count and offset are how many lines were taken and bytes of text handed out.
	count, offset int64
}

// line is a line of a pipe, or the error that ended the pipe, or both if that
// was in the middle of the line.
type line struct {
	framing.Frame
	err error
}

// openPipe opens the pipe, which may wait for somebody to write to it.
func (s *fileSource) openPipe() (io.ReadCloser, error) {
	if s.path == standardInput {
		return io.NopCloser(os.Stdin), nil
	}
	return os.Open(s.path)
}

// Stream implements source.Source.
func (s *pipeSource) Stream(ctx context.Context, _ feed.Cursor, emit func(feed.Item) error) error {
	s.once.Do(func() {
		s.pace = pace{speed: s.speed, maxGap: s.maxGap}
		s.lines = make(chan line)
		go s.read()
	})
	s.observer.Connected()
	for {
		if err := s.next(ctx); err != nil {
			return err
		}
		if errors.Is(s.held.err, io.EOF) {
			return nil
		}
		if s.held.Open && s.held.err != nil {
			return s.truncated(s.held.Data, s.offset, s.held.err)
		}
		if s.held.err != nil {
			return s.unreadable(s.offset, s.held.err)
		}
		if err := s.take(ctx, emit); err != nil {
			return err
		}
		s.offset += s.held.Size
		s.held = nil
	}
}

// next takes a line, unless one is held.
func (s *pipeSource) next(ctx context.Context) error {
	if s.held != nil {
		return ctx.Err()
	}
	select {
	case l := <-s.lines:
		s.held = &l
		s.count++
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// take hands out the line that is held.
func (s *pipeSource) take(ctx context.Context, emit func(feed.Item) error) error {
	if err := s.pace.wait(ctx, s.held.Data); err != nil {
		return err
	}
	if s.held.Cut {
		s.log.Warn("line rejected", slog.String("reason", source.ReasonTooLong), slog.Int64("bytes", s.held.Size))
		return s.observer.Reject(source.Rejected{
			Reason: source.ReasonTooLong, Data: s.held.Data,
			Err: fmt.Errorf("file: read %s: line of %d bytes, the limit is %d", s.path, s.held.Size, s.maxLine),
		})
	}
	at := position{offset: s.count}
	return emit(feed.Item{ID: itemID(at, s.held.Data), Source: s.name, Received: time.Now(), Data: s.held.Data})
}

// read sends every line, and the error that ended them, to whoever streams.
func (s *pipeSource) read() {
	in, err := s.open()
	if err != nil {
		s.lines <- line{err: err}
		return
	}
	defer in.Close()
	text, err := decompress(in)
	if err != nil {
		s.lines <- line{err: err}
		return
	}
	defer text.Close()
	for r := framing.New(text, framing.LF, s.maxLine); ; {
		f, err := r.Next()
		if f.Open {
			if _, cut := r.Next(); !errors.Is(cut, io.EOF) {
				err = cut
			}
		}
		f.Data = bytes.Clone(f.Data)
		s.lines <- line{f, err}
		if err != nil {
			return
		}
	}
}
