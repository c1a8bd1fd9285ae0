package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
)

//go:embed all:dist
var dist embed.FS

const (
	// index is the page; it answers every address in Pages.
	index = "index.html"
	// immutable is for files whose name changes with their content.
	immutable = "public, max-age=31536000, immutable"
	// gzipFrom is the size from which compressing pays: less fits in a packet.
	gzipFrom = 1400
)

// Pages lists the addresses of the page: its own, and the two that the pages
// of the tutorial had, /step-3 with the feed and /step-4 with the map.
func Pages() []string { return []string{"/", "/step-3", "/step-4"} }

// file is a file of the page, ready to be sent.
type file struct {
	contentType, cache, etag string
	plain, gzipped           []byte
}

// Site serves the page. Everything is compressed once, when it is made.
type Site struct{ files map[string]*file }

// New makes a Site of the embedded build.
func New() (*Site, error) {
	root, err := fs.Sub(dist, "dist")
	if err != nil {
		return nil, fmt.Errorf("web: open build: %w", err)
	}
	return newSite(root)
}

var errNoPage = errors.New("web: load build: it has no index.html")

// newSite makes a Site of the files in root.
func newSite(root fs.FS) (*Site, error) {
	s := &Site{files: map[string]*file{}}
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(path.Base(name), ".") {
			return err
		}
		data, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		s.files[name], err = newFile(name, data)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("web: load build: %w", err)
	}
	if s.files[index] == nil {
		return nil, errNoPage
	}
	return s, nil
}

// newFile prepares a file.
func newFile(name string, data []byte) (*file, error) {
	sum := sha256.Sum256(data)
	f := &file{
		contentType: contentType(name),
		cache:       "no-cache",
		etag:        strconv.Quote(hex.EncodeToString(sum[:12])),
		plain:       data,
	}
	if strings.HasPrefix(name, "assets/") {
		f.cache = immutable
	}
	if len(data) < gzipFrom {
		return f, nil
	}
	var buf bytes.Buffer
	z, err := gzip.NewWriterLevel(&buf, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err = z.Write(data); err == nil {
		err = z.Close()
	}
	if buf.Len() < len(data) {
		f.gzipped = buf.Bytes()
	}
	return f, err
}

// contentType tells a file's type by its name. It does not ask the system,
// whose tables differ: a script served as text/plain is not run.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".js", ".mjs":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".json", ".map":
		return "application/json"
	case ".webmanifest":
		return "application/manifest+json"
	case ".svg":
		return "image/svg+xml"
	case ".png":
		return "image/png"
	case ".ico":
		return "image/x-icon"
	case ".woff2":
		return "font/woff2"
	case ".txt":
		return "text/plain; charset=utf-8"
	default:
		return "application/octet-stream"
	}
}

// ServeHTTP answers the addresses in Pages with the page, and others with the
// file of that name.
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f := s.find(r.URL.Path)
	if f == nil {
		w.Header().Set("Cache-Control", "no-store")
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", f.contentType)
	h.Set("Cache-Control", f.cache)
	h.Set("ETag", "W/"+f.etag) // weak, as it is the same for the gzip'd form
	h.Set("Vary", "Accept-Encoding")
	if matches(r.Header.Get("If-None-Match"), f.etag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	body := f.plain
	if f.gzipped != nil && acceptsGzip(r.Header.Get("Accept-Encoding")) {
		h.Set("Content-Encoding", "gzip")
		body = f.gzipped
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method == http.MethodHead {
		return
	}
	// The client may be gone; there is nobody to tell.
	_, _ = w.Write(body)
}

// find returns the file for a path, nil if there is none.
func (s *Site) find(urlPath string) *file {
	if slices.Contains(Pages(), urlPath) {
		return s.files[index]
	}
	return s.files[strings.TrimPrefix(urlPath, "/")]
}

// matches reports whether an If-None-Match header names etag.
func matches(header, etag string) bool {
	for tag := range strings.SplitSeq(header, ",") {
		tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/")
		if tag == etag || tag == "*" {
			return true
		}
	}
	return false
}

// acceptsGzip reports whether an Accept-Encoding header allows gzip.
func acceptsGzip(header string) bool {
	for coding := range strings.SplitSeq(header, ",") {
		name, quality, _ := strings.Cut(strings.TrimSpace(coding), ";")
		if name != "gzip" && name != "*" {
			continue
		}
		q, given := strings.CutPrefix(strings.ReplaceAll(quality, " ", ""), "q=")
		if !given {
			return true
		}
		f, err := strconv.ParseFloat(q, 64)
		return err == nil && f > 0
	}
	return false
}
