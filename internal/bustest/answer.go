package bustest

import (
	"testing"

	"github.com/nats-io/nats.go"
)

// Answer answers requests on a subject until the test ends. answer returns the
// payload; an error is told as a NATS micro service tells it. It may block.
func (s *Server) Answer(tb testing.TB, subject string, answer func(request []byte) ([]byte, error)) {
	tb.Helper()
	nc, err := nats.Connect(s.URL())
	if err != nil {
		tb.Fatalf("bustest: connect: %v", err)
	}
	tb.Cleanup(nc.Close)
	_, err = nc.Subscribe(subject, func(m *nats.Msg) {
		go func() {
			reply := nats.NewMsg(m.Reply)
			data, err := answer(m.Data)
			reply.Data = data
			if err != nil {
				reply.Header.Set("Nats-Service-Error", err.Error())
				reply.Header.Set("Nats-Service-Error-Code", "500")
			}
			_ = nc.PublishMsg(reply) // the test may be over
		}()
	})
	if err == nil {
		err = nc.Flush()
	}
	if err != nil {
		tb.Fatalf("bustest: answer %s: %v", subject, err)
	}
}
