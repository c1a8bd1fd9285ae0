package simulate

import (
	"bytes"
	"fmt"

	"github.com/klauspost/compress/dict"
	"github.com/klauspost/compress/zstd"
)

const (
	// skyDictionary is the id of the world's dictionary. The real ones are
	// dates, too.
	skyDictionary = 20260101
	// skySamples is how many items it is made of, and skyDictionaryBytes how
	// long it gets at most: enough for what all events have in common.
	skySamples         = 64
	skyDictionaryBytes = 16 << 10
	// bombBytes is how much is in a bomb, many times what a client takes.
	bombBytes = 16 << 20
)

// skyZip compresses events by a dictionary.
type skyZip struct {
	dictionary []byte
	encoder    *zstd.Encoder
}

// newSkyZip makes a dictionary of the world's first items, which takes a moment.
func newSkyZip(w *World) (*skyZip, error) {
	var samples [][]byte
	for n := range uint64(skySamples) {
		samples = append(samples, w.AppendBluesky(nil, n, true))
	}
	const hashed = 6
	d, err := dict.BuildZstdDict(samples, dict.Options{
		MaxDictSize: skyDictionaryBytes, HashBytes: hashed, ZstdDictID: skyDictionary, ZstdLevel: zstd.SpeedFastest,
	})
	if err != nil {
		return nil, fmt.Errorf("simulate: make dictionary: %w", err)
	}
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderDict(d), zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, fmt.Errorf("simulate: make dictionary: %w", err)
	}
	return &skyZip{dictionary: d, encoder: encoder}, nil
}

// press compresses one event.
func (z *skyZip) press(event []byte) []byte { return z.encoder.EncodeAll(event, nil) }

// bomb is a frame that does not say how long it becomes.
func (z *skyZip) bomb() []byte {
	var out bytes.Buffer
	w, err := zstd.NewWriter(&out, zstd.WithEncoderConcurrency(1))
	if err != nil {
		panic("simulate: an encoder without a file: " + err.Error())
	}
	for range bombBytes >> 20 {
		_, _ = w.Write(make([]byte, 1<<20)) // a buffer takes everything
	}
	_ = w.Close()
	return out.Bytes()
}
