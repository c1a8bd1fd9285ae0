package web

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
)

func testSite(t *testing.T) *Site {
	t.Helper()
	s, err := newSite(fstest.MapFS{
		"index.html":         {Data: []byte("<!doctype html><title>x</title>")},
		"assets/main-1.js":   {Data: []byte(strings.Repeat("let x;", 1000))},
		"assets/small-2.css": {Data: []byte("a{}")},
		".gitkeep":           {Data: []byte("x")},
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func ask(s *Site, path string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	rec := httptest.NewRecorder()
	s.ServeHTTP(rec, r)
	return rec
}

func TestPages(t *testing.T) {
	s := testSite(t)
	for _, page := range Pages() {
		resp := ask(s, page)
		if resp.Code != http.StatusOK || resp.Header().Get("Cache-Control") != "no-cache" ||
			resp.Header().Get("Content-Type") != "text/html; charset=utf-8" {
			t.Errorf("%s: %d %v", page, resp.Code, resp.Header())
		}
		again := ask(s, page, "If-None-Match", `"other", `+resp.Header().Get("ETag"))
		if again.Code != http.StatusNotModified {
			t.Errorf("%s again: %d", page, again.Code)
		}
	}
}

func TestAssets(t *testing.T) {
	s := testSite(t)
	resp := ask(s, "/assets/main-1.js", "Accept-Encoding", "br;q=1, gzip")
	if resp.Header().Get("Content-Encoding") != "gzip" || !strings.Contains(resp.Header().Get("Cache-Control"), "immutable") {
		t.Fatalf("got %v", resp.Header())
	}
	z, err := gzip.NewReader(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(z); err != nil || len(body) != 6000 {
		t.Errorf("%d bytes, %v", len(body), err)
	}
	for _, accept := range []string{"", "br", "gzip;q=0", "gzip; q=0.0"} {
		if resp := ask(s, "/assets/main-1.js", "Accept-Encoding", accept); resp.Header().Get("Content-Encoding") != "" {
			t.Errorf("%q gets %v", accept, resp.Header())
		}
	}
}

func TestNotFound(t *testing.T) {
	s := testSite(t)
	for _, path := range []string{"/none", "/assets/", "/assets/../index", "/.gitkeep", "//index.html"} {
		if resp := ask(s, path); resp.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, resp.Code)
		}
	}
}

func TestTheBuildHasAPage(t *testing.T) {
	if _, err := New(); err != nil {
		t.Error(err)
	}
	if _, err := newSite(fstest.MapFS{"other": {}}); err == nil {
		t.Error("a build without a page is taken")
	}
}

// TestDataIsServed: the coasts, and the words of each language but English,
// are files that the page fetches, kept by the browser until they change.
func TestDataIsServed(t *testing.T) {
	s, err := New()
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for name := range s.files {
		if !strings.HasSuffix(name, ".json") {
			continue
		}
		found++
		resp := ask(s, "/"+name, "Accept-Encoding", "gzip")
		h := resp.Header()
		if h.Get("Content-Type") != "application/json" || h.Get("Content-Encoding") != "gzip" || h.Get("Cache-Control") != immutable {
			t.Errorf("%s: %v", name, h)
		}
		if again := ask(s, "/"+name, "If-None-Match", h.Get("ETag")); again.Code != http.StatusNotModified {
			t.Errorf("%s again: %d", name, again.Code)
		}
	}
	if found < 6 {
		t.Errorf("the build has %d files of data", found)
	}
}

// TestTheBuildObeysThePolicy: the page may not hold scripts or styles of its
// own, as the browser would not run them.
func TestTheBuildObeysThePolicy(t *testing.T) {
	page, err := dist.ReadFile("dist/index.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"<script>", "<style", " style=", " onclick=", "http://", "https://"} {
		if strings.Contains(string(page), bad) {
			t.Errorf("the page contains %q", bad)
		}
	}
}
