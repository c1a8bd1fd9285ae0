package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/services/ingest/source"
	"github.com/blipstream/blipstream/services/ingest/source/param"
	"github.com/blipstream/blipstream/services/ingest/source/peek"
)

const (
	// MaxBody is the longest body in bytes.
	MaxBody = 10 << 20
	// retryAfter is how long a sender is asked to wait while nothing is taken.
	retryAfter = 5 * time.Second
)

// What may become of an item that is not stored. Store wraps them.
var (
	// ErrBusy: it was not taken, since what came before is not stored yet.
	ErrBusy = errors.New("not taken: too much waits to be stored")
	// ErrUnknown: it was taken, and is not known to be stored.
	ErrUnknown = errors.New("taken, and not known to be stored: send it again")
	// ErrTooLarge: the stream takes none so large.
	ErrTooLarge = errors.New("larger than the stream takes")
)

// Store stores items and tells for each what became of it: nil if it is in the
// stream. It may be called by many at once.
type Store func(ctx context.Context, items []feed.Item) []error

// Hook takes the items of one source. It implements http.Handler.
type Hook struct {
	name   string
	format feed.Format
	guard  guard
	room   *Room
	store  Store
	log    *slog.Logger
}

// New makes the hook that a webhook: URL describes. room bounds what it and
// those that share it hold at once. Its error is a configuration that cannot work.
func New(cfg source.Config, room *Room, store Store) (*Hook, error) {
	h := &Hook{name: cfg.Name, room: room, store: store, log: cfg.Log}
	q := param.Of("webhook", cfg.URL)
	h.format = q.Format()
	q.NoMore()
	if err := q.Err(); err != nil {
		return nil, err
	}
	if cfg.URL.Opaque != "" || cfg.URL.Host != "" || cfg.URL.Path != "" {
		return nil, errors.New("webhook: read url: write webhook:#name; where it listens is --webhook-addr")
	}
	var err error
	h.guard, err = newGuard(cfg.Secret)
	return h, err
}

// Guarded reports whether a secret is asked for.
func (h *Hook) Guarded() bool { return h.guard.kind != "" }

// ServeHTTP implements http.Handler.
func (h *Hook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodPost:
		h.take(w, r)
	case http.MethodGet:
		answer, ok := h.guard.challenge(r.URL.Query().Get("crc_token"))
		if !ok {
			w.Header().Set("Allow", http.MethodPost)
			fail(w, http.StatusMethodNotAllowed, "post items here")
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, answer) //nolint:gosec // a signature in base64, and no page; who is gone does not hear it
	default:
		w.Header().Set("Allow", http.MethodPost)
		fail(w, http.StatusMethodNotAllowed, "post items here")
	}
}

// take serves one POST.
func (h *Hook) take(w http.ResponseWriter, r *http.Request) {
	if enc := r.Header.Get("Content-Encoding"); enc != "" && enc != "identity" {
		fail(w, http.StatusUnsupportedMediaType, "send the body without Content-Encoding")
		return
	}
	if !h.guard.admitsHead(r.Header) {
		unknown(w)
		return
	}
	body := &held{in: http.MaxBytesReader(w, r.Body, MaxBody), room: h.room}
	results, ok := h.receive(w, r, body)
	body.giveBack() // before the answer, which somebody may be slow to read
	if ok {
		answer(w, results)
	}
}

// receive reads a body and stores its items. If it refuses the whole it has
// answered, and ok is false.
func (h *Hook) receive(w http.ResponseWriter, r *http.Request, in *held) (results []Result, ok bool) {
	body, err := io.ReadAll(in)
	_, long := errors.AsType[*http.MaxBytesError](err)
	switch {
	case long:
		fail(w, http.StatusRequestEntityTooLarge, "a body has "+strconv.Itoa(MaxBody)+" bytes at most")
		return nil, false
	case errors.Is(err, errFull):
		later(w)
		fail(w, http.StatusTooManyRequests, errFull.Error())
		return nil, false
	case !h.guard.admits(r.Header, body):
		unknown(w)
		return nil, false
	case err != nil:
		fail(w, http.StatusBadRequest, errBody.Error())
		return nil, false
	}
	list, err := entries(r.Header, body)
	switch {
	case errors.Is(err, errType):
		fail(w, http.StatusUnsupportedMediaType, err.Error())
	case err != nil:
		fail(w, http.StatusBadRequest, err.Error())
	case len(list) == 0:
		fail(w, http.StatusBadRequest, "no item in the body")
	default:
		return h.keep(r.Context(), list), true
	}
	return nil, false
}

// keep stores what is fit for it, and tells what became of each entry.
func (h *Hook) keep(ctx context.Context, list []entry) []Result {
	results := make([]Result, len(list))
	var items []feed.Item
	var places []int
	for i, e := range list {
		results[i] = Result{Index: i, Status: http.StatusBadRequest}
		if e.err != nil {
			results[i].Error = e.err.Error()
			continue
		}
		items, places = append(items, h.item(e)), append(places, i)
	}
	for i, err := range h.store(ctx, items) {
		results[places[i]] = resultOf(places[i], err)
	}
	return results
}

// item is the item of an entry.
func (h *Hook) item(e entry) feed.Item {
	id := e.id
	if id == "" {
		id = peek.Hashed(e.data)
	}
	return feed.Item{ID: id, Identity: id, Source: h.name, Format: h.format, Received: time.Now(), Data: e.data}
}

// Result is what became of one item of a body.
type Result struct {
	// Index is its place in the body, from 0.
	Index int `json:"index"`
	// Status is as in HTTP: 202 stored, 400 no item, 413 too large, 429 not
	// taken, 503 not known to be stored.
	Status int `json:"status"`
	// Error says what was wrong; empty if nothing was.
	Error string `json:"error,omitempty"`
}

// resultOf turns what Store says into a result.
func resultOf(index int, err error) Result {
	r := Result{Index: index, Status: http.StatusAccepted}
	switch {
	case err == nil:
		return r
	case errors.Is(err, ErrTooLarge):
		r.Status, r.Error = http.StatusRequestEntityTooLarge, ErrTooLarge.Error()
	case errors.Is(err, ErrBusy):
		r.Status, r.Error = http.StatusTooManyRequests, ErrBusy.Error()
	default:
		r.Status, r.Error = http.StatusServiceUnavailable, ErrUnknown.Error()
	}
	return r
}

// answer tells the sender: 202 if all is stored, one status for all where they
// share it, else 207 with each item's own.
func answer(w http.ResponseWriter, results []Result) {
	status := results[0].Status
	again := false
	for _, r := range results {
		if r.Status != status {
			status = http.StatusMultiStatus
		}
		again = again || r.Status == http.StatusTooManyRequests || r.Status == http.StatusServiceUnavailable
	}
	if again {
		later(w)
	}
	if status == http.StatusAccepted {
		reply(w, status, map[string]int{"accepted": len(results)})
		return
	}
	reply(w, status, results)
}

// later asks a sender to come again.
func later(w http.ResponseWriter) {
	w.Header().Set("Retry-After", strconv.Itoa(int(retryAfter.Seconds())))
}

// unknown refuses a sender.
func unknown(w http.ResponseWriter) {
	w.Header().Set("WWW-Authenticate", "Bearer")
	fail(w, http.StatusUnauthorized, "the credential is missing or wrong")
}

// fail refuses a whole request.
func fail(w http.ResponseWriter, status int, text string) {
	reply(w, status, map[string]string{"error": text})
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // who is gone does not hear it
}
