// Command enricher-go answers the questions of rules, here how long a text is,
// as a NATS micro service: `nats micro ls` shows it, and its statistics. Start
// several of it: they share the questions.
//
//	go run . nats://127.0.0.1:4222
package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"unicode/utf8"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"
)

// question is what rules send.
type question struct {
	Text string `json:"text"`
}

// answer is what their expressions read.
type answer struct {
	Words   int `json:"words"`
	Letters int `json:"letters"`
}

func main() {
	url := nats.DefaultURL
	if len(os.Args) > 1 {
		url = os.Args[1]
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := serve(ctx, url); err != nil {
		slog.New(slog.NewTextHandler(os.Stderr, nil)).Error("ended", slog.String("error", err.Error()))
		os.Exit(1)
	}
}

// serve answers until ctx ends.
func serve(ctx context.Context, url string) error {
	nc, err := nats.Connect(url, nats.Name("counter"), nats.MaxReconnects(-1))
	if err != nil {
		return err
	}
	defer nc.Close()
	_, err = micro.AddService(nc, micro.Config{
		Name: "counter", Version: "1.0.0", Description: "counts the words and letters of a text",
		Endpoint: &micro.EndpointConfig{Subject: "enrich.count", Handler: micro.HandlerFunc(count)},
	})
	if err != nil {
		return err
	}
	if err := nc.Flush(); err != nil {
		return err
	}
	if _, err := os.Stdout.WriteString("answering on enrich.count\n"); err != nil {
		return err
	}
	<-ctx.Done()
	return nc.Drain()
}

// count answers one question.
func count(r micro.Request) {
	var q question
	if err := json.Unmarshal(r.Data(), &q); err != nil {
		_ = r.Error("400", err.Error(), nil) // whoever asked may be gone
		return
	}
	_ = r.RespondJSON(answer{Words: len(strings.Fields(q.Text)), Letters: utf8.RuneCountInString(q.Text)})
}
