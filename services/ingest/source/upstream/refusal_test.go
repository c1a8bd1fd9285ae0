package upstream_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/blipstream/blipstream/services/ingest/source"
	"github.com/blipstream/blipstream/services/ingest/source/upstream"
)

func TestCauses(t *testing.T) {
	for status, want := range map[int]source.Cause{
		401: source.CauseFatal, 403: source.CauseFatal, 404: source.CauseFatal, 406: source.CauseFatal,
		413: source.CauseFatal, 416: source.CauseFatal, 302: source.CauseFatal,
		420: source.CauseRateLimited, 429: source.CauseRateLimited,
		503: source.CauseHTTP, 500: source.CauseHTTP, 502: source.CauseHTTP, 204: source.CauseHTTP,
	} {
		if got := upstream.CauseOf(status); got != want {
			t.Errorf("upstream.CauseOf(%d) = %v, want %v", status, got, want)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Unix(1000, 0)
	for name, c := range map[string]struct {
		header http.Header
		want   time.Duration
	}{
		"none":         {http.Header{}, 0},
		"seconds":      {http.Header{"Retry-After": {"120"}}, 2 * time.Minute},
		"date":         {http.Header{"Retry-After": {time.Unix(1090, 0).UTC().Format(http.TimeFormat)}}, 90 * time.Second},
		"reset":        {http.Header{"X-Rate-Limit-Reset": {"1300"}}, 5 * time.Minute},
		"the later":    {http.Header{"X-Rate-Limit-Reset": {"1300"}, "Retry-After": {"10"}}, 5 * time.Minute},
		"past":         {http.Header{"X-Rate-Limit-Reset": {"900"}}, 0},
		"their clock":  {http.Header{"X-Rate-Limit-Reset": {"1300"}, "Date": {time.Unix(1200, 0).UTC().Format(http.TimeFormat)}}, 100 * time.Second},
		"far too long": {http.Header{"Retry-After": {"999999999"}}, time.Hour},
		"nonsense":     {http.Header{"Retry-After": {"soon"}, "X-Rate-Limit-Reset": {"-"}}, 0},
	} {
		if got := upstream.RetryAfter(c.header, now); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
