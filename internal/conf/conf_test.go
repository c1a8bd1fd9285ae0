package conf_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/blipstream/blipstream/internal/conf"
)

type flags struct {
	conf.Log `embed:""`
	Rate     int `name:"rate" default:"7" help:"Items a second."`
}

func parse(t *testing.T, args ...string) (flags, string, error) {
	t.Helper()
	var cli flags
	var out bytes.Buffer
	_, err := conf.Program{Name: "demo", Out: &out, Err: &out}.Parse(&cli, args)
	return cli, out.String(), err
}

func TestParseDefaultsFlagsAndEnvironment(t *testing.T) {
	if cli, _, err := parse(t); err != nil || cli.Rate != 7 || cli.Level != "info" {
		t.Fatalf("defaults = %+v, %v", cli, err)
	}
	t.Setenv("BLIPSTREAM_RATE", "9")
	if cli, _, err := parse(t); err != nil || cli.Rate != 9 {
		t.Fatalf("environment = %+v, %v", cli, err)
	}
	if cli, _, err := parse(t, "--rate", "11"); err != nil || cli.Rate != 11 {
		t.Fatalf("a flag must win over the environment: %+v, %v", cli, err)
	}
}

func TestParseRefusesUnknownEnvironment(t *testing.T) {
	t.Setenv("BLIPSTREAM_RATTE", "9")
	_, _, err := parse(t)
	if err == nil || !strings.Contains(err.Error(), "BLIPSTREAM_RATTE") || strings.Contains(err.Error(), "\n") {
		t.Fatalf("err = %v, want one line that names the variable", err)
	}
}

func TestParseLeavesSecretsAlone(t *testing.T) {
	t.Setenv("BLIPSTREAM_SECRET_X", "s")
	t.Setenv("BLIPSTREAM_CORPUS", "/nowhere")
	t.Setenv(conf.TokenVariable, "s")
	if _, _, err := parse(t); err != nil {
		t.Fatal(err)
	}
	t.Setenv(conf.TokenVariable+"S", "s")
	if _, _, err := parse(t); err == nil || !strings.Contains(err.Error(), "BLIPSTREAM_TOKENS") {
		t.Errorf("a misspelt secret: %v", err)
	}
}

func TestParseHelpAndMistakes(t *testing.T) {
	if _, out, err := parse(t, "--help"); !errors.Is(err, conf.ErrHelp) || !strings.Contains(out, "--rate") {
		t.Fatalf("help = %q, %v", out, err)
	}
	if _, _, err := parse(t, "--rate", "many"); err == nil || strings.Contains(err.Error(), "\n") {
		t.Fatalf("err = %v, want one line", err)
	}
}

func TestLogger(t *testing.T) {
	var buf bytes.Buffer
	log, err := conf.Log{Level: "warn", Format: "json"}.Logger(&buf)
	if err != nil {
		t.Fatal(err)
	}
	log.Info("quiet")
	log.Warn("loud")
	if got := buf.String(); strings.Contains(got, "quiet") || !strings.Contains(got, `"msg":"loud"`) {
		t.Fatalf("log = %q", got)
	}
}
