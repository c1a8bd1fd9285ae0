package rulebook

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/services/enrich/keeper"
	"github.com/blipstream/blipstream/services/enrich/rules"
)

// Read reads a file of rules; "-" is in.
func Read(path string, in io.Reader) ([]byte, error) {
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, fmt.Errorf("rules: %w", err)
		}
		defer f.Close()
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, rules.MaxText+1))
	if err != nil {
		return nil, fmt.Errorf("rules: read %s: %w", path, err)
	}
	return text, nil
}

// ErrFailed is told when a test of rules fails.
var ErrFailed = errors.New("rules: tests failed")

// Test runs the tests in a text and prints a line for each. ErrFailed if one
// fails; another error if the text is no good at all.
func Test(text []byte, read rules.Reader, out io.Writer) error {
	set, err := rules.Parse(text)
	if err != nil {
		return err
	}
	failed := 0
	for _, r := range set.Test(read) {
		line := "ok    " + r.Name
		if r.Err != nil {
			failed++
			line = "FAIL  " + r.Name + ": " + r.Err.Error()
		}
		if _, err := fmt.Fprintln(out, line); err != nil {
			return err
		}
	}
	if _, err := fmt.Fprintf(out, "%d rules, %d tests, %d failed\n", len(set.Kinds), set.Tests(), failed); err != nil {
		return err
	}
	if failed > 0 {
		return fmt.Errorf("%w: %d of %d", ErrFailed, failed, set.Tests())
	}
	return nil
}

// Put writes a text into a bucket, if it passes its tests, and prints the
// generation it will have.
func Put(ctx context.Context, conn *bus.Conn, bucket string, text []byte, read rules.Reader, out io.Writer) error {
	set, err := rules.Compile(text, read)
	if err != nil {
		return err
	}
	have, err := conn.GetValue(ctx, bucket, keeper.KeyCurrent)
	if err != nil {
		return missing(err, bucket)
	}
	if have.Data != nil && string(have.Data) == string(text) {
		_, err = fmt.Fprintf(out, "generation %d holds the same already (hash %s)\n", have.Revision, set.Hash)
		return err
	}
	rev, err := conn.PutValue(ctx, bucket, keeper.KeyCurrent, bus.Value{Data: text, Revision: have.Revision})
	if errors.Is(err, bus.ErrChanged) {
		return fmt.Errorf("rules: somebody else has put rules at this moment: look at them (rules show) and try again: %w", err)
	}
	if err != nil {
		return missing(err, bucket)
	}
	_, err = fmt.Fprintf(out, "generation %d: %d rules, %d tests, hash %s\n", rev, len(set.Kinds), set.Tests(), set.Hash)
	return err
}

// missing adds what to do where there is no bucket.
func missing(err error, bucket string) error {
	if errors.Is(err, bus.ErrNoStream) {
		return fmt.Errorf("%w: make it with `blipstream ensure`, or with `nats kv add %s`", err, bucket)
	}
	return err
}

// Show prints the text in a bucket, with a comment that says what it is.
func Show(ctx context.Context, conn *bus.Conn, bucket string, out io.Writer) error {
	have, err := conn.GetValue(ctx, bucket, keeper.KeyCurrent)
	if err != nil {
		return missing(err, bucket)
	}
	if have.Data == nil {
		_, err = fmt.Fprintf(out, "# bucket %s holds no rules\n", bucket)
		return err
	}
	state := "good"
	if set, err := rules.Parse(have.Data); err != nil {
		state = "refused: " + err.Error()
	} else {
		state += ", hash " + set.Hash
	}
	_, err = fmt.Fprintf(out, "# bucket %s, generation %d, %s\n%s", bucket, have.Revision, state, have.Data)
	return err
}
