package rules

import (
	"fmt"
	"math"
	"strings"
	"unicode"
	"unicode/utf8"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/cost"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"github.com/blipstream/blipstream/internal/feed"
)

// fnHasWord is the function that looks for words.
const fnHasWord = "hasWord"

// functions are those that CEL does not bring. They read no clock and draw no
// lots: the same post gives the same answer.
func functions() []cel.EnvOption {
	return []cel.EnvOption{
		cel.Function(fnHasWord,
			cel.MemberOverload("string_has_word_string", []*cel.Type{cel.StringType, cel.StringType}, cel.BoolType,
				cel.BinaryBinding(hasWord)),
			cel.MemberOverload("string_has_word_list", []*cel.Type{cel.StringType, cel.ListType(cel.StringType)}, cel.BoolType,
				cel.BinaryBinding(hasAnyWord))),
		cel.Function("near", cel.MemberOverload("post_near",
			[]*cel.Type{cel.ObjectType(postName), cel.DoubleType, cel.DoubleType, cel.DoubleType}, cel.BoolType,
			cel.FunctionBinding(near))),
		cel.Function("inBox", cel.MemberOverload("post_in_box",
			[]*cel.Type{cel.ObjectType(postName), cel.DoubleType, cel.DoubleType, cel.DoubleType, cel.DoubleType}, cel.BoolType,
			cel.FunctionBinding(inBox))),
		cel.CostModel(
			cost.MemberOverload("string_has_word_string",
				cost.EvalCost(cost.Sum(cost.Const(cost.CallCost), cost.StringScan(cost.Length(cost.Target()))))),
			// One pass over the text for each word.
			cost.MemberOverload("string_has_word_list", cost.EvalCost(cost.Sum(cost.Const(cost.CallCost),
				cost.Mul(cost.StringScan(cost.Length(cost.Target())), cost.AtLeastOneQuantity(cost.Length(cost.Arg(0))))))),
			cost.MemberOverload("post_near", cost.EvalCost(cost.Const(distanceCost))),
			cost.MemberOverload("post_in_box", cost.EvalCost(cost.Const(cost.CallCost))),
		),
	}
}

// distanceCost is what a few sines cost, in units of which a comparison is one.
const distanceCost = 5

// hasWord is text.hasWord(word).
func hasWord(text, word ref.Val) ref.Val {
	t, ok := text.(types.String)
	w, also := word.(types.String)
	if !ok || !also {
		return types.MaybeNoSuchOverloadErr(text)
	}
	if len(w) > maxWord {
		return types.WrapErr(errWord)
	}
	return types.Bool(containsWord(string(t), string(w)))
}

// maxWord is the longest word that is looked for, in bytes. A text of beginnings
// of it is compared with the whole of it at each, which its cost knows nothing of.
const maxWord = 200

// errWord is told of a longer one.
var errWord = fmt.Errorf("hasWord: the word is longer than %d bytes: use contains", maxWord)

// hasAnyWord is text.hasWord([word, ...]).
func hasAnyWord(text, words ref.Val) ref.Val {
	t, ok := text.(types.String)
	l, also := words.(traits.Lister)
	if !ok || !also {
		return types.MaybeNoSuchOverloadErr(text)
	}
	n, _ := l.Size().(types.Int)
	for i := range n {
		w, ok := l.Get(i).(types.String)
		if !ok {
			return types.MaybeNoSuchOverloadErr(l.Get(i))
		}
		if len(w) > maxWord {
			return types.WrapErr(errWord)
		}
		if containsWord(string(t), string(w)) {
			return types.True
		}
	}
	return types.False
}

// containsWord reports whether text has word, whatever the case, with no
// letter, digit, mark or _ before or behind it. word may be several words with
// what stands between them.
func containsWord(text, word string) bool {
	if word == "" {
		return false
	}
	first, _ := utf8.DecodeRuneInString(word)
	lower, upper := unicode.ToLower(first), unicode.ToUpper(first)
	if upper < utf8.RuneSelf && lower < utf8.RuneSelf && strings.IndexByte(text, byte(lower)) < 0 && strings.IndexByte(text, byte(upper)) < 0 {
		return false // which is found out sixteen characters at a time
	}
	for i, r := range text {
		// Most characters are not the first of the word, and cost no more than this.
		if r != lower && r != upper {
			continue
		}
		if before, size := utf8.DecodeLastRuneInString(text[:i]); size > 0 && wordRune(before) {
			continue
		}
		if rest, ok := cutFold(text[i:], word); ok && !startsWithWord(rest) {
			return true
		}
	}
	return false
}

// cutFold returns what follows prefix in s, whatever the case of either.
func cutFold(s, prefix string) (rest string, ok bool) {
	for _, p := range prefix {
		r, size := utf8.DecodeRuneInString(s)
		if size == 0 || r != p && !strings.EqualFold(s[:size], string(p)) {
			return "", false
		}
		s = s[size:]
	}
	return s, true
}

func startsWithWord(s string) bool {
	r, size := utf8.DecodeRuneInString(s)
	return size > 0 && wordRune(r)
}

func wordRune(r rune) bool {
	if r < utf8.RuneSelf {
		return r == '_' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
	}
	return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r)
}

// place is the position of the post among a function's arguments, and the
// numbers that follow it. A post without one is an absence.
func place(args []ref.Val) (*feed.Position, [4]float64, ref.Val) {
	var n [4]float64
	v, ok := args[0].(*view)
	if !ok {
		return nil, n, types.MaybeNoSuchOverloadErr(args[0])
	}
	if v.rec.Position == nil {
		return nil, n, types.WrapErr(errAbsent)
	}
	for i, a := range args[1:] {
		d, ok := a.(types.Double)
		if !ok {
			return nil, n, types.MaybeNoSuchOverloadErr(a)
		}
		n[i] = float64(d)
	}
	return v.rec.Position, n, nil
}

// near is post.near(lat, lon, km).
func near(args ...ref.Val) ref.Val {
	p, n, failed := place(args)
	if failed != nil {
		return failed
	}
	return types.Bool(within(p, n))
}

// within is near of a position, with lat, lon, km.
func within(p *feed.Position, n [4]float64) bool {
	// A degree of latitude is never shorter than this, and most posts are far away.
	const degreeKm = 111
	if math.Abs(p.Lat-n[0])*degreeKm > n[2] {
		return false
	}
	return distanceKm(p.Lat, p.Lon, n[0], n[1]) <= n[2]
}

// inBox is post.inBox(west, south, east, north); a box may cross the antimeridian.
func inBox(args ...ref.Val) ref.Val {
	p, n, failed := place(args)
	if failed != nil {
		return failed
	}
	return types.Bool(inside(p, n))
}

// inside is inBox of a position, with west, south, east, north.
func inside(p *feed.Position, n [4]float64) bool {
	west, south, east, north := n[0], n[1], n[2], n[3]
	between := west <= p.Lon && p.Lon <= east
	if west > east {
		between = p.Lon >= west || p.Lon <= east
	}
	return between && south <= p.Lat && p.Lat <= north
}

// earthKm is the mean radius of the Earth as the IUGG defines it.
const earthKm = 6371.0088

// distanceKm is the length of the great circle between two places (haversine).
func distanceKm(lat1, lon1, lat2, lon2 float64) float64 {
	const rad = math.Pi / 180
	sinLat, sinLon := math.Sin((lat2-lat1)*rad/2), math.Sin((lon2-lon1)*rad/2)
	h := sinLat*sinLat + math.Cos(lat1*rad)*math.Cos(lat2*rad)*sinLon*sinLon
	return 2 * earthKm * math.Asin(math.Sqrt(min(h, 1)))
}
