package bustest

import (
	"fmt"
	"net"
	"net/url"
	"sync"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
)

// StartCluster runs n servers that form one JetStream cluster, until the test
// ends. A client of one of them finds the others by itself.
func StartCluster(tb testing.TB, n int) []*Server {
	tb.Helper()
	routes := make([]*url.URL, n)
	ports := make([]int, n)
	for i := range routes {
		ports[i] = freePort(tb)
		routes[i] = &url.URL{Scheme: "nats", Host: net.JoinHostPort(host, itoa(ports[i]))}
	}
	servers := make([]*Server, n)
	for i := range servers {
		servers[i] = New(tb, func(o *server.Options) {
			o.ServerName = fmt.Sprintf("bustest-%d", i)
			o.Cluster = server.ClusterOpts{Name: "bustest", Host: host, Port: ports[i]}
			o.Routes = routes
		})
	}
	// Together: none is ready before most of them have met.
	var all sync.WaitGroup
	for _, s := range servers {
		all.Go(s.Start)
	}
	all.Wait()
	return servers
}
