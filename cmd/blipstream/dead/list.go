package dead

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/blipstream/blipstream/cmd/blipstream/tail"
	"github.com/blipstream/blipstream/internal/bus"
)

// line is a letter as JSON says it.
type line struct {
	Seq        uint64    `json:"seq"`
	Time       time.Time `json:"time"`
	Stage      string    `json:"stage"`
	Reason     string    `json:"reason"`
	Source     string    `json:"source,omitempty"`
	Origin     string    `json:"origin,omitempty"`
	Item       string    `json:"item,omitempty"`
	StreamSeq  uint64    `json:"stream_seq,omitempty"`
	Deliveries uint64    `json:"deliveries,omitempty"`
	Bytes      int       `json:"bytes"`
	Parts      int       `json:"parts"`
	Missing    int       `json:"missing_parts,omitempty"`
	Error      string    `json:"error,omitempty"`
	// Header and Payload are shown of single letters only; the payload is
	// base64, as it need not be text.
	Header  bus.Header `json:"header,omitempty"`
	Payload []byte     `json:"payload,omitempty"`
}

func lineOf(l *bus.Letter) line {
	return line{
		Seq: l.Seq, Time: l.Time.UTC(), Stage: l.Stage, Reason: l.Reason, Source: l.Source, Origin: l.Origin, Item: l.Item,
		StreamSeq: l.StreamSeq, Deliveries: l.Deliveries, Bytes: len(l.Data), Parts: l.Parts, Missing: l.Missing, Error: l.Cause,
	}
}

// each calls fn with every letter that f chooses; its error is not ours.
func each(ctx context.Context, conn *bus.Conn, f bus.DeadFilter, fn func(*bus.Letter) error) error {
	err := conn.DeadLetters(ctx, func(l *bus.Letter) error {
		if !f.Match(l) {
			return nil
		}
		return fn(l)
	})
	if err != nil {
		return fmt.Errorf("dead: %w", err)
	}
	return nil
}

// List prints the letters that f chooses, one a line, and how many there are
// for each reason; with asJSON one object a line and nothing else.
func List(ctx context.Context, conn *bus.Conn, f bus.DeadFilter, out io.Writer, asJSON bool) error {
	if asJSON {
		enc := json.NewEncoder(out)
		return each(ctx, conn, f, func(l *bus.Letter) error { return enc.Encode(lineOf(l)) })
	}
	counts := map[string]int{}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "SEQ\tTIME\tSTAGE\tREASON\tSOURCE\tDELIVERIES\tBYTES\tERROR")
	err := each(ctx, conn, f, func(l *bus.Letter) error {
		counts[l.Stage+" "+l.Reason]++
		_, err := fmt.Fprintln(table, strings.Join(row(l), "\t"))
		return err
	})
	if err != nil {
		return err
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("dead: print: %w", err)
	}
	return summary(out, counts)
}

// row is a letter as the table shows it.
func row(l *bus.Letter) []string {
	text := l.Cause
	if l.Missing > 0 {
		text = fmt.Sprintf("(%d of %d parts missing) %s", l.Missing, l.Parts, text)
	}
	cells := []string{
		strconv.FormatUint(l.Seq, 10), l.Time.UTC().Format(time.RFC3339), l.Stage, l.Reason, cmp.Or(l.Source, "-"),
		strconv.FormatUint(l.Deliveries, 10), strconv.Itoa(len(l.Data)), text,
	}
	for i := range cells {
		cells[i] = tail.Harmless(cells[i])
	}
	return cells
}

// summary prints how many letters there are, most first.
func summary(out io.Writer, counts map[string]int) error {
	names := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	all := 0
	for _, n := range counts {
		all += n
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\n%d letters\n", all)
	for _, name := range names {
		fmt.Fprintf(&b, "%7d  %s\n", counts[name], tail.Harmless(name))
	}
	if _, err := io.WriteString(out, b.String()); err != nil {
		return fmt.Errorf("dead: print: %w", err)
	}
	return nil
}
