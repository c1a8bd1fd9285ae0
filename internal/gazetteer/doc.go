// Package gazetteer knows the cities of the world: where they are, how many
// people live in them, and what they are called. It finds the city beside a
// place (Near), the one that a person names as their location (Profile) and
// the one that a text names (Mention). It does no I/O: its data is compiled
// into the program. The README beside the data names its source.
//
// # Why a name in a text is hard
//
// "Same", "Nice", "Best", "Of", "Mobile" and "Orange" are cities of more than
// 15,000 people, and so is every other word of an ordinary post. So a name
// counts only as it is written, with its capital; words that are also
// something else need a word such as "in" before them; a large city may stand
// for itself and a small one needs such a word, or its country behind it; what
// seems to be part of a longer name ("Jack London", "Paris Hilton") is not
// taken, nor what has an article ("el Barcelona" is a club, "a Boston terrier" a
// dog), nor what is called after one in English ("Vienna sausages") or does what
// only governments do ("Washington wants"), nor anything in a mention or an
// address; and of several cities of one name none is taken unless one is far
// likelier. It is better to miss a city than to put a post where it is not.
//
// Names in other languages than GeoNames' are in names.tsv, words in words.txt,
// countries and states in regions.tsv; all three are written by hand.
package gazetteer

//go:generate go run ./gen $CITIES_PBF cities.tsv.gz
