package upstream_test

import (
	"strings"
	"testing"

	"github.com/blipstream/blipstream/services/ingest/source/upstream"
)

func TestAuthorization(t *testing.T) {
	for secret, want := range map[string]string{
		"": "", "bearer:abc\n": "Bearer abc", "Basic:me:pw:x": "Basic bWU6cHc6eA==",
	} {
		if got, err := upstream.Authorization(secret); err != nil || got != want {
			t.Errorf("Authorization(%q) = %q, %v", secret, got, err)
		}
	}
	for _, secret := range []string{"hunter2", "basic:hunter2", "bearer:", "bearer:hunter2\nx: y", "oauth:hunter2"} {
		if _, err := upstream.Authorization(secret); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("Authorization(%q): %v, want an error without the secret", secret, err)
		}
	}
	if _, err := upstream.Authorization("?", "other:<thing>"); err == nil || !strings.Contains(err.Error(), "<password> or other:<thing>") {
		t.Errorf("further forms: %v", err)
	}
}
