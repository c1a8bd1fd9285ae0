package bluesky

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/blipstream/blipstream/services/ingest/source/upstream"
)

const (
	// dictionaryTimeout bounds the fetching of a dictionary.
	dictionaryTimeout = 15 * time.Second
	// maxDictionary is many times the 110 KB that instances have used.
	maxDictionary = 4 << 20
)

// dictionary undoes the compression of one instance.
type dictionary struct {
	id      uint32
	decoder *zstd.Decoder
}

// fetchDictionary asks host for its present dictionary. limit is how long an
// event may be, in bytes.
func (s *blueskySource) fetchDictionary(ctx context.Context, host string, limit int) (*dictionary, error) {
	ctx, cancel := context.WithTimeout(ctx, dictionaryTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.opts.dictionaryURL(host), http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	req.Header.Set("User-Agent", upstream.Agent)
	resp, err := upstream.Client(s.dial).Do(req)
	if err != nil {
		return nil, fmt.Errorf("fetch dictionary: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, upstream.Refused("bluesky: fetch dictionary", resp)
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxDictionary+1))
	if err != nil {
		return nil, fmt.Errorf("fetch dictionary: %w", err)
	}
	return newDictionary(b, limit)
}

// newDictionary makes a dictionary of its bytes, which RFC 8878 describes in
// section 5: a magic number, the dictionary's, and so on.
func newDictionary(b []byte, limit int) (*dictionary, error) {
	const idAt, idEnd = 4, 8
	magic := []byte{0x37, 0xA4, 0x30, 0xEC}
	if len(b) < idEnd || len(b) > maxDictionary || !bytes.HasPrefix(b, magic) {
		return nil, errors.New("read dictionary: it is none of zstd's")
	}
	decoder, err := zstd.NewReader(nil, zstd.WithDecoderDicts(b), zstd.WithDecoderConcurrency(1),
		zstd.WithDecoderMaxMemory(uint64(limit)), zstd.WithDecoderLowmem(true))
	if err != nil {
		return nil, fmt.Errorf("read dictionary: %w", err)
	}
	return &dictionary{id: binary.LittleEndian.Uint32(b[idAt:idEnd]), decoder: decoder}, nil
}

// undo decompresses one frame.
func (d *dictionary) undo(frame []byte) ([]byte, error) { return d.decoder.DecodeAll(frame, nil) }

// tooLong reports whether an error says that a frame would become longer than
// the limit.
func tooLong(err error) bool {
	return errors.Is(err, zstd.ErrDecoderSizeExceeded) || errors.Is(err, zstd.ErrWindowSizeExceeded)
}
