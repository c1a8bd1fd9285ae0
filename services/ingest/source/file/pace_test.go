package file

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := pace{speed: 2, maxGap: 5 * time.Second}
		start := time.Now()
		for i, c := range []struct {
			item string
			at   time.Duration // since the start
		}{
			{`{"timestamp_ms":"1000"}`, 0},
			{`{"timestamp_ms":"3000"}`, time.Second},
			{`{"timestamp_ms":"2000"}`, time.Second}, // out of order
			{`{"no":"time"}`, time.Second},
			{`{"timestamp_ms":"4000"}`, 1500 * time.Millisecond},
			{`{"timestamp_ms":"3600000"}`, 6500 * time.Millisecond}, // an hour, clamped
		} {
			if err := p.wait(t.Context(), []byte(c.item)); err != nil {
				t.Fatal(err)
			}
			if got := time.Since(start); got != c.at {
				t.Errorf("item %d came after %v, want %v", i, got, c.at)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		if err := p.wait(ctx, []byte(`{"timestamp_ms":"7200000"}`)); !errors.Is(err, context.Canceled) {
			t.Errorf("wait = %v, want the context's error", err)
		}
	})
}

func TestRecorded(t *testing.T) {
	want := time.Date(2018, 10, 10, 20, 19, 24, 0, time.UTC)
	for _, item := range []string{
		`{"created_at":"Wed Oct 10 20:19:24 +0000 2018"}`,
		`{"created_at":"2018-10-10T20:19:24Z"}`,
		`{"created_at":"Wed Oct 10 20:19:00 +0000 2018","timestamp_ms":"1539202764000"}`,
		`{"did":"x","time_us":1539202764000000}`,
		`{"meta":{"id":"x","dt":"2018-10-10T20:19:24Z"}}`,
	} {
		if got := recorded([]byte(item)); !got.Equal(want) {
			t.Errorf("recorded(%s) = %v", item, got)
		}
	}
	for _, item := range []string{`null`, `{}`, `{"created_at":"yesterday"}`, `{"time_us":99999999999999999999}`, `{"meta":null}`} {
		if got := recorded([]byte(item)); !got.IsZero() {
			t.Errorf("recorded(%s) = %v, want none", item, got)
		}
	}
}
