package bustest

import (
	"sync"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
)

// Node is one nats-server of a cluster that runs as its configuration file
// says.
type Node struct {
	tb  testing.TB
	srv *server.Server
}

// StartNodes runs a server for each configuration file, together, until the
// test ends. Ports, routes, TLS, users and folders are the files'; the n-th
// server listens on the n-th address alone.
func StartNodes(tb testing.TB, addresses, files []string) []*Node {
	tb.Helper()
	nodes := make([]*Node, len(files))
	for i, file := range files {
		nodes[i] = newNode(tb, addresses[i], file)
	}
	// Together: none is ready before most of them have met.
	var all sync.WaitGroup
	for _, n := range nodes {
		all.Go(n.srv.Start)
	}
	all.Wait()
	for _, n := range nodes {
		if !n.srv.ReadyForConnections(readyTimeout) {
			tb.Fatalf("bustest: server %s not ready after %s", n.Name(), readyTimeout)
		}
	}
	return nodes
}

// newNode makes a server that does not run yet.
func newNode(tb testing.TB, address, file string) *Node {
	tb.Helper()
	opts := &server.Options{NoSigs: true, NoLog: true}
	if err := opts.ProcessConfigFile(file); err != nil {
		tb.Fatalf("bustest: read %s: %v", file, err)
	}
	opts.Host, opts.HTTPHost, opts.Cluster.Host = address, address, address
	srv, err := server.NewServer(opts)
	if err != nil {
		tb.Fatalf("bustest: make server of %s: %v", file, err)
	}
	tb.Cleanup(func() {
		srv.Shutdown()
		srv.WaitForShutdown()
	})
	return &Node{tb, srv}
}

// Name is what the server calls itself.
func (n *Node) Name() string { return n.srv.Name() }

// LeadsConsumer reports whether this server leads an account's consumer.
func (n *Node) LeadsConsumer(account, stream, durable string) bool {
	return n.srv.JetStreamIsConsumerLeader(account, stream, durable)
}

// StepDown has the server give up a consumer that it leads, so that another
// is elected.
func (n *Node) StepDown(account, stream, durable string) {
	n.tb.Helper()
	if err := n.srv.JetStreamStepdownConsumer(account, stream, durable); err != nil {
		n.tb.Errorf("bustest: have %s step down: %v", n.Name(), err)
	}
}
