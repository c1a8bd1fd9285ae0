package gazetteer_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/blipstream/blipstream/internal/gazetteer"
)

// is reports whether a city is "Name|CC"; "-" is none.
func is(c *gazetteer.City, label string) bool {
	if c == nil {
		return label == "-"
	}
	return c.Name+"|"+c.Country == label
}

func TestNear(t *testing.T) {
	g := load(t)
	for _, c := range []struct {
		lat, lon      float64
		country, city string
	}{
		{51.5014, -0.1419, "GB", "London|GB"},         // Buckingham Palace
		{40.7484, -73.9857, "US", "New York City|US"}, // the Empire State Building
		{48.8584, 2.2945, "FR", "Paris|FR"},           // the Eiffel Tower
		{1.2834, 103.8607, "SG", "Singapore|SG"},      // Marina Bay
		{41.9022, 12.4539, "VA", "-"},                 // Saint Peter's; see below
		{47.1410, 9.5209, "LI", "Vaduz|LI"},           // its castle
		{-33.8568, 151.2153, "AU", "Sydney|AU"},       // the Opera
		{35.6586, 139.7454, "JP", "Tokyo|JP"},         // Tokyo Tower
		{49.6117, 6.1319, "LU", "Luxembourg|LU"},      // its old town
		{32.5149, -117.0382, "MX", "Tijuana|MX"},      // five kilometres from the border
		{55.6050, 13.0038, "SE", "Malmö|SE"},          // with Copenhagen in sight
		{47.5596, 7.5886, "CH", "Basel|CH"},           // with two countries in sight
		{-16.85, 179.99, "FJ", "-"},                   // Taveuni, beside the antimeridian
		{0, 0, "", "-"},                               // the sea
		{89.99, 12, "", "-"},                          // the ice
		{-90, 180, "", "-"},                           // the ice
		{30, -45, "", "-"},                            // the Atlantic
		{64.1466, -21.9426, "IS", "Reykjavík|IS"},     //
		{-54.8019, -68.3030, "AR", "Ushuaia|AR"},      //
		{78.2232, 15.6267, "SJ", "Longyearbyen|SJ"},   // the most northern town
		{-41.2865, 174.7762, "NZ", "Wellington|NZ"},   //
	} {
		country, city := g.Near(c.lat, c.lon)
		if country != c.country || c.city != "-" && !is(city, c.city) {
			t.Errorf("%v, %v is %s, %+v; want %s, %s", c.lat, c.lon, country, city, c.country, c.city)
		}
	}
}

// The grid finds what looking at every city finds, at any place on Earth.
func TestNearIsTheNearest(t *testing.T) {
	g := load(t)
	all, err := gazetteer.Cities()
	if err != nil {
		t.Fatal(err)
	}
	away := func(c *gazetteer.City, lat, lon float64) float64 {
		const rad = math.Pi / 180
		s := math.Sin((c.Lat-lat)*rad/2)*math.Sin((c.Lat-lat)*rad/2) +
			math.Cos(lat*rad)*math.Cos(c.Lat*rad)*math.Sin((c.Lon-lon)*rad/2)*math.Sin((c.Lon-lon)*rad/2)
		return 2 * 6371.0088 * math.Asin(math.Sqrt(s))
	}
	for i := range 60 {
		// Half of the places are anywhere, half beside a city.
		lat, lon := math.Mod(float64(i)*0.618*180, 180)-90, math.Mod(float64(i)*0.755*360, 360)-180
		if i%2 == 0 {
			c := &all[i*731%len(all)]
			lat, lon = max(-90, min(90, c.Lat+float64(i%7-3)/20)), c.Lon
		}
		best, least := &all[0], math.Inf(1)
		for j := range all {
			if d := away(&all[j], lat, lon); d < least {
				best, least = &all[j], d
			}
		}
		want := best.Country
		if least > 150 {
			want = ""
		}
		if got, _ := g.Near(lat, lon); got != want && math.Abs(least-150) > 0.1 {
			t.Errorf("%v, %v is %q, want %q: %s is %.1f km away", lat, lon, got, want, best.Name, least)
		}
	}
}

func TestProfile(t *testing.T) {
	g := load(t)
	for location, want := range map[string]string{
		"Lagos, Nigeria":              "Lagos|NG",
		"Paris":                       "Paris|FR",
		"paris, france":               "Paris|FR",
		"Paris, Texas":                "Paris|US",
		"Paris, TX":                   "Paris|US",
		"📍 münchen":                   "Munich|DE",
		"München":                     "Munich|DE",
		"Muenchen, Bayern":            "Munich|DE",
		"São Paulo, Brasil":           "São Paulo|BR",
		"sao paulo":                   "São Paulo|BR",
		"NYC":                         "New York City|US",
		"Brooklyn, NY":                "Brooklyn|US",
		"Brooklyn, New York":          "Brooklyn|US",
		"New York":                    "New York City|US",
		"London, England":             "London|GB",
		"London, Ontario":             "London|CA",
		"Tokyo, Japan":                "Tokyo|JP",
		"東京":                          "Tokyo|JP",
		"Москва, Россия":              "Moscow|RU",
		"القاهرة":                     "Cairo|EG",
		"Singapore":                   "Singapore|SG",
		"Austin, TX":                  "Austin|US",
		"Nice, France":                "Nice|FR",
		"Córdoba, España":             "Córdoba|ES",
		"Cordoba, Argentina":          "Córdoba|AR",
		"St. Louis, MO":               "St. Louis|US",
		"Atlanta, Georgia":            "Atlanta|US",
		"Tbilisi, Georgia":            "Tbilisi|GE",
		"Kyiv, Ukraine 🇺🇦":            "Kyiv|UA",
		"Germany":                     "-",
		"Georgia":                     "-",
		"Earth":                       "-",
		"Same":                        "-",
		"home":                        "-",
		"nice":                        "-",
		"Mobile":                      "-",
		"everywhere and nowhere":      "-",
		"London | Paris":              "-",
		"Springfield":                 "-",
		"me":                          "-",
		"somewhere in Paris I hope":   "-",
		"Paris, Kenya":                "-",
		"":                            "-",
		strings.Repeat("Paris, ", 40): "-",
	} {
		if got := g.Profile(location, gazetteer.Hints{}); !is(got, want) {
			t.Errorf("%q is %+v, want %s", location, got, want)
		}
	}
}

// What settles which city is meant, and what keeps a name from being one.
func TestMention(t *testing.T) {
	g := load(t)
	for _, c := range []struct {
		text, lang, country, want string
	}{
		{"Snow in Paris", "en", "", "Paris|FR"},
		{"Snow in Paris, Texas", "en", "", "Paris|US"},
		{"Snow in Paris, TX", "en", "", "Paris|US"},
		{"Snow in Paris, Kenya", "en", "", "-"},
		{"Snow in Paris, my love", "en", "", "Paris|FR"},
		{"Snow in paris", "en", "", "-"},
		{"#snow #Paris", "en", "", "Paris|FR"},
		{"#paris #snow", "en", "", "Paris|FR"},
		{"#nice #best #same #orange #reading", "en", "", "-"},
		{"#NewYork #RioDeJaneiro", "en", "", "New York City|US"},
		{"Snow @Paris", "en", "", "-"},
		{"Snow https://paris.example/London/Rome", "en", "", "-"},
		{"see paris.fr/London", "en", "", "-"},
		{"Paris Hilton and Jack London", "en", "", "-"},
		{"The Paris-Roubaix race", "en", "", "-"},
		{"Paris2024 was fun", "en", "", "-"},
		{"SNOW IN LONDON AND NOBODY SLEPT", "en", "", "London|GB"},
		{"LONDON CALLING TO THE FARAWAY TOWNS", "en", "", "-"},
		{"London's bridges are old", "en", "", "London|GB"},
		{"Rain in Birmingham", "en", "", "Birmingham|GB"},
		{"Rain in Birmingham", "en", "US", "Birmingham|US"},
		{"Rain in Springfield", "en", "", "-"},
		{"Rain in Springfield, Illinois", "en", "", "Springfield|US"},
		{"Lluvia en Córdoba", "es", "", "Córdoba|AR"},
		{"Lluvia en Córdoba", "es", "ES", "Córdoba|ES"},
		{"We live in Tonbridge now", "en", "", "Tonbridge|GB"}, // 35,000 people
		{"Tonbridge is where we live now", "en", "", "-"},
		{"my Tonbridge story", "en", "", "-"},
		{"A week in Nice", "en", "", "Nice|FR"},
		{"Nice week", "en", "", "-"},
		{"St. Louis has an arch; we saw it in St. Louis", "en", "", "St. Louis|US"},
		{"From Lisbon to Madrid by train", "en", "", "Lisbon|PT"},
		{"Thoughts on Lisbon while in Madrid", "en", "", "Madrid|ES"},
		{"Ho Chi Minh City in the rain", "en", "", "Ho Chi Minh City|VN"},
		{"Singapore的早市", "zh", "", "Singapore|SG"},
		{"We like Berlin pizza", "en", "", "-"},
		{"We like Berlin pizza", "", "", "-"},
		{"We like Berlin pizza", "de", "", "Berlin|DE"}, // the words are English
		{"We like Berlin, pizza too", "en", "", "Berlin|DE"},
		{"We like Berlin's pizza", "en", "", "Berlin|DE"},
		{"A recipe from Berlin pizza lovers", "en", "", "-"},
		{"All over in Berlin pizza is thin", "en", "", "Berlin|DE"},
		{"Just a Steak Berlin recipe", "en", "", "-"},
		{"Today New Delhi rejects it", "en", "", "-"},
		{"Today Mumbai rejects it", "en", "", "Mumbai|IN"}, // no government sits there
		{"People from Berlin said so", "en", "", "Berlin|DE"},
		{"People in Berlin said so", "en", "", "Berlin|DE"},
		{"lol same", "en", "", "-"},
		{"SAME", "en", "", "-"},
		{"Same. Same here", "en", "", "-"},
		{"", "", "", "-"},
	} {
		got := g.Mention(c.text, gazetteer.Hints{Lang: c.lang, Country: c.country})
		if !is(got, c.want) {
			t.Errorf("%q (%s, %s) is %+v, want %s", c.text, c.lang, c.country, got, c.want)
		}
	}
}

// Loading must not keep a service from starting; and 200 bytes of a post must
// not cost more than the rest of its enrichment.
func BenchmarkGazetteer(b *testing.B) {
	g := load(b)
	english := "Made dumplings for 4 people with Ann and Bert and there is nothing left. I call that a success, back to Copenhagen tomorrow"
	b.Run("mention", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			g.Mention(english, gazetteer.Hints{Lang: "en"})
		}
	})
	b.Run("mention in Japanese", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			g.Mention("今日は一日中雨だったので、家で本を読んでいました。明日は東京へ行きます", gazetteer.Hints{Lang: "ja"})
		}
	})
	b.Run("profile", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			g.Profile("Lagos, Nigeria", gazetteer.Hints{})
		}
	})
	b.Run("near", func(b *testing.B) {
		for b.Loop() {
			g.Near(51.5, -0.12)
		}
	})
	b.Run("near nothing", func(b *testing.B) {
		for b.Loop() {
			g.Near(30, -45)
		}
	})
}

func BenchmarkNew(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := gazetteer.New(); err != nil {
			b.Fatal(err)
		}
	}
}

func FuzzFind(f *testing.F) {
	g := load(f)
	for _, s := range []string{"Snow in Paris, TX #Rome", "東京タワーとLondonと", "בתל אביב", "서울에서", "St. ''' -- '’", "İstanbul'da", "\xff\xfeParis", "a\u0301\u0301"} {
		f.Add(s, "en", 1.5, 2.5)
	}
	f.Fuzz(func(t *testing.T, text, lang string, lat, lon float64) {
		h := gazetteer.Hints{Lang: lang, Country: "US"}
		for _, c := range []*gazetteer.City{g.Mention(text, h), g.Profile(text, h)} {
			if c != nil && (c.Name == "" || text == "" || math.Abs(c.Lat) > 90) {
				t.Errorf("%q is %+v", text, c)
			}
		}
		if math.Abs(lat) <= 90 && math.Abs(lon) <= 180 {
			if country, _ := g.Near(lat, lon); country != "" && len(country) != 2 {
				t.Errorf("%v, %v is in %q", lat, lon, country)
			}
		}
	})
}

// The data is what the code expects: names that GeoNames has stand for
// themselves, and every country has a city.
func TestData(t *testing.T) {
	all, err := gazetteer.Cities()
	if err != nil {
		t.Fatal(err)
	}
	countries, err := gazetteer.Countries()
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]int{}
	for i, c := range all {
		if c.Name == "" || !utf8.ValidString(c.Name) || math.Abs(c.Lat) > 90 || math.Abs(c.Lon) > 180 || c.Population < 0 {
			t.Errorf("city %d: %+v", i, c)
		}
		if i > 0 && c.Population > all[i-1].Population {
			t.Fatalf("%s is larger than the one before it", c.Name)
		}
		known[c.Country]++
	}
	for _, c := range countries {
		if known[c.Code] == 0 {
			t.Errorf("%s has no city", c.Name)
		}
		delete(known, c.Code)
	}
	if len(known) > 0 || len(all) < 40_000 {
		t.Errorf("%d cities; no name for the countries %s", len(all), fmt.Sprint(known))
	}
}
