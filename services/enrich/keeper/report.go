package keeper

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/timestamppb"

	feedv1 "github.com/blipstream/blipstream/proto/gen/blipstream/feed/v1"
)

const (
	// tellEvery is how often the state is told again, so often that a few
	// losses do not make a replica vanish (bus.StatusTTL).
	tellEvery = 5 * time.Second
	// tellSoon is how soon a change is told.
	tellSoon = time.Second
	// maxTold bounds the kinds and the refusal that are told, in bytes each, so
	// that a status fits its bound.
	maxTold = 1000
	// StatusPrefix starts the keys under which replicas tell their state.
	StatusPrefix = "rules."
)

// Board is where statuses are written; *bus.Conn is one.
type Board interface {
	ReportStatus(ctx context.Context, key string, payload []byte) error
}

// Reporter tells everybody which rules a replica has in force.
type Reporter struct {
	Keeper *Keeper
	Board  Board
	Log    *slog.Logger
}

// Run tells the state within a second of a change, and every five seconds
// anyway, until ctx ends. A status is a courtesy: nothing waits for it.
func (r *Reporter) Run(ctx context.Context) error {
	name := replicaName()
	tick := time.NewTicker(tellSoon)
	defer tick.Stop()
	var told string
	var at time.Time
	for {
		now := r.Keeper.message(name)
		if change := changeOf(now); change != told || time.Since(at) >= tellEvery {
			if r.tell(ctx, name, now) {
				told, at = change, time.Now()
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// changeOf is what makes a status worth telling at once.
func changeOf(m *feedv1.RulesState) string {
	return fmt.Sprint(m.GetGeneration(), m.GetHash(), m.GetRefusedGeneration(), m.GetRefusal())
}

// tell reports whether the state was written.
func (r *Reporter) tell(ctx context.Context, name string, m *feedv1.RulesState) bool {
	m.Time = timestamppb.Now()
	payload, err := protojson.Marshal(m)
	if err == nil {
		err = r.Board.ReportStatus(ctx, StatusPrefix+name, payload)
	}
	if err != nil && ctx.Err() == nil {
		r.Log.Debug("state of rules not told", slog.String("error", err.Error()))
	}
	return err == nil
}

// message is the state as others read it.
func (k *Keeper) message(name string) *feedv1.RulesState {
	s := k.State()
	m := &feedv1.RulesState{
		Replica: name, Generation: s.Generation, Hash: s.Set.Hash, Rules: uint32(len(s.Set.Kinds)),
		RefusedGeneration: s.Refused, Refusal: cut(s.Refusal, maxTold),
	}
	if k.bucket != "" {
		m.Place = PrefixKV + k.bucket
	} else {
		m.Place = "file" // its path is nobody's business
	}
	if !s.Since.IsZero() {
		m.SinceTime = timestamppb.New(s.Since)
	}
	left := maxTold
	for _, kind := range s.Set.Kinds {
		if left -= len(kind) + 3; left < 0 { // quotes and comma
			break
		}
		m.Kinds = append(m.Kinds, string(kind))
	}
	return m
}

// cut shortens a text to n bytes.
func cut(s string, n int) string {
	if len(s) > n {
		s = s[:n]
	}
	return strings.ToValidUTF8(s, "")
}

// replicaName tells replicas apart; it is new with every start.
func replicaName() string {
	var b [4]byte
	_, _ = rand.Read(b[:]) // it never fails
	return hex.EncodeToString(b[:])
}
