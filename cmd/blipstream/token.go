package main

import (
	"fmt"
	"os"
	"time"

	"github.com/blipstream/blipstream/services/gateway/signin"
)

type tokenCmd struct {
	For  time.Duration `name:"for" default:"24h" help:"How long the token lasts."`
	Kind []string      `name:"kind" help:"Kind of event its holder may read; repeat it for several. Without any all."`

	SecretFile string `name:"sign-in-secret-file" placeholder:"PATH" help:"File with the secret; or put it into BLIPSTREAM_SECRET_SIGN_IN."`
	Issuer     string `name:"sign-in-issuer" help:"Who issues the token (iss)."`
	Audience   string `name:"sign-in-audience" help:"For whom it is made out (aud)."`
}

// Run prints a token that gateways with the same secret let in.
func (c *tokenCmd) Run(p *proc) error {
	cfg := signin.DefaultConfig().WithSecrets(os.Getenv)
	cfg.SecretFile, cfg.Issuer, cfg.Audience = c.SecretFile, c.Issuer, c.Audience
	token, err := signin.MakeToken(cfg, c.Kind, time.Now(), c.For)
	if err != nil {
		return refused(err)
	}
	_, err = fmt.Fprintln(p.stdout, token)
	return err
}
