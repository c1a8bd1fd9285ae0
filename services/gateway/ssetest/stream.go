package ssetest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Event is an event as a client of the standard sees it.
type Event struct {
	// Name is its event: field; "message" if there is none.
	Name string
	// ID is the last id: up to and with this event.
	ID string
	// Data is its data: fields, joined by \n.
	Data string
	// Retry is its retry: field in milliseconds; -1 if there is none.
	Retry int
}

// Stream is an open stream.
type Stream struct {
	// Response is the answer the stream came with.
	Response *http.Response
	lines    *bufio.Reader
	lastID   string
}

// Open asks for a stream. Everything but 200 with text/event-stream is an
// error. client nil stands for http.DefaultClient.
func Open(ctx context.Context, client *http.Client, url string, header http.Header) (*Stream, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, fmt.Errorf("ssetest: open stream: %w", err)
	}
	if header != nil {
		req.Header = header.Clone()
	}
	req.Header.Set("Accept", "text/event-stream")
	if client == nil {
		client = http.DefaultClient
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ssetest: open stream: %w", err)
	}
	mediaType, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if err != nil || resp.StatusCode != http.StatusOK || mediaType != "text/event-stream" {
		_ = resp.Body.Close() // the answer is judged by its head
		return nil, fmt.Errorf("ssetest: open stream: %s with content type %q", resp.Status, resp.Header.Get("Content-Type"))
	}
	return &Stream{Response: resp, lines: bufio.NewReader(resp.Body)}, nil
}

// Close ends the stream.
func (s *Stream) Close() { _ = s.Response.Body.Close() } // it is of no more use either way

// Next reads the next event; io.EOF at a clean end between two events. Unlike
// a browser it refuses what the standard says to ignore: unknown fields, ids
// with NUL, bytes that are no UTF-8, the end within an event.
func (s *Stream) Next() (Event, error) {
	e := Event{Name: "message", Retry: -1}
	var data []string
	for begun := false; ; begun = true {
		line, err := s.line()
		if errors.Is(err, io.EOF) && !begun && line == "" {
			return Event{}, io.EOF
		}
		if err != nil {
			return Event{}, fmt.Errorf("ssetest: read event: %w", noEOF(err))
		}
		if line == "" && begun {
			e.ID, e.Data = s.lastID, strings.Join(data, "\n")
			return e, nil
		}
		if err := s.field(&e, &data, line); err != nil {
			return Event{}, err
		}
	}
}

// line reads a line without its end.
func (s *Stream) line() (string, error) {
	line, err := s.lines.ReadString('\n')
	if err != nil {
		return line, err
	}
	line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
	if !utf8.ValidString(line) || strings.ContainsAny(line, "\r\x00") {
		return "", fmt.Errorf("line %q: %w", line, errForm)
	}
	return line, nil
}

// field takes one line of an event.
func (s *Stream) field(e *Event, data *[]string, line string) error {
	name, value, _ := strings.Cut(line, ":")
	value = strings.TrimPrefix(value, " ")
	switch name {
	case "": // a comment
	case "event":
		e.Name = value
	case "data":
		*data = append(*data, value)
	case "id":
		s.lastID = value
	case "retry":
		ms, err := strconv.Atoi(value)
		if err != nil {
			return fmt.Errorf("ssetest: read retry: %w", err)
		}
		e.Retry = ms
	default:
		return fmt.Errorf("ssetest: read event: line %q: %w", line, errForm)
	}
	return nil
}

// Wrap reads an answer that was come by in another way.
func Wrap(resp *http.Response) *Stream {
	return &Stream{Response: resp, lines: bufio.NewReader(resp.Body)}
}
