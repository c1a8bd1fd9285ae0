package file

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
)

const (
	// readSize is how much is read of a compressed file at once.
	readSize = 64 << 10
	// maxWindow bounds the memory that a Zstandard frame can ask for; levels up
	// to 20, and --long up to 26, stay below it.
	maxWindow = 64 << 20
)

// Magic numbers, with which compressed files begin and JSON never does.
const (
	gzipMagic = "\x1f\x8b"
	zstdMagic = "\x28\xb5\x2f\xfd"
)

// sniff tells by its first bytes how in is compressed: gzip, zstd or "".
func sniff(in *bufio.Reader) string {
	head, err := in.Peek(len(zstdMagic))
	if err != nil && len(head) < len(gzipMagic) {
		return "" // too short for either; reading will tell why
	}
	switch {
	case string(head) == zstdMagic:
		return "zstd"
	case string(head[:len(gzipMagic)]) == gzipMagic:
		return "gzip"
	}
	return ""
}

// decompress reads in, whatever it is compressed with.
func decompress(in io.Reader) (io.ReadCloser, error) {
	buffered := bufio.NewReaderSize(in, readSize)
	switch sniff(buffered) {
	case "gzip":
		z, err := gzip.NewReader(buffered)
		if err != nil {
			return nil, fmt.Errorf("read gzip: %w", err)
		}
		return z, nil
	case "zstd":
		z, err := zstd.NewReader(buffered, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxMemory(maxWindow), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, fmt.Errorf("read zstd: %w", err)
		}
		return z.IOReadCloser(), nil
	default:
		return io.NopCloser(buffered), nil
	}
}

// errShort is told when a text ends before the offset it is to be read from.
var errShort = errors.New("the file is shorter than before")

// skip reads over n bytes.
func skip(ctx context.Context, in io.Reader, n int64) error {
	const step = 4 << 20 // often enough to notice that ctx has ended
	for n > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		done, err := io.CopyN(io.Discard, in, min(n, step))
		if errors.Is(err, io.EOF) {
			return errShort
		}
		if err != nil {
			return err
		}
		n -= done
	}
	return nil
}
