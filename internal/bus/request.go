package bus

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
)

// Headers by which a NATS micro service says that it failed (NATS ADR-32).
const (
	headerServiceError = "Nats-Service-Error"
	headerServiceCode  = "Nats-Service-Error-Code"
)

// What Request may fail with, beside the end of its context.
var (
	// ErrNobody is told where nobody listens.
	ErrNobody = errors.New("nobody listens there")
	// ErrService is told where whoever listens says that it failed.
	ErrService = errors.New("the service failed")
)

// Request asks whoever listens on subject, a NATS micro service or any other
// subscriber, and returns the answer. It waits as long as ctx allows, and does
// not try again.
func (c *Conn) Request(ctx context.Context, subject string, header Header, data []byte) ([]byte, error) {
	answer, err := c.nc.RequestMsgWithContext(ctx, &nats.Msg{Subject: subject, Header: header, Data: data})
	switch {
	case errors.Is(err, nats.ErrNoResponders):
		return nil, fmt.Errorf("bus: ask %s: %w", subject, ErrNobody)
	case err != nil:
		return nil, fmt.Errorf("bus: ask %s: %w", subject, err)
	}
	if told := answer.Header.Get(headerServiceError); told != "" || answer.Header.Get(headerServiceCode) != "" {
		return nil, fmt.Errorf("bus: ask %s: %w: %s %s", subject, ErrService,
			headerText(answer.Header.Get(headerServiceCode)), headerText(told))
	}
	return answer.Data, nil
}
