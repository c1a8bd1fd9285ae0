package webhook

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strconv"

	"github.com/blipstream/blipstream/services/ingest/source/peek"
)

// entry is one item of a body.
type entry struct {
	id   string
	data []byte
	err  error // why it is none
}

// maxEntries is the most items of one body.
const maxEntries = 10_000

// errMany and errType refuse whole bodies.
var (
	errMany = fmt.Errorf("more than %d items in one body", maxEntries)
	errType = errors.New("send application/json, application/x-ndjson or a CloudEvent")
	errBody = errors.New("the body is not whole")
)

// entries takes a body apart. The error refuses all of it.
func entries(h http.Header, body []byte) (list []entry, err error) {
	kind, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil && h.Get("Content-Type") != "" {
		return nil, errType
	}
	if h.Get("Ce-Id") != "" && h.Get("Ce-Source") != "" {
		return []entry{named(eventID(h.Get("Ce-Source"), h.Get("Ce-Id")), body)}, nil
	}
	switch kind {
	case "", "application/json":
		list, err = values(body, plain)
	case "application/x-ndjson", "application/ndjson", "application/jsonl":
		list, err = lines(body)
	case "application/cloudevents+json":
		list = []entry{cloudEvent(body)}
	case "application/cloudevents-batch+json":
		list, err = values(body, cloudEvent)
	default:
		err = errType
	}
	if err == nil && len(list) > maxEntries {
		err = errMany
	}
	if key := h.Get("Idempotency-Key"); err == nil && key != "" {
		for i := range list {
			if list[i].id == "" {
				list[i].id = "key-" + peek.Hashed([]byte(key), []byte(strconv.Itoa(i)))
			}
		}
	}
	return list, err
}

// values are the elements of an array, or the one object.
func values(body []byte, read func([]byte) entry) (list []entry, err error) {
	body = bytes.TrimSpace(body)
	if !bytes.HasPrefix(body, []byte{'['}) {
		return []entry{read(body)}, nil
	}
	if !json.Valid(body) {
		return nil, errBody
	}
	peek.Elements(body, func(e []byte) bool {
		list = append(list, read(e))
		return len(list) <= maxEntries
	})
	return list, nil
}

// lines are the objects of a body that has one a line.
func lines(body []byte) (list []entry, err error) {
	for line := range bytes.Lines(body) {
		if line = bytes.TrimSpace(line); len(line) > 0 {
			list = append(list, plain(line))
		}
		if len(list) > maxEntries {
			return nil, errMany
		}
	}
	return list, nil
}

// plain is an object with no id of its own.
func plain(data []byte) entry { return named("", data) }

// named is an object with an id.
func named(id string, data []byte) entry {
	data = bytes.TrimSpace(data)
	if !bytes.HasPrefix(data, []byte{'{'}) || !json.Valid(data) {
		return entry{err: errors.New("not a JSON object")}
	}
	return entry{id: id, data: bytes.Clone(data)} // not to keep the whole body
}

// cloudEvent is the data of a CloudEvent in structured mode.
func cloudEvent(text []byte) entry {
	var e struct {
		ID         string          `json:"id"`
		Source     string          `json:"source"`
		Data       json.RawMessage `json:"data"`
		DataBase64 string          `json:"data_base64"`
	}
	if err := json.Unmarshal(text, &e); err != nil || e.ID == "" || e.Source == "" {
		return entry{err: errors.New("not a CloudEvent with id and source")}
	}
	if e.Data == nil && e.DataBase64 != "" {
		data, err := base64.StdEncoding.DecodeString(e.DataBase64)
		if err != nil {
			return entry{err: errors.New("data_base64 is not base64")}
		}
		e.Data = data
	}
	return named(eventID(e.Source, e.ID), e.Data)
}

// eventID names a CloudEvent: source and id together are unique.
func eventID(source, id string) string { return "ce-" + peek.Hashed([]byte(source), []byte(id)) }
