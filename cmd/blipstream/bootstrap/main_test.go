package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/blipstream/blipstream/internal/bustest"
)

// It makes everything, also a second time, and refuses what cannot work in one line.
func TestRun(t *testing.T) {
	s := bustest.Start(t)
	small := []string{
		"--nats", s.URL(), "--log-level", "error",
		"--raw-max-bytes", "1MiB", "--events-max-bytes", "1MiB", "--replay-max-bytes", "1MiB", "--dead-max-bytes", "1MiB",
	}
	for range 2 {
		var out, errs bytes.Buffer
		if code := run(small, &out, &errs); code != exitOK || !strings.Contains(out.String(), "as they should be") {
			t.Fatalf("ends with %d: %s%s", code, &out, &errs)
		}
	}
	for _, refused := range []struct {
		args []string
		code int
	}{
		{[]string{"--nats", "ftp://nowhere"}, exitUsage},
		{[]string{"--raw-max-bytes", "much"}, exitUsage},
		{append(small, "--replicas", "3"), exitFailed}, // one server has no three copies
	} {
		var out, errs bytes.Buffer
		code := run(refused.args, &out, &errs)
		if code != refused.code || strings.Count(strings.TrimSpace(errs.String()), "\n") != 0 || errs.Len() == 0 {
			t.Errorf("%v ends with %d: %s", refused.args, code, &errs)
		}
	}
}
