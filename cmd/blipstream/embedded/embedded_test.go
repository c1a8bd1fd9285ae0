package embedded_test

import (
	"log/slog"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/blipstream/blipstream/cmd/blipstream/embedded"
)

func options(dir string) embedded.Options {
	return embedded.Options{Dir: dir, Port: embedded.PortFree, Log: slog.New(slog.DiscardHandler)}
}

func start(t *testing.T, o embedded.Options) *embedded.Server {
	t.Helper()
	s, err := embedded.Start(t.Context(), o)
	if err != nil {
		t.Fatalf("start: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(t.Context()); err != nil && !strings.Contains(err.Error(), "file already closed") {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

func TestServerAnswersOnItsURLAndInProcess(t *testing.T) {
	s := start(t, options(t.TempDir()))
	for name, dial := range map[string]func() (net.Conn, error){
		"tcp":        func() (net.Conn, error) { return net.Dial("tcp", strings.TrimPrefix(s.URL(), "nats://")) },
		"in process": s.InProcessConn,
	} {
		conn, err := dial()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		buf := make([]byte, 4)
		if _, err := conn.Read(buf); err != nil || string(buf) != "INFO" {
			t.Errorf("%s: greeted with %q, %v; want INFO", name, buf, err)
		}
		_ = conn.Close()
	}
}

func TestSecondServerOnADirectoryIsRefused(t *testing.T) {
	dir := t.TempDir()
	first := start(t, options(dir))
	_, err := embedded.Start(t.Context(), options(dir))
	if err == nil {
		t.Fatal("a second server started on the same directory")
	}
	if want := "process " + strconv.Itoa(os.Getpid()); !strings.Contains(err.Error(), want) {
		t.Errorf("refusal %q does not name %q", err, want)
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("refusal is not one line: %q", err)
	}
	if err := first.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	start(t, options(dir))
}

func TestTakenPort(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	o := options(t.TempDir())
	_, port, _ := net.SplitHostPort(taken.Addr().String())
	if o.Port, err = strconv.Atoi(port); err != nil {
		t.Fatal(err)
	}
	if _, err := embedded.Start(t.Context(), o); err == nil || !strings.Contains(err.Error(), "address already in use") {
		t.Errorf("error is %v, want that the address is in use", err)
	}
	o.Port = embedded.PortFree
	start(t, o) // the refused start must have given the directory back
}
