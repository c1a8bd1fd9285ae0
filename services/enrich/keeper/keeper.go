package keeper

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/services/enrich/rules"
)

// PrefixKV starts the place of rules that are in a bucket.
const PrefixKV = "kv:"

// Bus is where buckets are; *bus.Conn is one.
type Bus interface {
	GetValue(ctx context.Context, bucket, key string) (bus.Value, error)
	PutValue(ctx context.Context, bucket, key string, v bus.Value) (uint64, error)
	WatchValue(ctx context.Context, bucket, key string, fn func(bus.Value) error) error
}

// Metrics is told how it went.
type Metrics interface {
	// RulesLoaded is told what is in force: the generation and how many rules.
	RulesLoaded(generation uint64, rules int)
	// RulesRefused is told that a text was refused.
	RulesRefused()
}

// Options say which rules are kept.
type Options struct {
	// Place is a file's path or "kv:<bucket>".
	Place string
	// Bus is needed for a bucket.
	Bus Bus
	// Read serves tests of rules that give a raw item.
	Read rules.Reader
	Log  *slog.Logger
	// Metrics is told how it went.
	Metrics Metrics
}

// State is what is in force, and what was refused since.
type State struct {
	Set *rules.Set
	// Generation numbers what is in force: the revision in a bucket, or how
	// many texts of a file were taken. 0: none was ever there.
	Generation uint64
	// Since is when it came into force.
	Since time.Time
	// Refused is the generation of a newer text that was refused, Refusal why;
	// "" if the newest text is in force.
	Refused uint64
	Refusal string
}

// Keeper keeps rules. Safe for concurrent use.
type Keeper struct {
	o      Options
	bucket string // "" for a file
	set    atomic.Pointer[rules.Set]

	mu    sync.Mutex
	state State
	// text is what was looked at last, whether it was taken or not.
	text string
	// seen is the newest generation that was looked at.
	seen uint64
}

// New makes a keeper. A file is read now, and refused if it is no good; a
// bucket is read by Load.
func New(o Options) (*Keeper, error) {
	k := &Keeper{o: o}
	k.set.Store(&rules.Set{})
	k.state.Set = k.set.Load()
	name, ok := strings.CutPrefix(o.Place, PrefixKV)
	if ok {
		if !bus.ValidBucket(name) {
			return nil, fmt.Errorf("keeper: read place of rules: %q is no name of a bucket: letters, digits, _ and - only", name)
		}
		k.bucket = name
		return k, nil
	}
	text, err := readFile(o.Place)
	if err != nil {
		return nil, fmt.Errorf("keeper: read rules: %w", err)
	}
	k.consider(string(text), 1)
	if s := k.State(); s.Refusal != "" {
		return nil, fmt.Errorf("keeper: read rules from %s: %s", o.Place, s.Refusal)
	}
	return k, nil
}

// Set is the rules in force; never nil.
func (k *Keeper) Set() *rules.Set { return k.set.Load() }

// State is what is in force, and what was refused.
func (k *Keeper) State() State {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.state
}

// Load reads what must be in force before the first item. It waits for the
// server and the bucket as long as ctx allows.
func (k *Keeper) Load(ctx context.Context) error {
	if k.bucket == "" {
		return nil
	}
	return k.loadBucket(ctx)
}

// Run looks for changes until ctx ends.
func (k *Keeper) Run(ctx context.Context) error {
	if k.bucket == "" {
		return k.watchFile(ctx)
	}
	return k.watchBucket(ctx)
}

// consider takes a text into force if it is good. It reports whether it is.
func (k *Keeper) consider(text string, generation uint64) bool {
	set, err := k.compile([]byte(text))
	k.mu.Lock()
	defer k.mu.Unlock()
	k.text, k.seen = text, generation
	if err != nil {
		k.refuse(generation, err)
		return false
	}
	k.enforce(set, generation)
	return true
}

// compile makes a set of a text. A panic refuses the text: one that is in a
// bucket would otherwise end all replicas, and again whenever they start.
func (k *Keeper) compile(text []byte) (set *rules.Set, err error) {
	defer func() {
		if v := recover(); v != nil {
			set, err = nil, fmt.Errorf("rules: a fault of the compiler, please report it with the text: panic: %s", strconv.Quote(fmt.Sprint(v)))
		}
	}()
	return rules.Compile(text, k.o.Read)
}

// enforce swaps a set in; k.mu is held.
func (k *Keeper) enforce(set *rules.Set, generation uint64) {
	k.set.Store(set)
	k.state = State{Set: set, Generation: generation, Since: time.Now().UTC()}
	k.o.Metrics.RulesLoaded(generation, len(set.Kinds))
	k.o.Log.Info("rules are in force", slog.Uint64("generation", generation), slog.String("hash", set.Hash),
		slog.Int("rules", len(set.Kinds)), slog.Int("tests", set.Tests()))
}

// refuse notes that a text is no good; k.mu is held.
func (k *Keeper) refuse(generation uint64, err error) {
	k.state.Refused, k.state.Refusal = generation, err.Error()
	k.o.Metrics.RulesRefused()
	k.o.Log.Error("rules are refused: the last good ones stay", slog.Uint64("refused", generation),
		slog.Uint64("generation", k.state.Generation), slog.String("error", err.Error()))
}
