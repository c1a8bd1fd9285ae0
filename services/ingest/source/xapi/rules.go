package xapi

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/blipstream/blipstream/services/ingest/source"
	"github.com/blipstream/blipstream/services/ingest/source/upstream"
)

const (
	pathRules = "/2/tweets/search/stream/rules"
	// requestTimeout bounds a request that is no stream.
	requestTimeout = 20 * time.Second
	// maxAnswer is more than 25,000 rules of 2,048 characters take.
	maxAnswer = 64 << 20
	// maxRuleFile bounds the file, for the same reason.
	maxRuleFile = 64 << 20
	// rulesAtOnce is how many rules one request adds or removes.
	rulesAtOnce = 100
	// maxPages is more than any number of rules fills.
	maxPages = 1000
)

// rule is a rule of the filtered stream.
type rule struct {
	ID    string `json:"id,omitempty"`
	Value string `json:"value"`
	Tag   string `json:"tag,omitempty"`
}

// readRules reads a file of rules and gives them our tags.
func readRules(path, tag string) ([]rule, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("xapi: read rules: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxRuleFile))
	if err != nil {
		return nil, fmt.Errorf("xapi: read rules: %w", err)
	}
	rules, err := parseRules(b)
	if err != nil {
		return nil, err
	}
	for i := range rules {
		rules[i].Tag = tag + ":" + rules[i].Tag
	}
	return rules, nil
}

// parseRules reads rules in either form.
func parseRules(b []byte) (rules []rule, err error) {
	if bytes.HasPrefix(bytes.TrimSpace(b), []byte("[")) {
		if err := json.Unmarshal(b, &rules); err != nil {
			return nil, fmt.Errorf("xapi: read rules: %w", err)
		}
	} else {
		for line := range strings.Lines(string(b)) {
			if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
				rules = append(rules, rule{Value: line})
			}
		}
	}
	seen := map[string]bool{}
	for i := range rules {
		r := &rules[i]
		r.ID, r.Value = "", strings.TrimSpace(r.Value)
		switch {
		case r.Value == "":
			return nil, fmt.Errorf("xapi: read rules: rule %d is empty", i+1)
		case seen[r.Value]:
			return nil, fmt.Errorf("xapi: read rules: %.80q is there twice", r.Value)
		case r.Tag == "":
			sum := sha256.Sum256([]byte(r.Value))
			r.Tag = hex.EncodeToString(sum[:4])
		}
		seen[r.Value] = true
	}
	if len(rules) == 0 {
		return nil, errors.New("xapi: read rules: the file holds none")
	}
	return rules, nil
}

// difference is what makes the rules with our tag those that are wanted.
// Whatever else the server has is left alone, and serves where it says the same.
func difference(have, want []rule, tag string) (add []rule, remove []string) {
	wanted, there := map[string]string{}, map[string]bool{}
	for _, r := range want {
		wanted[r.Value] = r.Tag
	}
	for _, r := range have {
		ours := strings.HasPrefix(r.Tag, tag+":")
		if ours && wanted[r.Value] != r.Tag {
			remove = append(remove, r.ID)
			continue
		}
		there[r.Value] = true
	}
	for _, r := range want {
		if !there[r.Value] {
			add = append(add, r)
		}
	}
	return add, remove
}

// answer is what the API says of rules.
type answer struct {
	Data   []rule    `json:"data"`
	Errors []problem `json:"errors"`
	Meta   struct {
		Next string `json:"next_token"`
	} `json:"meta"`
}

// reconcile makes the rules on the server those of the file.
func (s *xSource) reconcile(ctx context.Context) error {
	want, err := readRules(s.opts.rules, s.opts.tag)
	if err != nil {
		return &source.Error{Cause: source.CauseFatal, Err: err}
	}
	have, err := s.rules(ctx)
	if err != nil {
		return err
	}
	add, remove := difference(have, want, s.opts.tag)
	for ids := range slices.Chunk(remove, rulesAtOnce) {
		var removed answer
		body := map[string]any{"delete": map[string]any{"ids": ids}}
		if err := s.call(ctx, http.MethodPost, pathRules, body, &removed); err != nil {
			return err
		}
	}
	for rules := range slices.Chunk(add, rulesAtOnce) {
		if err := s.add(ctx, rules); err != nil {
			return err
		}
	}
	return nil
}

// rules are those on the server, of which it may tell some at a time.
func (s *xSource) rules(ctx context.Context) (have []rule, err error) {
	path := pathRules
	for range maxPages {
		var page answer
		if err := s.call(ctx, http.MethodGet, path, nil, &page); err != nil {
			return nil, err
		}
		have = append(have, page.Data...)
		if page.Meta.Next == "" {
			return have, nil
		}
		path = pathRules + "?" + url.Values{"pagination_token": {page.Meta.Next}}.Encode()
	}
	return nil, &source.Error{Cause: source.CauseFatal, Err: fmt.Errorf("xapi: read rules: the server tells more than %d pages of them", maxPages)}
}

// add adds rules. Each may be refused by itself.
func (s *xSource) add(ctx context.Context, rules []rule) error {
	var added answer
	if err := s.call(ctx, http.MethodPost, pathRules, map[string]any{"add": rules}, &added); err != nil {
		return err
	}
	for _, p := range added.Errors {
		if p.Title != "DuplicateRule" {
			return &source.Error{Cause: source.CauseFatal, Err: fmt.Errorf("xapi: add rule %.80q: %s", p.Value, p.text())}
		}
	}
	return nil
}

// call makes a request of the API that is no stream.
func (s *xSource) call(ctx context.Context, method, path string, body, out any) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	var sent io.Reader = http.NoBody
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("make request: %w", err)
		}
		sent = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, s.opts.at(path), sent)
	if err != nil {
		return fmt.Errorf("make request: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := s.do(req)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusCreated {
		return upstream.Refused("xapi: "+path, resp)
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxAnswer)).Decode(out); err != nil {
		return fmt.Errorf("%s: read answer: %w", path, err)
	}
	return nil
}
