package upstream

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// Authorization makes the header's value of a secret, "bearer:<token>" or
// "basic:<user>:<password>"; of the empty secret the empty value. others are
// further forms that the caller has looked for, so that the error names all
// there are. Its errors never hold any of the secret.
func Authorization(secret string, others ...string) (string, error) {
	secret = strings.TrimSpace(secret)
	if secret == "" {
		return "", nil
	}
	kind, rest, _ := strings.Cut(secret, ":")
	switch {
	case strings.ContainsFunc(rest, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return "", errors.New("upstream: read secret: it holds control characters")
	case strings.EqualFold(kind, "bearer") && rest != "":
		return "Bearer " + rest, nil
	case strings.EqualFold(kind, "basic") && strings.Contains(rest, ":"):
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(rest)), nil
	}
	forms := append([]string{"bearer:<token>", "basic:<user>:<password>"}, others...)
	return "", fmt.Errorf("upstream: read secret: it must be %s", strings.Join(forms, " or "))
}
