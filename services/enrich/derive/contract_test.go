package derive_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/blipstream/blipstream/internal/feed"
	feedv1 "github.com/blipstream/blipstream/proto/gen/blipstream/feed/v1"
	"github.com/blipstream/blipstream/services/enrich/derive"
)

// stamp is at as a message; nil if unknown.
func stamp(at time.Time) *timestamppb.Timestamp {
	if at.IsZero() {
		return nil
	}
	return timestamppb.New(at)
}

// utf8Only is s as protobuf can hold it.
func utf8Only(s string) string {
	var b strings.Builder
	for _, r := range s { // a byte that is no UTF-8 ranges as U+FFFD
		b.WriteRune(r)
	}
	return b.String()
}

// allUTF8 is list as protobuf can hold it.
func allUTF8(list []string) []string {
	var all []string
	for _, s := range list {
		all = append(all, utf8Only(s))
	}
	return all
}

// message builds what the event of kind must say, without the encoder.
func message(k feed.Kind, r *feed.Record) (want, empty proto.Message) {
	user := r.Author.ID
	if user == "" {
		user = r.Upstream.Author.ID
	}
	told := r.Time
	if told.IsZero() {
		told = r.Received
	}
	switch k {
	case feed.KindSimpleTweet:
		if r.Position != nil && r.Position.Precision == feed.PrecisionMention {
			nowhere := *r // what the text is about is not where the post is from
			nowhere.Country, nowhere.City = "", ""
			r = &nowhere
		}
		return &feedv1.SimpleTweet{
			Id: r.ID, Source: r.Source, Time: stamp(r.Time), Username: utf8Only(r.Author.Username),
			Name: utf8Only(r.Author.Name), Body: utf8Only(r.Body), UserId: user, Lang: utf8Only(r.Lang),
			Type: string(r.Type), Country: r.Country, Simulated: r.Simulated, Tags: allUTF8(r.Tags),
			Mentions: allUTF8(r.Mentions), Links: allUTF8(r.Links), Media: r.Media, Url: utf8Only(r.URL),
			Sentiment: r.Sentiment, City: r.City,
		}, &feedv1.SimpleTweet{}
	case feed.KindGeoBlip:
		blip := &feedv1.GeoBlip{
			Id: r.ID, Source: r.Source, Time: stamp(r.Time), Lat: &r.Position.Lat, Lon: &r.Position.Lon,
			Precision: string(r.Position.Precision), Origin: r.Position.Origin, UserId: user, Lang: utf8Only(r.Lang),
			Type: string(r.Type), Country: r.Country, Simulated: r.Simulated, City: r.City,
			Url: utf8Only(r.URL), Magnitude: r.Magnitude,
		}
		if r.Position.Precision != feed.PrecisionPoint {
			blip.RadiusKm = &r.Position.RadiusKm
		}
		return blip, &feedv1.GeoBlip{}
	case feed.KindPostRemoved:
		return &feedv1.PostRemoved{Id: r.ID, Source: r.Source, Time: stamp(told), UserId: user}, &feedv1.PostRemoved{}
	default:
		return &feedv1.GeoRemoved{Id: r.ID, Source: r.Source, Time: stamp(told), UserId: user, UpToId: r.UpToID}, &feedv1.GeoRemoved{}
	}
}

// check holds the events of rec against the contract; it returns how many
// there are.
func check(t *testing.T, rec *feed.Record) int {
	t.Helper()
	made := 0
	for _, d := range derive.All() {
		e, ok := d.Derive(rec)
		if !ok {
			continue
		}
		made++
		if !json.Valid(e.Payload) || !utf8.Valid(e.Payload) {
			t.Fatalf("%s: not JSON in UTF-8: %q", e.Kind, e.Payload)
		}
		if i := strings.IndexFunc(string(e.Payload), func(r rune) bool { return r < ' ' }); i >= 0 {
			t.Fatalf("%s: a control character at %d breaks lines: %q", e.Kind, i, e.Payload)
		}
		want, got := message(e.Kind, rec)
		if err := (protojson.UnmarshalOptions{DiscardUnknown: false}).Unmarshal(e.Payload, got); err != nil {
			t.Fatalf("%s: %v: %s", e.Kind, err, e.Payload)
		}
		if !proto.Equal(want, got) {
			t.Fatalf("%s:\ngot  %v\nwant %v\nof   %s", e.Kind, got, want, e.Payload)
		}
	}
	return made
}

// pieces are what random texts are put together from: every sort of character
// that JSON, JavaScript or a terminal treats in a way of its own.
var pieces = []string{
	"a", "Z", " ", "\"", "\\", "/", "\b", "\f", "\n", "\r", "\t", "\x00", "\x1f", "\x7f", "<", ">", "&", "'",
	"é", "Ω", "東京", "🌍", "👩‍🚒", "\u2028", "\u2029", "\ufeff", "\ufffd", "\u0085", "\U0010ffff", "\xff", "\xc3", "\xed\xa0\x80", `\u0041`, "&amp;",
}

func randomText(r *rand.Rand, most int) string {
	var b strings.Builder
	for range r.IntN(most + 1) {
		b.WriteString(pieces[r.IntN(len(pieces))])
	}
	return b.String()
}

// pick is one of its arguments.
func pick[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

func randomTime(r *rand.Rand) time.Time {
	return pick(r,
		time.Time{},
		time.Unix(r.Int64N(4e9), 0),
		time.UnixMilli(r.Int64N(4e12)),
		time.Unix(r.Int64N(4e9), r.Int64N(1e9)).In(time.FixedZone("", 5*3600+1800)),
		time.Date(1, 1, 1, 0, 0, 0, 1, time.UTC),
		time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC),
	)
}

func randomPosition(r *rand.Rand) *feed.Position {
	degrees := func(span float64) float64 {
		return pick(r, 0, span, -span, 1e-9, -1e-7, 123e-7, (r.Float64()*2-1)*span, math.SmallestNonzeroFloat64, math.Copysign(0, -1))
	}
	return pick(r, nil, &feed.Position{
		Lat: degrees(90), Lon: degrees(180), Precision: pick(r, feed.PrecisionPoint, feed.PrecisionPlace, feed.PrecisionProfile, feed.PrecisionMention),
		RadiusKm: pick(r, 0, 18.604, r.Float64()*500), Origin: pick(r, "coordinates", "geo", "place", ""),
	})
}

// randomList is nil, empty or a few texts.
func randomList(r *rand.Rand) []string {
	list := pick(r, nil, []string{})
	for range r.IntN(4) {
		list = append(list, randomText(r, 5))
	}
	return list
}

// randomNumber is nil or a number that JSON has.
func randomNumber(r *rand.Rand) *float64 {
	n := r.NormFloat64()
	return pick(r, nil, &n, new(float64))
}

func randomRecord(r *rand.Rand) *feed.Record {
	most := pick(r, 0, 3, 40, 40, 300)
	return &feed.Record{
		ID: pick(r, "1", "9007199254740993", "seq-7"), Source: "demo", Received: time.Unix(r.Int64N(4e9)+1, 0),
		Change: pick(r, feed.ChangePost, feed.ChangePost, feed.ChangePost, feed.ChangeRemovePost, feed.ChangeRemoveGeo),
		UpToID: pick(r, "", "5"), Simulated: r.IntN(2) == 0, Time: randomTime(r),
		Lang: pick(r, "", "en", randomText(r, 2)), Type: pick(r, feed.TypePost, feed.TypeReply, feed.TypeRepost, feed.TypeEdit, feed.TypeQuake, ""),
		Upstream: feed.Upstream{Author: feed.Author{ID: pick(r, "", "77")}},
		Author:   feed.Author{ID: pick(r, "", "42"), Username: randomText(r, most), Name: randomText(r, most)},
		Body:     randomText(r, most), Position: randomPosition(r), Country: pick(r, "", "GB"),
		City: pick(r, "", "N’dalatando"), URL: pick(r, "", "https://example.org/1?a=b&c=\"d\""),
		Tags: randomList(r), Mentions: randomList(r), Links: randomList(r), Media: r.IntN(2) == 0,
		Sentiment: randomNumber(r), Magnitude: randomNumber(r),
	}
}

// The bytes that go out are the messages of event.proto, by protojson's own
// strict reading, whatever the record holds.
func TestContract(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	made := 0
	for range 5000 {
		made += check(t, randomRecord(r))
	}
	if made < 4000 {
		t.Errorf("only %d events were compared", made)
	}
	long := post()
	long.Body = strings.Repeat("\x01\"long\u2028", 100_000)
	check(t, long)
}

// A position that cannot be written is left out rather than breaking the line.
func TestNumbersThatJSONLacks(t *testing.T) {
	for _, f := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		rec := post()
		rec.Position.Lat = f
		if p := kinds(rec)[feed.KindGeoBlip]; !json.Valid([]byte(p)) || strings.Contains(p, `"lat"`) {
			t.Errorf("%v: %s", f, p)
		}
	}
}

func FuzzEncoder(f *testing.F) {
	for i, p := range pieces {
		f.Add(p, "name", p+"x"+p, "en", float64(i), -float64(i), int64(i)*1e9)
	}
	f.Fuzz(func(t *testing.T, username, name, body, lang string, lat, lon float64, at int64) {
		rec := post()
		rec.Author.Username, rec.Author.Name, rec.Body, rec.Lang = username, name, body, lang
		rec.URL, rec.Tags, rec.Links = body, []string{name, lang}, []string{username}
		rec.Time = time.Unix(0, at)
		rec.Position = &feed.Position{Lat: lat, Lon: lon, Precision: feed.PrecisionPlace, RadiusKm: math.Abs(lat)}
		if math.IsNaN(lat) || math.IsInf(lat, 0) || math.IsNaN(lon) || math.IsInf(lon, 0) {
			rec.Position = nil
		} else {
			rec.Sentiment, rec.Magnitude = &lat, &lon
		}
		check(t, rec)
	})
}
