package atlas

import "testing"

func TestParseRefuses(t *testing.T) {
	const country, city = "XX\tNowhere\ten:1\n", "Town\tXX\t1.5\t2.5\t100\n"
	if _, err := parse(country, city); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string][2]string{
		"nothing":              {"", ""},
		"country without city": {country + "YY\tElsewhere\ten:1\n", city},
		"unknown country":      {country, "Town\tYY\t1\t2\t3\n"},
		"missing cell":         {country, "Town\tXX\t1\t2\n"},
		"no number":            {country, "Town\tXX\tnorth\t2\t3\n"},
		"no population":        {country, "Town\tXX\t1\t2\tmany\n"},
		"no weight":            {"XX\tNowhere\ten\n", city},
		"weight of nothing":    {"XX\tNowhere\ten:0\n", city},
	} {
		if _, err := parse(c[0], c[1]); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}
