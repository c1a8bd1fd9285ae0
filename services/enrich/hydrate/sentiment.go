package hydrate

import (
	"math"
	"strings"

	"github.com/jonreiter/govader"

	"github.com/blipstream/blipstream/internal/feed"
)

// Sentiment sets how an English text feels, by the words in it (VADER). It is
// run only if it is asked for: a rule of thumb that is often wrong should not
// stand beside every post unasked.
type Sentiment struct {
	analyzer *govader.SentimentIntensityAnalyzer
}

func newSentiment(*stock) (Hydrator, error) {
	return Sentiment{govader.NewSentimentIntensityAnalyzer()}, nil
}

// Name implements Hydrator.
func (Sentiment) Name() string { return "sentiment" }

// sentimentBytes is how much of a text is read: beyond it the mood of a post is
// told, and the time it takes should be bounded.
const sentimentBytes = 1000

// Hydrate implements Hydrator.
func (s Sentiment) Hydrate(rec *feed.Record) {
	if lang, _, _ := strings.Cut(rec.Lang, "-"); lang != "en" || rec.Body == "" {
		return
	}
	score := s.analyzer.PolarityScores(rec.Body[:boundary(rec.Body, sentimentBytes)]).Compound
	if math.IsNaN(score) {
		return
	}
	const digits = 1e4 // it is not that exact; it saves bytes in every event
	score = math.Round(score*digits) / digits
	rec.Sentiment = &score
}
