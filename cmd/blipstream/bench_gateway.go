package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/blipstream/blipstream/cmd/blipstream/loadgen"
	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/internal/service"
	"github.com/blipstream/blipstream/internal/simulate"
	"github.com/blipstream/blipstream/internal/usage"
	feedv1 "github.com/blipstream/blipstream/proto/gen/blipstream/feed/v1"
	"github.com/blipstream/blipstream/services/gateway"
)

type benchGatewayCmd struct {
	Clients []int         `name:"clients" default:"1000,5000" help:"Numbers of clients to find the most deliveries for."`
	Idle    int           `name:"idle" default:"5000" help:"How many idle connections memory is measured with."`
	Size    int           `name:"size" default:"300" help:"Size of an event's data, in bytes."`
	Step    time.Duration `name:"step" default:"2s" help:"How long each rate is tried."`
	Rounds  int           `name:"rounds" default:"5" help:"How often each server has its turn when latencies are measured."`
	Held    int           `name:"held" default:"10000" help:"How many clients are held while others do not read."`
	Slow    time.Duration `name:"slow" default:"60s" help:"How long clients that do not read are watched."`
	Viewers int           `name:"viewers" default:"5000" help:"How many clients read /live."`
	Live    time.Duration `name:"live" default:"10s" help:"How long /live is measured at each rate and form."`
	Only    []string      `name:"only" help:"Parts to run: saturation, latency, idle, slow, live; all if not given."`
}

// Validate refuses what cannot be measured.
func (c *benchGatewayCmd) Validate() error {
	switch {
	case slices.ContainsFunc(c.Clients, func(n int) bool { return n < 1 }), c.Idle < 1, c.Held < 1, c.Viewers < 1:
		return errors.New("bench: check clients, idle, held and viewers: they must be at least 1")
	case c.Step <= 0, c.Slow <= 0, c.Live <= 0, c.Rounds < 1:
		return errors.New("bench: check step, slow, live and rounds: they must be more than 0")
	}
	for _, part := range c.Only {
		if !slices.Contains(benchParts(), part) {
			return fmt.Errorf("bench: check only: there is no part %q; parts are %s", part, strings.Join(benchParts(), ", "))
		}
	}
	return nil
}

// benchServeCmd is the server's side of bench gateway, in a process of its own.
type benchServeCmd struct {
	Server string `arg:"" enum:"gateway,r3labs,bare" help:"What to serve with."`
	NATS   string `name:"nats" help:"URL of the NATS server, for a gateway."`
}

// Run serves, and does what is said on standard input until that ends.
func (c *benchServeCmd) Run(p *proc) error {
	if c.Server == "gateway" {
		return c.gateway(p)
	}
	l, err := (&net.ListenConfig{}).Listen(p.ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("bench: listen: %w", err)
	}
	serve := loadgen.R3labs
	if c.Server == "bare" {
		serve = loadgen.Bare
	}
	publish := serve(l)
	if _, err := fmt.Fprintln(p.stdout, l.Addr()); err != nil {
		return err
	}
	return loadgen.Obey(p.ctx, os.Stdin, p.stdout, publish)
}

// gateway serves with a gateway, as the product does.
func (c *benchServeCmd) gateway(p *proc) error {
	conn, err := bus.Connect(bus.Options{URL: c.NATS, Name: "gateway", Log: p.log})
	if err != nil {
		return err
	}
	defer closeConn(p.ctx, conn)
	cfg := gateway.DefaultConfig()
	cfg.Addr, cfg.MaxClientsPerAddr = "127.0.0.1:0", cfg.MaxClients
	env := service.Nop()
	env.Log = p.log
	g, err := gateway.New(cfg, conn, env)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(p.ctx)
	defer cancel()
	failed := make(chan error, 1)
	go func() { failed <- g.Run(ctx) }()
	if _, err := fmt.Fprintln(p.stdout, g.Addr()); err != nil {
		return err
	}
	err = loadgen.Obey(ctx, os.Stdin, p.stdout, nil)
	cancel()
	return errors.Join(err, <-failed)
}

// closeConn closes a connection, whether or not its process was asked to stop.
func closeConn(ctx context.Context, conn *bus.Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	_ = conn.Close(ctx) // nothing is sent any more
}

// subject is a server that is measured, in another process.
type subject struct {
	name, addr, path string
	cmd              *exec.Cmd
	in               io.WriteCloser
	out              *bufio.Scanner
	// feeder is nil where the server publishes by itself.
	feeder *feeder
}

// startSubject starts a server that reads from feeder, if it is not nil.
func startSubject(p *proc, name string, from *feeder) (*subject, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("bench: find this program: %w", err)
	}
	s := &subject{name: name, path: "/?stream=s", feeder: from}
	args := []string{"bench", "serve", name, "--log-level", "warn"}
	if from != nil {
		s.path = "/events?kind=simple_tweet"
		args = append(args, "--nats", from.nats.url)
	}
	s.cmd = exec.CommandContext(p.ctx, self, args...)
	s.cmd.Stderr = os.Stderr
	if s.in, err = s.cmd.StdinPipe(); err != nil {
		return nil, fmt.Errorf("bench: start %s: %w", name, err)
	}
	out, err := s.cmd.StdoutPipe()
	if err == nil {
		err = s.cmd.Start()
	}
	if err != nil {
		return nil, fmt.Errorf("bench: start %s: %w", name, err)
	}
	s.out = bufio.NewScanner(out)
	if !s.out.Scan() {
		_ = s.cmd.Wait() // why it ended is on standard error
		return nil, fmt.Errorf("bench: start %s: it ended at once", name)
	}
	s.addr = s.out.Text()
	return s, nil
}

// stop ends the server.
func (s *subject) stop() {
	_ = s.in.Close()                          // it ends with its input
	_ = s.cmd.Process.Signal(syscall.SIGTERM) // it may be gone already
	_ = s.cmd.Wait()                          // nothing of it is needed any more
	if s.feeder != nil {
		s.feeder.stop()
	}
}

// ask has the server do something.
func (s *subject) ask(line string) (string, error) {
	if _, err := fmt.Fprintln(s.in, line); err != nil {
		return "", fmt.Errorf("bench: ask %s: %w", s.name, err)
	}
	if !s.out.Scan() {
		return "", fmt.Errorf("bench: ask %s: it has ended", s.name)
	}
	return s.out.Text(), nil
}

// publish publishes at a rate for a time, and returns how many events it were.
func (s *subject) publish(ctx context.Context, rate float64, d time.Duration, size int) (uint64, error) {
	if s.feeder == nil {
		answer, err := s.ask(fmt.Sprintf("publish %g %d %d", rate, d.Milliseconds(), size))
		if err != nil {
			return 0, err
		}
		return strconv.ParseUint(answer, 10, 64)
	}
	n, err := loadgen.Pace(ctx, rate, d, size, func(_ uint64, payload []byte) error {
		return s.store(ctx, feed.KindSimpleTweet, payload)
	})
	if err != nil {
		return n, err
	}
	return n, s.feeder.publisher.Flush(ctx)
}

// store stores one event for the gateway.
func (s *subject) store(ctx context.Context, kind feed.Kind, payload []byte) error {
	return s.feeder.publisher.Publish(ctx, []bus.Msg{{Subject: feed.EventSubject(kind), Data: payload}}, func(error) {})
}

// cpu is the CPU time the server has used.
func (s *subject) cpu() time.Duration { return usage.CPUOf(s.cmd.Process.Pid) }

// memory is what the server holds, in bytes, once it has given back what it
// does not need.
func (s *subject) memory() (int64, error) {
	if _, err := s.ask("free"); err != nil {
		return 0, err
	}
	return usage.ResidentOf(s.cmd.Process.Pid), nil
}

// payloads makes events as enrich would of a simulated world.
type payloads struct {
	world *simulate.World
	next  uint64
	ready []bus.Msg
}

// take returns the next event.
func (p *payloads) take() (bus.Msg, error) {
	for len(p.ready) == 0 {
		for _, want := range p.world.WantAt(p.next, time.Now()) {
			data, err := protojson.Marshal(message(&want))
			if err != nil {
				return bus.Msg{}, fmt.Errorf("bench: make event: %w", err)
			}
			p.ready = append(p.ready, bus.Msg{Subject: feed.EventSubject(want.Kind), Data: data})
		}
		p.next++
	}
	m := p.ready[0]
	p.ready = p.ready[1:]
	return m, nil
}

// message is the event that is wanted.
func message(w *simulate.Want) proto.Message {
	at := timestamppb.New(w.Time)
	switch w.Kind {
	case feed.KindSimpleTweet:
		return &feedv1.SimpleTweet{
			Id: w.ID, Source: "demo", Time: at, Username: w.Username, Name: w.Name, Body: w.Body, UserId: w.UserID,
			Lang: w.Lang, Type: string(w.Type), Country: w.Country, Simulated: true,
		}
	case feed.KindGeoBlip:
		m := &feedv1.GeoBlip{
			Id: w.ID, Source: "demo", Time: at, Lat: &w.Lat, Lon: &w.Lon, Precision: string(w.Precision), Origin: w.Origin,
			UserId: w.UserID, Lang: w.Lang, Type: string(w.Type), Country: w.Country, Simulated: true,
		}
		if w.RadiusKm > 0 {
			m.RadiusKm = &w.RadiusKm
		}
		return m
	case feed.KindPostRemoved:
		return &feedv1.PostRemoved{Id: w.ID, Source: "demo", Time: at, UserId: w.UserID}
	default:
		return &feedv1.GeoRemoved{Id: w.ID, Source: "demo", Time: at, UserId: w.UserID, UpToId: w.UpToID}
	}
}
