package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/internal/part"
	"github.com/blipstream/blipstream/internal/service"
	"github.com/blipstream/blipstream/services/ingest/source"
	"github.com/blipstream/blipstream/services/ingest/source/upstream"
	"github.com/blipstream/blipstream/services/ingest/webhook"
)

const (
	// webhookScheme marks the sources that are pushed to. They hold no lease:
	// nobody connects anywhere, so that any number of processes may take items.
	webhookScheme = "webhook"
	// takeTimeout is how long a request waits for room before it is told to
	// come again, storeTimeout how long for its items to be stored. Both leave
	// time to answer within the 10 s that X allows.
	takeTimeout  = 2 * time.Second
	storeTimeout = 5 * time.Second
	// headerRoom is what the headers of a message may take of the largest one.
	headerRoom = 4 << 10
	// Limits of requests.
	pushHeaderTimeout = 5 * time.Second
	pushBodyTimeout   = 30 * time.Second
	pushHeaderBytes   = 16 << 10
	// pushRoom is how many bytes of bodies are held at once, of all inlets.
	pushRoom = 64 << 20
)

// inlet is a source that is pushed to.
type inlet struct {
	spec
	hook    *webhook.Hook
	conn    *bus.Conn
	log     *slog.Logger
	status  *status
	metrics sourceMetrics
	raw     *bus.Publisher // set while the receiver runs
}

// receiver listens for what is pushed, to all inlets of a service.
type receiver struct {
	inlets   []*inlet
	window   int
	listener net.Listener
	server   *http.Server
}

// newReceiver makes the receiver of those of specs that are pushed to; nil if
// none is. It listens at once.
func newReceiver(specs []spec, cfg Config, conn *bus.Conn, env service.Env, m *metrics) (*receiver, error) {
	r := &receiver{window: cfg.Window}
	mux := http.NewServeMux()
	open, room := false, webhook.NewRoom(pushRoom)
	for _, sp := range specs {
		in, err := newInlet(sp, room, conn, env, m)
		if err != nil {
			return nil, err
		}
		r.inlets = append(r.inlets, in)
		mux.Handle("/v1/ingest/"+sp.name, in.hook)
		open = open || !in.hook.Guarded()
	}
	if len(r.inlets) == 0 {
		return nil, nil //nolint:nilnil // nothing to listen for is no error
	}
	host, _, err := net.SplitHostPort(cfg.WebhookAddr)
	if open && (err != nil || !upstream.IsLoopback(host)) {
		return nil, fmt.Errorf("ingest: open webhooks: without a secret they listen on this machine alone: set %s, or --webhook-addr 127.0.0.1:8089",
			secretVariable(r.inlets[0].name))
	}
	if r.listener, err = net.Listen("tcp", cfg.WebhookAddr); err != nil { //nolint:noctx // it binds at once
		return nil, fmt.Errorf("ingest: open webhooks: %w: give another --webhook-addr", err)
	}
	r.server = &http.Server{
		Handler: mux, ReadHeaderTimeout: pushHeaderTimeout, ReadTimeout: pushBodyTimeout,
		MaxHeaderBytes: pushHeaderBytes, ErrorLog: slog.NewLogLogger(env.Log.Handler(), slog.LevelDebug),
	}
	return r, nil
}

// newInlet makes one source that is pushed to.
func newInlet(sp spec, room *webhook.Room, conn *bus.Conn, env service.Env, m *metrics) (*inlet, error) {
	log := env.Log.With(slog.String("source", sp.name))
	of := m.of(sp.name)
	in := &inlet{spec: sp, conn: conn, log: log, status: newStatus(sp.name, log, of), metrics: of}
	hook, err := webhook.New(source.Config{Name: sp.name, URL: sp.url, Secret: sp.secret, Log: log}, room, in.store)
	if err != nil {
		return nil, fmt.Errorf("ingest: open source %s: %w", sp.name, err)
	}
	in.hook = hook
	return in, nil
}

// Addr is where it listens.
func (r *receiver) Addr() string { return r.listener.Addr().String() }

// run serves until ctx ends; requests that are being served are answered.
func (r *receiver) run(ctx context.Context) error {
	for _, in := range r.inlets {
		raw, err := in.conn.NewPublisher(bus.PublisherOptions{Stream: feed.StreamRaw, Window: r.window})
		if err != nil {
			return fmt.Errorf("ingest: open outlet: %w", err)
		}
		defer raw.Close()
		in.raw = raw
		in.status.set(stateLive, nil, slog.String("addr", r.Addr()))
	}
	failed := make(chan error, 1)
	go func() { failed <- r.server.Serve(r.listener) }()
	select {
	case err := <-failed:
		return fmt.Errorf("ingest: serve webhooks: %w", err)
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
	defer cancel()
	if r.server.Shutdown(last) != nil {
		_ = r.server.Close() // who is cut off sends again
	}
	return nil
}

// store implements webhook.Store.
func (in *inlet) store(ctx context.Context, items []feed.Item) []error {
	take, cancel := context.WithTimeout(ctx, takeTimeout)
	defer cancel()
	results := newResults(len(items))
	for i, it := range items {
		if int64(len(it.Data)) > in.conn.MaxPayload()-headerRoom {
			results.set(i, webhook.ErrTooLarge)
			continue
		}
		in.count(it)
		err := in.raw.Publish(take, []bus.Msg{message(in.name, it)}, func(err error) {
			in.metrics.unstored.Dec()
			if err == nil {
				in.metrics.stored.Inc()
			} else if errors.Is(err, bus.ErrTooLarge) {
				err = webhook.ErrTooLarge
			}
			results.set(i, err)
		})
		if err != nil {
			in.metrics.unstored.Dec()
			results.set(i, webhook.ErrBusy)
		}
	}
	wait, cancelWait := context.WithTimeout(ctx, storeTimeout)
	defer cancelWait()
	return results.wait(wait)
}

// count notes an item that came.
func (in *inlet) count(it feed.Item) {
	in.metrics.items.Inc()
	in.metrics.unstored.Inc()
	in.metrics.bytes.Add(float64(len(it.Data)))
	in.status.item.Store(it.Received.UnixMilli())
	in.metrics.lastItem.Set(float64(it.Received.UnixMilli()) / 1e3)
}

// reporter tells everybody how the source is doing.
func (in *inlet) reporter() *part.Reporter {
	return &part.Reporter{Name: stage + "." + in.name, Board: in.conn, Look: in.status.part, Log: in.log}
}

// results are the results of one request, as they come in.
type results struct {
	mu   sync.Mutex
	errs []error
	left int
	done chan struct{}
}

// newResults makes results that are unknown.
func newResults(n int) *results {
	r := &results{errs: make([]error, n), left: n, done: make(chan struct{})}
	for i := range r.errs {
		r.errs[i] = webhook.ErrUnknown
	}
	if n == 0 {
		close(r.done)
	}
	return r
}

// set tells the result of item i, once.
func (r *results) set(i int, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.errs[i] = err
	if r.left--; r.left == 0 {
		close(r.done)
	}
}

// wait waits for all results, or for as long as ctx allows.
func (r *results) wait(ctx context.Context) []error {
	select {
	case <-r.done:
	case <-ctx.Done():
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]error(nil), r.errs...)
}
