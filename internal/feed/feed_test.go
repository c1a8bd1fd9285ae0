package feed_test

import (
	"strings"
	"testing"

	"github.com/blipstream/blipstream/internal/feed"
)

func TestKindValid(t *testing.T) {
	for _, k := range feed.Kinds() {
		if !k.Valid() {
			t.Errorf("built-in kind %q is not valid", k)
		}
	}
	for _, k := range []feed.Kind{
		"", "Simple", "1st", "a.b", "a b", "a\nb", "error", "open", "hello", "hb", "gap",
		feed.Kind(strings.Repeat("k", 64)),
	} {
		if k.Valid() {
			t.Errorf("kind %q is valid, want it refused", k)
		}
	}
}

func TestSubjects(t *testing.T) {
	if got := feed.SourceOf(feed.RawSubject("demo")); got != "demo" {
		t.Errorf("SourceOf = %q, want demo", got)
	}
	if got := feed.SourceOf("events.geo_blip"); got != "" {
		t.Errorf("SourceOf of an event subject = %q, want none", got)
	}
	for _, s := range []string{"events.geo_blip", "replay.r1.events.geo_blip"} {
		if got := feed.KindOf(s); got != feed.KindGeoBlip {
			t.Errorf("KindOf(%q) = %q", s, got)
		}
	}
	if got := feed.EventID(feed.KindSimpleTweet, "demo", "7"); got != "simple_tweet:demo:7" {
		t.Errorf("EventID = %q", got)
	}
}

func TestValidSource(t *testing.T) {
	for _, s := range []string{"demo", "x-v2", "file_1"} {
		if !feed.ValidSource(s) {
			t.Errorf("source %q refused", s)
		}
	}
	for _, s := range []string{"", "a.b", "A", "a*", ">", "-a", "a b"} {
		if feed.ValidSource(s) {
			t.Errorf("source %q taken", s)
		}
	}
}
