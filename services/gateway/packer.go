package gateway

import (
	"log/slog"
	"sync"
	"time"

	feedv1 "github.com/blipstream/blipstream/proto/gen/blipstream/feed/v1"
	"github.com/blipstream/blipstream/services/gateway/pack"
	"github.com/blipstream/blipstream/services/gateway/sse"
	"github.com/blipstream/blipstream/services/gateway/tail"
)

const (
	// packBlock is about how much is compressed into one block.
	packBlock = 256 << 10
	// packIdle is how often a packer that has nothing to do looks how far the
	// log has come.
	packIdle = time.Second
)

// packer copies what becomes readable in one log into another, compressed: one
// block for each window, whatever the number of clients.
type packer struct {
	log     *slog.Logger
	metrics *metrics
	to      *tail.Tail

	mu         sync.Mutex
	from       *tail.Reader
	generation uint64
	writer     pack.Writer
	scratch    [][]byte
	plain      []byte
	block      []byte
}

// newPacker makes a packer from a log, for the given kinds, into another.
func newPacker(s *Service, from *tail.Tail, kinds []string, to *tail.Tail) *packer {
	p := &packer{log: s.log, metrics: s.metrics, from: from.Live(kinds), to: to}
	p.generation = p.from.Generation()
	to.Reset(p.from.Epoch(), p.from.Position()+1, nil)
	return p
}

// run copies until stop is closed.
func (p *packer) run(stop <-chan struct{}) {
	idle := time.NewTicker(packIdle)
	defer idle.Stop()
	for {
		changed := p.from.Tail().Changed()
		p.drain()
		select {
		case <-changed:
		case <-idle.C:
		case <-stop:
			return
		}
	}
}

// drain copies all that can be read now.
func (p *packer) drain() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		chunk, gap := p.from.Next(p.scratch)
		if p.from.Generation() != p.generation {
			p.startOver(chunk, gap)
			continue
		}
		switch {
		case gap != nil:
			p.fell(gap)
		case chunk.Bytes == 0:
			p.emit()
			p.to.Advance(p.from.Position() + 1)
			return
		default:
			p.scratch = chunk.Runs
			for _, run := range chunk.Runs {
				p.plain = append(p.plain, run...)
			}
		}
		if len(p.plain) >= packBlock {
			p.emit()
		}
	}
}

// emit compresses what was collected.
func (p *packer) emit() {
	if len(p.plain) == 0 {
		return
	}
	block, err := p.writer.Append(p.block[:0], p.plain)
	p.plain = p.plain[:0]
	if err != nil { // memory is all that it writes to
		p.log.Error("compress events", slog.String("error", err.Error()))
		return
	}
	p.block = block
	if at := p.from.Position(); at >= p.to.State().Next {
		p.to.Append(at, "", block)
	} else {
		p.to.Notice(0, block)
	}
}

// startOver follows the log into another generation. What was collected is of
// the generation before.
func (p *packer) startOver(chunk tail.Chunk, gap *tail.Gap) {
	p.generation = p.from.Generation()
	var notice []byte
	for _, run := range chunk.Runs {
		notice = append(notice, run...)
	}
	if gap != nil {
		notice = p.gap(&feedv1.Gap{Reason: reasonRecreated, FromSeq: gap.From})
	}
	p.flushOld()
	p.to.Reset(p.from.Epoch(), p.from.Position()+1, pack.AppendStored(nil, notice))
}

// flushOld sends what was collected before the log started over.
func (p *packer) flushOld() {
	if len(p.plain) == 0 {
		return
	}
	block := pack.AppendStored(nil, p.plain)
	p.plain = p.plain[:0]
	p.to.Append(p.to.State().Next, "", block)
}

// fell tells all clients what the packer itself was too slow for.
func (p *packer) fell(gap *tail.Gap) {
	p.emit()
	told := &feedv1.Gap{Reason: reasonSlow, FromSeq: gap.From, ToSeq: gap.To, Count: gap.To - gap.From + 1}
	p.metrics.tell(told)
	p.to.Notice(gap.To+1, pack.AppendStored(nil, p.gap(told)))
}

// gap encodes a gap.
func (p *packer) gap(g *feedv1.Gap) []byte {
	encoded, err := sse.AppendGap(nil, position(p.from), g)
	if err != nil { // a message of our own making
		p.log.Error("encode gap", slog.String("error", err.Error()))
	}
	return encoded
}
