package sse

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/r3labs/sse/v2"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	feedv1 "github.com/blipstream/blipstream/proto/gen/blipstream/feed/v1"
)

// The names of the gateway's own events. error and open are never sent: an
// EventSource would hand them to the handlers of its own events of that name.
const (
	EventHello   = "hello"
	EventHB      = "hb"
	EventGap     = "gap"
	EventBye     = "bye"
	EventThinned = "thinned"
	EventFrame   = "frame"
	EventStats   = "stats"
)

// Bounds of the retry: field, in milliseconds. A browser waits exactly as long
// as it is told and knows no jitter of its own, so each gets another value.
const (
	retryMin = 3000
	retryMax = 8000
)

// JSON encodes m as one compact ProtoJSON object.
func JSON(m proto.Message) ([]byte, error) {
	loose, err := protojson.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("sse: encode %s: %w", m.ProtoReflect().Descriptor().Name(), err)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, loose); err != nil {
		return nil, fmt.Errorf("sse: compact %s: %w", m.ProtoReflect().Descriptor().Name(), err)
	}
	return compact.Bytes(), nil
}

// AppendHello appends the first event of a stream. Its id is the position the
// stream starts behind, so that a client that is cut off before the first
// event resumes from there; its retry: is jittered.
func AppendHello(dst []byte, at ID, h *feedv1.Hello) ([]byte, error) {
	data, err := JSON(h)
	if err != nil {
		return dst, err
	}
	retry := retryMin + rand.N(retryMax-retryMin+1)
	return Append(dst, &sse.Event{
		ID: at.Append(nil), Event: []byte(EventHello), Data: data,
		Retry: strconv.AppendInt(nil, int64(retry), 10),
	}), nil
}

// AppendHB appends a heartbeat. Its id is how far the stream has come, which
// under a filter may be far beyond the last event.
func AppendHB(dst []byte, at ID, now time.Time) []byte {
	data := append([]byte(`{"time":"`), now.UTC().Format(time.RFC3339Nano)...)
	return Append(dst, &sse.Event{ID: at.Append(nil), Event: []byte(EventHB), Data: append(data, `"}`...)})
}

// AppendGap appends a gap. Its id is the last sequence missing, so that a
// client that reconnects is not told again; no id if at is zero.
func AppendGap(dst []byte, at ID, g *feedv1.Gap) ([]byte, error) {
	data, err := JSON(g)
	if err != nil {
		return dst, err
	}
	e := sse.Event{Event: []byte(EventGap), Data: data}
	if at != (ID{}) {
		e.ID = at.Append(nil)
	}
	return Append(dst, &e), nil
}

// AppendBye appends the last event of a stream.
func AppendBye(dst []byte, b *feedv1.Bye) ([]byte, error) {
	data, err := JSON(b)
	if err != nil {
		return dst, err
	}
	return Append(dst, &sse.Event{Event: []byte(EventBye), Data: data}), nil
}

// AppendThinned appends what a rate left out. It has no id: the events that
// were sent have.
func AppendThinned(dst []byte, m *feedv1.Thinned) ([]byte, error) {
	data, err := JSON(m)
	if err != nil {
		return dst, err
	}
	return Append(dst, &sse.Event{Event: []byte(EventThinned), Data: data}), nil
}

// AppendFrame appends a frame. Its id is the last sequence that it covers.
func AppendFrame(dst []byte, at ID, data []byte) []byte {
	return Append(dst, &sse.Event{ID: at.Append(nil), Event: []byte(EventFrame), Data: data})
}

// AppendStats appends statistics.
func AppendStats(dst []byte, m *feedv1.Stats) ([]byte, error) {
	data, err := JSON(m)
	if err != nil {
		return dst, err
	}
	return Append(dst, &sse.Event{Event: []byte(EventStats), Data: data}), nil
}
