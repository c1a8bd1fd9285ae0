package bridge_test

import (
	"encoding/json"
	"testing"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/bustest"
	"github.com/blipstream/blipstream/internal/part"
	"github.com/blipstream/blipstream/services/bridge"
)

// told is what the bridge says of itself; the zero value for nothing.
func told(t *testing.T, conn *bus.Conn) (s part.Status) {
	t.Helper()
	all, err := conn.Statuses(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if text, ok := all["bridge"]; ok {
		if err := json.Unmarshal(text, &s); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// TestBridgeTellsItsState has Redis go and come, under a bridge and a standby.
func TestBridgeTellsItsState(t *testing.T) {
	srv, red := bustest.Start(t), startRedis(t)
	conn := srv.Conn(t, "bridge")
	run(t, conn, config(red, bridge.In, bridge.Out))
	launch(t, srv.Conn(t, "standby"), config(red, bridge.Off, bridge.Out))
	state := func(want string) {
		t.Helper()
		bustest.WaitFor(t, "the bridge is "+want, func() bool { return told(t, conn).State == want })
		if got := told(t, conn).Detail; got != "receiving twitter_raw; sending events" {
			t.Errorf("%s: the bridge is %s", want, got)
		}
	}
	state("working")
	red.kill()
	state("away")
	red.start()
	state("working")
}
