package upstream

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/blipstream/blipstream/services/ingest/source"
)

// fetchTimeout bounds a request that has an end.
const fetchTimeout = 30 * time.Second

// Fetch makes a request that has an end, such as one to the interface beside a
// stream, and returns its answer of at most limit bytes. who begins errors; a
// refusal is an *source.Error.
func Fetch(ctx context.Context, client *http.Client, who, url, auth string, limit int64) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", Agent)
	req.Header.Set("Accept", "application/json")
	if auth != "" {
		req.Header.Set("Authorization", auth)
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusNoContent {
		return nil, nil
	}
	if resp.StatusCode != http.StatusOK {
		return nil, Refused(who, resp)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err != nil {
		return nil, fmt.Errorf("read answer: %w", err)
	}
	if int64(len(body)) > limit {
		return nil, &source.Error{Cause: source.CauseHTTP, Err: fmt.Errorf("%s: answer of more than %d bytes", who, limit)}
	}
	return body, nil
}
