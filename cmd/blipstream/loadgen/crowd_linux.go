package loadgen

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// readSize is how much is read from a socket at once.
	readSize = 256 << 10
	// smallBuffer is the receive buffer of clients that do not read, so that
	// little is hidden in it.
	smallBuffer = 4 << 10
	// waitMillis is how long epoll is waited for before the end is looked for.
	waitMillis = 50
	// pollEvery is how often it is looked whether all have been greeted.
	pollEvery = 20 * time.Millisecond
)

// conn is one client.
type conn struct {
	fd     int
	events uint64
	open   bool
	// tail is the end of the last read, in which a mark may have begun.
	tail [maxMark - 1]byte
	held int
}

// Crowd is many clients of one server.
type Crowd struct {
	o     Options
	mark  []byte // what an event is told by
	epoll int
	conns []conn
	idle  []int // sockets of clients that do not read, or slowly

	mu      sync.Mutex
	totals  Totals
	times   latencies
	greeted atomic.Int64
	cancel  context.CancelFunc
	done    sync.WaitGroup
}

// Join opens the connections and begins to read. It returns when each client
// has been answered. Close it.
func Join(ctx context.Context, o Options) (*Crowd, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	if err := allowFiles(o.Clients + o.Dead + o.Slow); err != nil {
		return nil, err
	}
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("loadgen: make epoll: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	c := &Crowd{o: o, mark: []byte(o.Mark), epoll: epoll, conns: make([]conn, 0, o.Clients), cancel: cancel}
	if o.Mark == "" {
		c.mark = []byte(mark)
	}
	c.done.Go(func() { c.slowly(ctx) })
	if err := c.open(); err != nil {
		c.Close()
		return nil, err
	}
	c.done.Go(func() { c.read(ctx) })
	limit := make(<-chan time.Time)
	if o.Patience > 0 {
		limit = time.After(o.Patience)
	}
	for c.greeted.Load() < int64(o.Clients) {
		select {
		case <-limit:
			c.Close()
			return nil, fmt.Errorf("loadgen: wait for the server: %d of %d are answered", c.greeted.Load(), o.Clients)
		case <-ctx.Done():
			c.Close()
			return nil, fmt.Errorf("loadgen: wait for the server: %w", context.Cause(ctx))
		case <-time.After(pollEvery):
		}
	}
	return c, nil
}

// spareFiles is what a process has open that has no connections.
const spareFiles = 64

// allowFiles lets the process have n connections more. It says what to change
// where it may not.
func allowFiles(n int) error {
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return fmt.Errorf("loadgen: count open files: %w", err)
	}
	need := uint64(n + len(open) + spareFiles)
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("loadgen: read limit of open files: %w", err)
	}
	if limit.Cur >= need {
		return nil
	}
	if limit.Max < need {
		return fmt.Errorf("loadgen: raise limit of open files: %d connections need %d and %d are allowed: raise the hard limit (ulimit -Hn %d)",
			n, need, limit.Max, need)
	}
	limit.Cur = need
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("loadgen: raise limit of open files: %w", err)
	}
	return nil
}

// open opens all connections.
func (c *Crowd) open() error {
	addr, err := netip.ParseAddrPort(c.o.Addr)
	if err != nil {
		return fmt.Errorf("loadgen: read address: %w", err)
	}
	for range c.o.Clients {
		fd, err := c.dial(addr, 0)
		if err != nil {
			return err
		}
		c.conns = append(c.conns, conn{fd: fd, open: true})
		event := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(len(c.conns) - 1)}
		if err := unix.EpollCtl(c.epoll, unix.EPOLL_CTL_ADD, fd, &event); err != nil {
			return fmt.Errorf("loadgen: watch socket: %w", err)
		}
	}
	for range c.o.Dead + c.o.Slow {
		fd, err := c.dial(addr, smallBuffer)
		if err != nil {
			return err
		}
		c.mu.Lock()
		c.idle = append(c.idle, fd)
		c.mu.Unlock()
	}
	return nil
}

// dial opens a connection and asks for the stream.
func (c *Crowd) dial(addr netip.AddrPort, buffer int) (int, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, fmt.Errorf("loadgen: make socket: %w", err)
	}
	if buffer > 0 {
		err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, buffer)
	}
	request := "GET " + c.o.Path + " HTTP/1.1\r\nHost: " + c.o.Addr + "\r\nAccept: text/event-stream\r\n"
	if c.o.Gzip {
		request += "Accept-Encoding: gzip\r\n"
	}
	if err == nil {
		err = unix.Connect(fd, &unix.SockaddrInet4{Port: int(addr.Port()), Addr: addr.Addr().As4()})
	}
	if err == nil {
		_, err = unix.Write(fd, []byte(request+"\r\n"))
	}
	if err == nil {
		err = unix.SetNonblock(fd, true)
	}
	if err != nil {
		_ = unix.Close(fd) // it is of no use
		return 0, fmt.Errorf("loadgen: open connection: %w", err)
	}
	return fd, nil
}

// read reads whatever comes until ctx ends.
func (c *Crowd) read(ctx context.Context) {
	runtime.LockOSThread() // it waits in the kernel nearly always
	defer runtime.UnlockOSThread()
	events := make([]unix.EpollEvent, 1024)
	buf := make([]byte, readSize)
	for ctx.Err() == nil {
		n, err := unix.EpollWait(c.epoll, events, waitMillis)
		if err != nil && !errors.Is(err, unix.EINTR) {
			return
		}
		c.mu.Lock()
		now := time.Now()
		for _, e := range events[:max(n, 0)] {
			c.take(&c.conns[e.Fd], buf, now)
		}
		c.mu.Unlock()
	}
}

// take reads from one client what there is, and counts it.
func (c *Crowd) take(p *conn, buf []byte, now time.Time) {
	held := copy(buf, p.tail[:p.held])
	n, err := unix.Read(p.fd, buf[held:])
	switch {
	case errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR):
		return
	case err != nil || n == 0:
		p.open = false
		c.totals.Closed++
		_ = unix.EpollCtl(c.epoll, unix.EPOLL_CTL_DEL, p.fd, nil) // closing does the same
		return
	}
	data := buf[:held+n]
	if p.events == 0 && p.held == 0 && bytes.HasPrefix(data, []byte("HTTP/1.1 200")) {
		c.greeted.Add(1)
	}
	found := uint64(bytes.Count(data, c.mark))
	p.events += found
	c.totals.Events += found
	c.totals.Bytes += uint64(n)
	if at, ok := published(data); ok {
		c.times.add(max(0, now.Sub(at)))
	}
	p.held = copy(p.tail[:], data[max(0, len(data)-len(c.mark)+1):])
}

// slowly reads a byte a second for each slow client.
func (c *Crowd) slowly(ctx context.Context) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	var one [1]byte
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		c.mu.Lock()
		for _, fd := range c.idle[min(c.o.Dead, len(c.idle)):] {
			_, _ = unix.Read(fd, one[:]) // whatever comes
		}
		c.mu.Unlock()
	}
}

// Reset begins to count anew.
func (c *Crowd) Reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.totals, c.times = Totals{}, latencies{}
	for i := range c.conns {
		c.conns[i].events = 0
	}
}

// Totals tells what was got.
func (c *Crowd) Totals() Totals {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.totals
	t.P50, t.P99 = c.times.quantile(0.5), c.times.quantile(0.99)
	for i := range c.conns {
		n := c.conns[i].events
		if i == 0 || n < t.Least {
			t.Least = n
		}
		t.Most = max(t.Most, n)
	}
	return t
}

// Close ends all connections.
func (c *Crowd) Close() {
	c.cancel()
	c.done.Wait()
	for _, p := range c.conns {
		_ = unix.Close(p.fd) // nothing is lost
	}
	for _, fd := range c.idle {
		_ = unix.Close(fd) // nothing is lost
	}
	_ = unix.Close(c.epoll) // nothing is lost
}
