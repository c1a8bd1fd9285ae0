package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"regexp"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
)

const (
	// apiTimeout bounds one request to the server. A request without permission
	// is never answered, so there must be a bound.
	apiTimeout = 5 * time.Second
	// reconnectWait and its jitters space the attempts to connect. They never
	// grow: a server that is back is found at once, and one attempt costs little.
	reconnectWait      = 250 * time.Millisecond
	reconnectJitter    = 250 * time.Millisecond
	reconnectJitterTLS = time.Second
	// deniedFor is how long a refused permission keeps a connection from being
	// ready: longer than the usual period of a readiness probe.
	deniedFor = 30 * time.Second
	// watchInterval is how often streams and consumers are asked about what the
	// server does not announce: lag, what the limits removed, incarnations.
	watchInterval = 5 * time.Second
)

// Header is the headers of a message.
type Header = nats.Header

// InProcess is an embedded server that can be reached without a socket.
type InProcess interface{ InProcessConn() (net.Conn, error) }

// Options says how to connect.
type Options struct {
	// URL of the server, or several separated by commas. Ignored with InProcess.
	URL string
	// InProcess, if not nil, is used instead of URL.
	InProcess InProcess
	// CA, if set, is a file of PEM certificates that the server's must be signed
	// by; NKey a file that holds the seed of the user's nkey.
	CA, NKey string
	// Name of the service: the connection's name, the prefix of its inboxes
	// (_INBOX_<name>, which permissions can be given for) and the label conn of
	// its metrics. Letters, digits, _ and -.
	Name string
	// Log receives what happens to the connection; nil discards it.
	Log *slog.Logger
	// Metrics receives the connection's collectors; several connections may
	// share one. nil keeps them unregistered.
	Metrics prometheus.Registerer
	// Layout, if not nil, makes this connection an owner of the streams: what is
	// missing is made before first use, and again when found missing. With nil
	// it only binds, and waits for what is missing.
	Layout *Layout
}

// Conn is a connection that never gives up. Safe for concurrent use.
type Conn struct {
	nc      *nats.Conn
	js      jetstream.JetStream
	name    string
	log     *slog.Logger
	metrics *metrics
	// layout is nil in a connection that owns nothing.
	layout atomic.Pointer[Layout]
	// watchEvery is watchInterval, except in tests.
	watchEvery time.Duration

	// ctx ends when the connection is closed; background work hangs on it.
	ctx    context.Context
	cancel context.CancelFunc
	work   sync.WaitGroup
	closed chan struct{}
	// linked fires on every connect and reconnect.
	linked  signal
	link    link
	absence absence
	// deniedAt is when a permission was refused last, in nanoseconds since 1970.
	deniedAt atomic.Int64
	ensuring ensuring

	mu         sync.Mutex
	publishers map[*Publisher]struct{}
}

var nameForm = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// Connect returns at once even if no server answers yet (it goes on trying in
// the background, for ever); it fails for an Options that cannot work.
func Connect(o Options) (*Conn, error) {
	if !nameForm.MatchString(o.Name) {
		return nil, fmt.Errorf("bus: connect: name %q must be letters, digits, _ and - only", o.Name)
	}
	if o.InProcess == nil {
		if err := checkURLs(o.URL); err != nil {
			return nil, fmt.Errorf("bus: connect: %w", err)
		}
	}
	if o.Layout != nil {
		if err := o.Layout.Check(); err != nil {
			return nil, fmt.Errorf("bus: connect: %w", err)
		}
	}
	c, err := newConn(o)
	if err != nil {
		return nil, err
	}
	if c.layout.Load() != nil {
		c.work.Go(c.keepEnsured)
	}
	return c, nil
}

// newConn dials; o has been checked.
func newConn(o Options) (*Conn, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	c := &Conn{
		name: o.Name, log: o.Log, metrics: newMetrics(o.Metrics, o.Name),
		watchEvery: watchInterval, closed: make(chan struct{}), publishers: map[*Publisher]struct{}{},
	}
	c.layout.Store(o.Layout)
	c.ctx, c.cancel = context.WithCancel(context.Background())
	who, err := o.identity()
	if err != nil {
		c.cancel()
		return nil, fmt.Errorf("bus: connect: %w", err)
	}
	nc, err := nats.Connect(o.URL, append(c.options(o), who...)...)
	if err != nil {
		c.cancel()
		return nil, fmt.Errorf("bus: connect: %w", err)
	}
	js, err := jetstream.New(nc, jetstream.WithDefaultTimeout(apiTimeout))
	if err != nil {
		c.cancel()
		nc.Close()
		return nil, fmt.Errorf("bus: connect: %w", err)
	}
	c.nc, c.js = nc, js
	c.work.Go(c.tellAway)
	return c, nil
}

// options are those that make a connection never give up and never lie.
func (c *Conn) options(o Options) []nats.Option {
	opts := []nats.Option{
		nats.Name(o.Name),
		nats.CustomInboxPrefix("_INBOX_" + o.Name),
		nats.RetryOnFailedConnect(true),
		nats.MaxReconnects(-1),
		// While credentials are changed, a server may refuse us for a time: nats.go
		// would close the connection for good at its second refusal.
		nats.IgnoreAuthErrorAbort(),
		nats.ReconnectWait(reconnectWait),
		nats.ReconnectJitter(reconnectJitter, reconnectJitterTLS),
		// Without a buffer a publish fails while the server is away, instead of
		// being reported as failed and sent later all the same.
		nats.ReconnectBufSize(-1),
		nats.ConnectHandler(c.onConnect),
		nats.ReconnectHandler(c.onReconnect),
		nats.DisconnectErrHandler(c.onDisconnect),
		nats.ReconnectErrHandler(c.onDialError),
		nats.ErrorHandler(c.onError),
		nats.ClosedHandler(func(*nats.Conn) { close(c.closed) }),
	}
	if o.InProcess != nil {
		opts = append(opts, nats.InProcessServer(o.InProcess))
	}
	return opts
}

func (c *Conn) onConnect(nc *nats.Conn) {
	c.metrics.connected.Set(1)
	c.log.Info("connected to nats", slog.String("server", nc.ConnectedServerName()))
	c.linked.fire()
}

func (c *Conn) onReconnect(nc *nats.Conn) {
	c.metrics.reconnects.Inc()
	c.onConnect(nc)
}

func (c *Conn) onDisconnect(_ *nats.Conn, err error) {
	c.metrics.connected.Set(0)
	c.link.broke()
	if err != nil {
		c.log.Warn("disconnected from nats", slog.String("error", err.Error()))
	}
}

// onError hears what no call can return: above all that a publish was refused
// for want of permission, which otherwise looks like a server that is silent.
func (c *Conn) onError(_ *nats.Conn, sub *nats.Subscription, err error) {
	c.metrics.errors.Inc()
	if errors.Is(err, nats.ErrPermissionViolation) {
		c.deniedAt.Store(time.Now().UnixNano())
	}
	attrs := []any{slog.String("error", err.Error())}
	if sub != nil {
		attrs = append(attrs, slog.String("subject", sub.Subject))
	}
	c.log.Error("nats reported an error", attrs...)
}

// Ready is nil while connected, while no permission was refused lately (30 s),
// and, for an owner of the streams, while they could be made as the Layout says.
func (c *Conn) Ready() error {
	if err := c.away(); err != nil {
		return err
	}
	if t := c.deniedAt.Load(); t != 0 && time.Since(time.Unix(0, t)) < deniedFor {
		return errors.New("bus: the server refused a permission lately: see the log")
	}
	return c.ensuring.failure()
}

// WaitConnected waits until the connection stands, as long as ctx allows.
func (c *Conn) WaitConnected(ctx context.Context) error {
	for {
		linked := c.linked.next()
		if c.nc.IsConnected() {
			return nil
		}
		select {
		case <-linked:
		case <-ctx.Done():
			return fmt.Errorf("bus: wait for the server: %w (%s)", context.Cause(ctx), c.why())
		}
	}
}

// Close closes the connection's publishers, drains its subscriptions and
// closes it. When ctx ends first it is closed without draining.
func (c *Conn) Close(ctx context.Context) error {
	c.cancel()
	for _, p := range c.openPublishers() {
		p.Close()
	}
	c.work.Wait()
	if err := c.nc.Drain(); err != nil {
		// Nothing can be drained without a server; that is not a failure to close.
		c.nc.Close()
	}
	select {
	case <-c.closed:
		return nil
	case <-ctx.Done():
		c.nc.Close()
		return fmt.Errorf("bus: drain connection: %w", context.Cause(ctx))
	}
}

func (c *Conn) openPublishers() []*Publisher {
	c.mu.Lock()
	defer c.mu.Unlock()
	open := make([]*Publisher, 0, len(c.publishers))
	for p := range c.publishers {
		open = append(open, p)
	}
	return open
}

// defaultMaxPayload is the server's default max_payload in bytes, assumed
// while no server has told its own.
const defaultMaxPayload = 1 << 20

// MaxPayload is the server's largest message in bytes (headers included).
func (c *Conn) MaxPayload() int64 {
	if n := c.nc.MaxPayload(); n > 0 {
		return n
	}
	return defaultMaxPayload
}
