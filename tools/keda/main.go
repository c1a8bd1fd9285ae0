// Command keda reads the lag of a consumer by KEDA's own code, once for each
// line of its input: for the test of deploy/check that holds the ScaledObject
// against real servers. Arguments: the address of a server that knows the
// names, and the trigger's metadata as JSON. It prints the lag and whether
// that is enough to scale from zero ("3000 active=true"), or "error: ...".
//
// .ci/keda-build copies the package scalers, of which this needs two files, from
// KEDA's module: the whole of it would bring the clients of a hundred systems.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/kedacore/keda/v2/pkg/scalers/scalersconfig"

	"github.com/blipstream/blipstream/tools/keda/scalers"
)

// timeout is KEDA's own for a request, unless it is told another.
const timeout = 3 * time.Second

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "keda:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("read arguments: want 2, the server of names and the metadata, not %d", len(args))
	}
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", args[0])
	}}
	config := &scalersconfig.ScalerConfig{ScalableObjectName: "enrich", ScalableObjectNamespace: "blipstream", GlobalHTTPTimeout: timeout}
	if err := json.Unmarshal([]byte(args[1]), &config.TriggerMetadata); err != nil {
		return fmt.Errorf("read metadata: %w", err)
	}
	ctx := context.Background()
	s, err := scalers.NewNATSJetStreamScaler(config)
	if err != nil {
		return fmt.Errorf("make scaler: %w", err)
	}
	defer s.Close(ctx)
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		fmt.Println(reading(ctx, s))
	}
	return nil
}

// reading is the scaler's answer, as a line.
func reading(ctx context.Context, s scalers.Scaler) string {
	values, active, err := s.GetMetricsAndActivity(ctx, "lag")
	if err != nil {
		return "error: " + err.Error()
	}
	return fmt.Sprintf("%d active=%t", values[0].Value.Value(), active)
}
