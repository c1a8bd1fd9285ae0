package gateway

import (
	"bytes"
	"os"
	"regexp"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	feedv1 "github.com/blipstream/blipstream/proto/gen/blipstream/feed/v1"
	"github.com/blipstream/blipstream/services/gateway/filter"
	"github.com/blipstream/blipstream/services/gateway/live"
	"github.com/blipstream/blipstream/services/gateway/sse"
)

// transcriptFile is what a client of /live reads, byte for byte. The tests of
// the page read it too: what the gateway says is what the page understands.
const transcriptFile = "testdata/live.sse"

// jittered is the one thing that differs from client to client.
var jittered = regexp.MustCompile(`(?m)^retry: \d+$`)

func TestTranscript(t *testing.T) {
	got := jittered.ReplaceAll(transcript(t), []byte("retry: 3000"))
	if os.Getenv("TRANSCRIPT") == "renew" {
		if err := os.WriteFile(transcriptFile, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(transcriptFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is no longer what the gateway says (TRANSCRIPT=renew writes it anew, then run the tests of the page):\n%s", transcriptFile, got)
	}
}

// transcript is one of every event of /live.
func transcript(tb testing.TB) []byte {
	tb.Helper()
	noon := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	at := sse.ID{Epoch: "e1", Seq: 6}
	var out []byte
	add := func(next []byte, err error) {
		if err != nil {
			tb.Fatal(err)
		}
		out = next
	}
	add(sse.AppendHello(out, at, &feedv1.Hello{Epoch: "e1", Time: timestamppb.New(noon), FirstSeq: 1, LastSeq: 6, NextSeq: 7, Version: "test"}))
	add(appendFrame(out, sse.ID{Epoch: "e1", Seq: 13}, transcriptFrame(), noon), nil)
	add(sse.AppendStats(out, transcriptStats(noon)))
	add(sse.AppendHB(out, sse.ID{Epoch: "e1", Seq: 13}, noon.Add(10*time.Second)), nil)
	add(sse.AppendGap(out, sse.ID{Epoch: "e1", Seq: 40}, &feedv1.Gap{Reason: "slow", FromSeq: 14, ToSeq: 40, Count: 27}))
	add(sse.AppendBye(out, &feedv1.Bye{Reason: "shutdown", ReopenAfterMs: 4_200}))
	return out
}

// transcriptFrame holds what is easily misread: a position at zero, a number
// no double holds, text of a hostile author, removals.
func transcriptFrame() *live.Framer {
	f := live.NewFramer()
	for i, e := range []struct{ kind, payload string }{
		{"simple_tweet", `{"id":"9007199254740993","source":"demo","time":"2026-11-23T11:59:59.5Z","username":"ann","name":"A\u202enn","body":"<b>1</b>\n\u2028 & done","lang":"en","country":"JP","type":"reply","userId":"7"}`},
		{"geo_blip", `{"id":"1","source":"demo","lat":0,"lon":0,"precision":"point","type":"post","userId":"7"}`},
		{"geo_blip", `{"id":"2","source":"demo","lat":-18.1,"lon":178.4,"precision":"place","radiusKm":12.5,"type":"repost","userId":"8"}`},
		{"geo_blip", `{"id":"3","source":"demo","lat":-18.2,"lon":178.4,"precision":"place","radiusKm":20,"type":"repost","userId":"9"}`},
		{"my_rule", `{"id":"4","source":"demo"}`},
		{"post_removed", `{"id":"99","source":"demo"}`},
		{"geo_removed", `{"id":"7-98","source":"demo","userId":"7","upToId":"98"}`},
	} {
		var facts filter.Facts
		facts.Read([]byte(e.payload))
		f.Add(uint64(7+i), e.kind, []byte(e.payload), &facts, 10)
	}
	return f
}

func transcriptStats(now time.Time) *feedv1.Stats {
	return &feedv1.Stats{
		Time: timestamppb.New(now), Events: 412, Rate: 41.2, Kinds: map[string]uint64{"simple_tweet": 206, "geo_blip": 206}, Clients: 3, LastSeq: 13,
		Simulated: true, Backlog: proto.Uint64(0), Latency: &feedv1.Latency{Count: 9, P50Ms: 3.5, P95Ms: 8},
		Windows: []*feedv1.Window{{
			Minutes: 5, Events: 412, Langs: map[string]uint64{"en": 9}, Countries: map[string]uint64{"JP": 4, "BR": 12},
			Tags: []*feedv1.Count{{Name: "Rain", Count: 2}},
		}},
		Sources: []*feedv1.SourceState{{Name: "demo"}},
		Parts:   []*feedv1.PartStatus{{Name: "ingest.demo", State: "live", Time: timestamppb.New(now), ItemTime: timestamppb.New(now), Missed: 1_204}},
	}
}
