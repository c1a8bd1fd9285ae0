package decode

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/blipstream/blipstream/internal/feed"
)

// quakeGeometry is where an earthquake was: GeoJSON, longitude first, then
// the latitude and the depth.
type quakeGeometry struct {
	Type        string `json:"type"`
	Coordinates *pair  `json:"coordinates"`
}

// usgsFeature is what Blipstream needs of a feature of the U.S. Geological
// Survey's GeoJSON summary feeds.
type usgsFeature struct {
	ID    string `json:"id"`
	Props struct {
		Mag     *float64 `json:"mag"`
		Place   string   `json:"place"`
		Time    int64    `json:"time"`
		Updated int64    `json:"updated"`
		URL     string   `json:"url"`
		Status  string   `json:"status"`
		Title   string   `json:"title"`
	} `json:"properties"`
	Geometry  quakeGeometry `json:"geometry"`
	Simulated bool          `json:"blipstream_simulated"`
}

// usgs reads one feature of USGS. One whose status is "deleted" asks that it
// disappears.
func usgs(data []byte, rec *feed.Record) error {
	var f usgsFeature
	if err := parse(data, &f); err != nil {
		return err
	}
	rec.ID, rec.Simulated = usableID(f.ID), f.Simulated
	author := feed.Author{ID: "usgs", Username: "usgs", Name: "USGS"}
	if strings.EqualFold(f.Props.Status, "deleted") {
		return removal(rec, unixMilli(f.Props.Updated), author)
	}
	if f.Props.Time == 0 && f.Geometry.Coordinates == nil {
		return malformed(ReasonShape, "neither when nor where: no earthquake")
	}
	title := f.Props.Title
	if title == "" {
		title = quakeTitle(f.Props.Mag, f.Props.Place)
	}
	rec.Time, rec.URL, rec.Magnitude = unixMilli(f.Props.Time), f.Props.URL, finite(f.Props.Mag)
	quake(rec, author, title)
	rec.Upstream.Points = f.Geometry.points()
	return nil
}

// emscMessage is what Blipstream needs of a message of EMSC's "standing
// order" WebSocket. The centre's event service gives its feature alone.
type emscMessage struct {
	Action string       `json:"action"`
	Data   *emscFeature `json:"data"`
	emscFeature
	Simulated bool `json:"blipstream_simulated"`
}

// emscFeature is one earthquake.
type emscFeature struct {
	Geometry quakeGeometry `json:"geometry"`
	ID       string        `json:"id"`
	Props    struct {
		UNID       string         `json:"unid"`
		Time       string         `json:"time"`
		LastUpdate string         `json:"lastupdate"`
		Lat        jsontext.Value `json:"lat"`
		Lon        jsontext.Value `json:"lon"`
		Mag        *float64       `json:"mag"`
		Region     string         `json:"flynn_region"`
	} `json:"properties"`
}

// emsc reads one message of EMSC: an earthquake made known, or corrected.
func emsc(data []byte, rec *feed.Record) error {
	var m emscMessage
	if err := parse(data, &m); err != nil {
		return err
	}
	f := m.Data
	if f == nil {
		f = &m.emscFeature
	}
	p := &f.Props
	rec.ID, rec.Simulated = usableID(first(p.UNID, f.ID)), m.Simulated
	author := feed.Author{ID: "emsc", Username: "emsc", Name: "EMSC"}
	if strings.EqualFold(m.Action, "delete") {
		return removal(rec, rfc3339(p.LastUpdate), author)
	}
	if p.Time == "" && f.Geometry.Coordinates == nil && p.Lat == nil {
		return malformed(ReasonShape, "neither when nor where: no earthquake")
	}
	rec.Time, rec.Magnitude = rfc3339(p.Time), finite(p.Mag)
	if rec.ID != "" {
		rec.URL = "https://www.seismicportal.eu/eventdetails.html?unid=" + rec.ID
	}
	quake(rec, author, quakeTitle(p.Mag, p.Region))
	rec.Upstream.Points = f.points()
	return nil
}

// quake fills in what all earthquakes have in common. Both services write in
// English.
func quake(rec *feed.Record, by feed.Author, title string) {
	rec.Type, rec.Lang = feed.TypeQuake, "en"
	rec.Upstream = feed.Upstream{Author: by, Texts: appendSome(nil, title)}
}

// removal makes rec the removal of what its ID names.
func removal(rec *feed.Record, told time.Time, by feed.Author) error {
	if rec.ID == "" {
		return malformed(ReasonShape, "a removal that does not name what is removed")
	}
	rec.Change, rec.Time = feed.ChangeRemovePost, told
	rec.Author, rec.Upstream.Author = by, by
	return nil
}

// quakeTitle says what happened in the way USGS titles it.
func quakeTitle(mag *float64, place string) string {
	if finite(mag) == nil {
		return place
	}
	size := "M " + strconv.FormatFloat(*mag, 'f', 1, 64)
	if place == "" {
		return size
	}
	return size + " - " + place
}

// points is where it was, if that is told.
func (g *quakeGeometry) points() []feed.Point {
	if g.Coordinates == nil || !strings.EqualFold(g.Type, "point") {
		return nil
	}
	return []feed.Point{{Lat: g.Coordinates[1], Lon: g.Coordinates[0], Origin: "geometry"}}
}

// points is where it was: EMSC tells it twice.
func (f *emscFeature) points() []feed.Point {
	points := f.Geometry.points()
	lat, latErr := strconv.ParseFloat(string(f.Props.Lat), 64)
	lon, lonErr := strconv.ParseFloat(string(f.Props.Lon), 64)
	if latErr == nil && lonErr == nil {
		points = append(points, feed.Point{Lat: lat, Lon: lon, Origin: "properties"})
	}
	return points
}

// finite returns f if it is a number that JSON can write.
func finite(f *float64) *float64 {
	if f == nil || math.IsNaN(*f) || math.IsInf(*f, 0) {
		return nil
	}
	return f
}
