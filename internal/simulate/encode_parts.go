package simulate

// user writes the user object.
func (e *encoder) user(a *author) {
	e.lit(`"user":{"id":`).num(a.id).lit(`,"id_str":"`).num(a.id).lit(`","name":`).str(a.name)
	e.lit(`,"screen_name":`).str(a.username).lit(`,"location":"`).str0(a.city.Name).lit(`, `).str0(a.city.Country.Name)
	e.lit(`","url":null,"description":"An invented person who lives in a simulator near `).str0(a.city.Name)
	e.lit(`.","translator_type":"none","derived":null,"protected":false,"verified":false,"followers_count":`).int(a.followers)
	e.lit(`,"friends_count":`).int(a.friends).lit(`,"listed_count":`).int(a.followers / 50)
	e.lit(`,"favourites_count":`).int(a.statuses / 3).lit(`,"statuses_count":`).int(a.statuses)
	e.lit(`,"created_at":`).time(a.created)
	e.lit(userColours)
	e.lit(`,"profile_image_url":"http://img.simulated.example/profile_images/`).num(a.id).lit(`/normal.png"`)
	e.lit(`,"profile_image_url_https":"https://img.simulated.example/profile_images/`).num(a.id).lit(`/normal.png"`)
	e.lit(`,"profile_banner_url":"https://img.simulated.example/profile_banners/`).num(a.id).lit(`/1500"`)
	e.lit(`,"default_profile":true,"default_profile_image":false,"following":null,"follow_request_sent":null,"notifications":null},`)
}

// userColours are the fields of a profile nobody changed.
const userColours = `,"utc_offset":null,"time_zone":null,"geo_enabled":true,"lang":null,"contributors_enabled":false,"is_translator":false` +
	`,"profile_background_color":"F5F8FA","profile_background_image_url":"","profile_background_image_url_https":""` +
	`,"profile_background_tile":false,"profile_link_color":"1DA1F2","profile_sidebar_border_color":"C0DEED"` +
	`,"profile_sidebar_fill_color":"DDEEF6","profile_text_color":"333333","profile_use_background_image":true`

// position writes geo (latitude first), coordinates (GeoJSON, longitude first)
// and place.
func (e *encoder) position(p *post) {
	if p.point == nil {
		e.lit(`"geo":null,"coordinates":null,`)
	} else {
		e.lit(`"geo":{"type":"Point","coordinates":[`).micro(p.point.lat).lit(`,`).micro(p.point.lon).lit(`]},`)
		e.coordinates(p)
	}
	if p.place == nil {
		e.lit(`"place":null,"contributors":null,`)
		return
	}
	e.place(p.place)
	e.lit(`"contributors":null,`)
}

func (e *encoder) coordinates(p *post) {
	if p.oldPoint {
		e.lit(`"coordinates":null,`)
		return
	}
	e.lit(`"coordinates":{"type":"Point","coordinates":[`).micro(p.point.lon).lit(`,`).micro(p.point.lat).lit(`]},`)
}

// place writes the box as a ring of four corners, not closed, from the
// south-west on, as the API does.
func (e *encoder) place(p *place) {
	e.lit(`"place":{"id":"`).hex(p.id).lit(`","url":"https://api.simulated.example/1.1/geo/id/`).hex(p.id)
	e.lit(`.json","place_type":"`).lit(p.kind).lit(`","name":`).str(p.name)
	e.lit(`,"full_name":"`).str0(p.name).lit(`, `).str0(p.country.Name)
	e.lit(`","country_code":"`).lit(p.country.Code).lit(`","country":`).str(p.country.Name)
	e.lit(`,"bounding_box":{"type":"Polygon","coordinates":[[`)
	e.corner(p.west, p.south).lit(`,`).corner(p.west, p.north).lit(`,`)
	e.corner(p.east, p.north).lit(`,`).corner(p.east, p.south)
	e.lit(`]]},"attributes":{}},`)
}

func (e *encoder) corner(lon, lat micro) *encoder {
	return e.lit(`[`).micro(lon).lit(`,`).micro(lat).lit(`]`)
}
