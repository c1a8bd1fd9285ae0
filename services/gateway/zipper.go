package gateway

import "github.com/blipstream/blipstream/services/gateway/pack"

// zipper compresses what is meant for one client alone, so that it fits
// between the blocks that all share.
type zipper struct {
	on     bool
	headed bool
	writer *pack.Writer
	out    []byte
}

// wrap returns data in the form the client takes, valid until the next call.
func (z *zipper) wrap(data []byte) ([]byte, error) {
	if !z.on {
		return data, nil
	}
	z.out = z.out[:0]
	if !z.headed {
		z.out, z.headed = pack.AppendHeader(z.out), true
	}
	if len(data) < replayFlush/8 { // not worth a writer of its own
		z.out = pack.AppendStored(z.out, data)
		return z.out, nil
	}
	if z.writer == nil {
		z.writer = &pack.Writer{}
	}
	var err error
	z.out, err = z.writer.Append(z.out, data)
	return z.out, err
}
