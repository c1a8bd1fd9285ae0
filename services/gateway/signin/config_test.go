package signin

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSettingsThatCannotWork(t *testing.T) {
	write := func(name, text string) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for name, tc := range map[string]struct {
		change func(*Config)
		want   string
	}{
		"both":                 {func(c *Config) { c.Secret, c.JWKS, c.Audience = testSecret, "https://i.example/k", "a" }, "remove the other"},
		"two secrets":          {func(c *Config) { c.Secret, c.SecretFile = testSecret, "x" }, "remove one"},
		"short":                {func(c *Config) { c.Secret = testSecret[1:] }, "31 bytes are less than 32"},
		"short file":           {func(c *Config) { c.SecretFile = write("s", testSecret[1:]+"\n") }, "31 bytes"},
		"no file":              {func(c *Config) { c.SecretFile = "/nowhere/at/all" }, "sign-in-secret-file"},
		"huge file":            {func(c *Config) { c.SecretFile = write("h", strings.Repeat("x", maxSecret+1)) }, "no secret"},
		"plain http":           {func(c *Config) { c.JWKS, c.Audience = "http://issuer.example/k", "a" }, "must be https"},
		"another scheme":       {func(c *Config) { c.JWKS, c.Audience = "file:///etc/passwd", "a" }, "not a URL"},
		"no URL":               {func(c *Config) { c.JWKS, c.Audience = "issuer", "a" }, "not a URL"},
		"a password":           {func(c *Config) { c.JWKS, c.Audience = "https://u:p@issuer.example/", "a" }, "password"},
		"no audience":          {func(c *Config) { c.JWKS = "https://issuer.example/k" }, "needs sign-in-audience"},
		"issuer alone":         {func(c *Config) { c.Issuer = "x" }, SecretVariable},
		"audience alone":       {func(c *Config) { c.Audience = "x" }, SecretVariable},
		"cookie alone":         {func(c *Config) { c.Cookie = "x" }, SecretVariable},
		"no name for a cookie": {func(c *Config) { c.Secret, c.Cookie = testSecret, "a b" }, "cookie"},
	} {
		cfg := DefaultConfig()
		tc.change(&cfg)
		_, err := New(cfg, Options{})
		if err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), testSecret[1:]) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSettingsThatWork(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(testSecret+"\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if g, err := New(DefaultConfig(), Options{}); g != nil || err != nil {
		t.Errorf("off: %v, %v", g, err)
	}
	for name, tc := range map[string]struct {
		change func(*Config)
		want   string
	}{
		"secret":    {func(c *Config) { *c = c.WithSecrets(func(string) string { return testSecret }) }, "secret"},
		"file":      {func(c *Config) { c.SecretFile = path }, "secret"},
		"loopback":  {func(c *Config) { c.JWKS, c.Audience = "http://127.0.0.9:1/k", "a" }, "jwks"},
		"loopback6": {func(c *Config) { c.JWKS, c.Audience = "http://[::1]:1/k", "a" }, "jwks"},
		"localhost": {func(c *Config) { c.JWKS, c.Audience = "http://localhost/k", "a" }, "jwks"},
		"https":     {func(c *Config) { c.JWKS, c.Audience = "https://issuer.example/k", "a" }, "jwks"},
	} {
		cfg := DefaultConfig()
		tc.change(&cfg)
		if g, err := New(cfg, Options{}); err != nil || g == nil || cfg.Mode() != tc.want {
			t.Errorf("%s: %v, %v, %s", name, g, err, cfg.Mode())
		}
	}
}
