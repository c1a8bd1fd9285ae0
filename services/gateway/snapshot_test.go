package gateway

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/protobuf/encoding/protojson"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/bustest"
	"github.com/blipstream/blipstream/internal/feed"
	feedv1 "github.com/blipstream/blipstream/proto/gen/blipstream/feed/v1"
)

// TestSnapshotIsAsNewAsItsQuestion: a page opens its stream and asks for a
// snapshot. What happens before the answer is in one of the two: where it is a
// removal, the page would show for ever what was removed.
func TestSnapshotIsAsNewAsItsQuestion(t *testing.T) {
	w := newWorld(t, nil)
	w.forge(t, []byte(`{"id":"7","source":"test","username":"a","body":"gone soon"}`))
	get := func() string {
		t.Helper()
		w.settle()
		got := httpGet(w.gateway, "/api/snapshot")
		var m feedv1.Snapshot
		if err := protojson.Unmarshal(got.Body.Bytes(), &m); err != nil || m.GetId() != w.id(w.gateway.tail.State().Next-1) {
			t.Fatalf("%d %s: %v", got.Code, got.Body, err)
		}
		return got.Body.String()
	}
	if got := get(); !strings.Contains(got, "gone soon") {
		t.Errorf("got %s", got)
	}
	bustest.Publish(t, w.conn, feed.StreamEvents, bus.Msg{
		Subject: feed.EventSubject(feed.KindPostRemoved), ID: "removal", Data: []byte(`{"id":"7","source":"test"}`),
	})
	if got := get(); strings.Contains(got, "gone soon") {
		t.Errorf("removed before it was asked for: %s", got)
	}
}

// TestSnapshotsOfACrowd: a thousand who ask within a second cost what five do,
// and each gets what was made after the question.
func TestSnapshotsOfACrowd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var k snapshots
		made := 0
		build := func(now time.Time) ([]byte, error) {
			made++
			return now.AppendFormat(nil, time.RFC3339Nano), t.Context().Err()
		}
		var all sync.WaitGroup
		for range 1000 {
			all.Go(func() {
				asked := time.Now()
				data, err := k.get(t.Context(), "", build)
				at, _ := time.Parse(time.RFC3339Nano, string(data))
				if err != nil || at.Before(asked) || at.Sub(asked) > snapshotEvery {
					t.Errorf("asked at %s, made at %s: %v", asked, data, err)
				}
			})
			<-time.After(time.Millisecond)
		}
		all.Wait()
		if made < 5 || made > 7 {
			t.Errorf("made %d", made)
		}
		<-time.After(time.Millisecond)
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := k.get(gone, "", build); err == nil {
			t.Error("made for who is gone")
		}
	})
}
